"""Where an app's pods are to go, as far as the cluster can tell before anything is touched."""

from __future__ import annotations

import difflib

from nuages.app.components import App
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster


async def priority(app: App, cluster: Cluster) -> list[Finding]:
    """A priority class that nobody knows: every pod would be refused, one after the other, by an event."""
    wanted = app.placement.priority_class
    if not wanted or await cluster.get("PriorityClass", None, wanted):
        return []
    known = [item["metadata"]["name"] for item in (await cluster.list("PriorityClass")).items]
    close = difflib.get_close_matches(wanted, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"the cluster has {', '.join(sorted(known))}"
    place = Place(path="placement.priorityClass")
    return [Finding("app.E162", Level.ERROR, f"the cluster has no priority class {wanted}", place, hint)]
