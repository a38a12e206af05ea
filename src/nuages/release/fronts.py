"""What nginx is configured by, where the spec names a ConfigMap of its own: looked at before anything is done."""

from __future__ import annotations

import contextlib

from nuages.app.components import App
from nuages.errors import Forbidden, Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster

SITE = "default.conf"


async def configured(app: App, cluster: Cluster) -> None:
    """Make sure that each ConfigMap is there and has what nginx reads: without it no pod would start.

    Raises:
        Refused: one is missing, or has no default.conf; all of them are named.
    """
    found = [finding for path, name in _named(app).items() if (finding := await _lacking(app, path, name, cluster))]
    if found:
        raise Refused(f"nginx can't be configured in {app.namespace}", findings=found)


def _named(app: App) -> dict[str, str]:
    """Per place in the spec the ConfigMap that it names."""
    fronts = {f"frontends.{key}.nginx": each.frontend.nginx for key, each in app.frontends.items()}
    every = {**fronts, **({"static.nginx": app.static.nginx} if app.static.nginx else {})}
    return {f"{path}.configMap": nginx.config_map for path, nginx in every.items() if nginx.config_map}


async def _lacking(app: App, path: str, name: str, cluster: Cluster) -> Finding | None:
    with contextlib.suppress(Forbidden):  # who may not look is told by the pods
        there = await cluster.get("ConfigMap", app.namespace, name)
        if there is None:
            message, hint = f"there is no ConfigMap {name} in {app.namespace}", "kubectl create configmap --from-file"
        elif SITE not in (there.get("data") or {}):
            message, hint = f"the ConfigMap {name} has no {SITE}", "it is what stands in place of ours"
        else:
            return None
        return Finding("app.E143", Level.ERROR, message, Place(path=path), hint)
    return None
