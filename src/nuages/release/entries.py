"""What was done, beside the records: a ConfigMap with an entry for each thing, the newest of them.

A write adds or changes one key, so two at once don't lose each other's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nuages.app.components import App
from nuages.kube.client import Cluster
from nuages.kube.failures import AlreadyExists
from nuages.render.labels import CONFIG, metadata


async def read(app: App, kind: str, cluster: Cluster) -> dict[str, str]:
    """All entries of a kind, by their keys; none where there never were any."""
    live = await cluster.get("ConfigMap", app.namespace, _name(app, kind))
    return (live or {}).get("data") or {}


async def write(
    app: App,
    kind: str,
    key: str,
    text: str,
    cluster: Cluster,
    *,
    newest: Callable[[dict[str, str]], Sequence[str]],
    kept: int,
) -> None:
    """Write one entry, or its next state; the oldest beyond `kept` go, by the order that `newest` gives their keys."""
    live = await cluster.get("ConfigMap", app.namespace, _name(app, kind))
    if live is None:
        about = metadata(app, _name(app, kind), CONFIG)
        about["labels"]["nuages.dev/kind"] = kind
        first = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {key: text}}
        try:
            await cluster.create(first)
        except AlreadyExists:
            live = {}
        else:
            return
    entries = {**(live.get("data") or {}), key: text}
    old = newest(entries)[kept:]
    await cluster.patch_merge("ConfigMap", app.namespace, _name(app, kind), {"data": {key: text, **dict.fromkeys(old)}})


def _name(app: App, kind: str) -> str:
    """The ConfigMap's name: `blog-runs`."""
    return f"{app.name}-{kind}"
