"""The only place that talks to a cluster: plain dicts over HTTP, errors from `nuages.errors`, and a live local view."""
