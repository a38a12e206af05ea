"""Objects of the user's own, applied with the app's: what nuages has no word for (an ExternalSecret, a PrometheusRule).

They are taken as they are written, in the app's namespace, with the labels by which a release knows what is its own.
"""

from __future__ import annotations

import yaml

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import EXTRA, labels


def others(app: App) -> list[Object]:
    """All of them, in the order of the spec."""
    return [_ours(app, item) for file in app.objects for item in written(app.inlined.get(file, ""))]


def written(text: str) -> list[Object]:
    """The objects of a file."""
    return [item for item in yaml.safe_load_all(text) if item is not None]


def _ours(app: App, item: Object) -> Object:
    about = item["metadata"]
    return {
        **item,
        "metadata": {
            **about,
            "namespace": about.get("namespace", app.namespace),
            "labels": {**about.get("labels", {}), **labels(app, EXTRA)},
        },
    }
