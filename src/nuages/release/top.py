"""What each pod of an app uses, beside what it asked for and what it may have at most."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.kube.client import Cluster
from nuages.release.named import Chosen
from nuages.release.site import site
from nuages.release.status import metered
from nuages.release.usage import Usage, of_pod
from nuages.render.labels import COMPONENT, KEY

OVER = {"Succeeded", "Failed"}


class Pod(NamedTuple):
    """One pod that runs, or is about to."""

    name: str
    component: str
    """As in commands: `web-main`, `postgres`."""
    node: str
    usage: Usage


class Top(NamedTuple):
    """What `nuages top --json` prints, in exactly this shape, which only grows under one `schema`."""

    schema: int
    app: str
    environment: str
    namespace: str
    context: str
    metered: bool
    """Whether the cluster measures what pods use."""
    pods: list[Pod]
    """By component, of each the hungriest first."""


async def top(app: App, cluster: Cluster, chosen: Chosen) -> Top:
    """Look once."""
    where = site(app)
    pods, used = await asyncio.gather(
        cluster.list("Pod", where.namespace, labels=where.labels), metered(where, cluster)
    )
    found = [
        Pod(item["metadata"]["name"], _part(item), item["spec"].get("nodeName", ""), of_pod(item, used))
        for item in pods.items
        if chosen(*_labels(item), item["metadata"]["name"]) and item.get("status", {}).get("phase") not in OVER
    ]
    return Top(
        schema=1,
        app=app.name,
        environment=app.environment,
        namespace=app.namespace,
        context=cluster.context,
        metered=used is not None,
        pods=sorted(found, key=lambda pod: (pod.component, -(pod.usage.memory or 0), pod.name)),
    )


def _labels(pod: Object) -> tuple[str, str]:
    labels = pod["metadata"].get("labels", {})
    return labels.get(COMPONENT, ""), labels.get(KEY, "")


def _part(pod: Object) -> str:
    return "-".join(filter(None, _labels(pod)))
