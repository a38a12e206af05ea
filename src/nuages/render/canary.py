"""The set that goes beside the release that serves: webs and workers of the new one, each with a suffix to its name.

    canary       a part of the pods, for a share of the requests
    blue-green   all of the pods, to which the Services are switched at once

What tells its pods from the others: by a gateway or a switched Service they are found by a key of their own
(`main.canary`); where a Service shares requests out by the number of pods, they carry the same key and a track.
"""

from __future__ import annotations

import copy
import math

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.access import TRIAL, told
from nuages.render.labels import COMPONENT, KEY, TRACK, WEB
from nuages.render.release import Release

SUFFIX = {"canary": "canary", "blue-green": "green"}
"""What is put behind the names of a set, by how it was asked for."""

BROKER = "CELERY_BROKER_URL"
GATEWAY, REPLICAS, SERVICE = "gateway", "replicas", "service"
"""The ways in which requests reach a set: a route's weights, the number of pods, a Service that is switched."""

WHOLE = 100
"""Percent."""


def beside(app: App, release: Release, web: list[Object], workers: list[Object]) -> list[Object]:
    """The objects of the set, in order; none where none was asked for. Beat is not in it: there are never two."""
    if not release.canary:
        return []
    suffix, shared = SUFFIX[release.canary], way(app, release) == REPLICAS
    own = broker(app)
    beside_web = [
        _renamed(item, suffix, own, track_only=shared)
        for item in web
        # Pods that two budgets select can't be evicted, and the Service of the others finds these already.
        if item["kind"] == "Deployment" or not shared
    ]
    # Of a broker that is somebody else's there is no second one, and on the same queues either of them would be given
    # tasks that it does not know: there, the workers that serve work off what the set's webs send.
    beside_workers = [_renamed(item, suffix, own, track_only=False) for item in workers if own]
    return [*beside_workers, *beside_web]


def way(app: App, release: Release) -> str:
    """How requests are to reach the set."""
    if release.canary == "blue-green":
        return SERVICE
    return GATEWAY if app.expose and app.expose.kind == "gateway" else REPLICAS


def broker(app: App) -> str | None:
    """The broker of the set's own tasks: a database of our Redis; None where the broker is not ours to divide."""
    if app.redis is None or not app.celery or BROKER in app.secrets:
        return None
    declared = app.env.get(BROKER)
    if declared is not None and declared.service != "redis":
        return None
    return f"{told(app, 'redis', 'address')}/{TRIAL}"


def sized(item: Object, percent: int, kind: str) -> Object:
    """A Deployment of the set with the pods for a share of the requests; any other object as it is."""
    if item["kind"] != "Deployment" or percent >= WHOLE:
        return item
    whole = item["spec"]["replicas"]
    alone = kind != REPLICAS or item["metadata"]["labels"][COMPONENT] != WEB
    return {**item, "spec": {**item["spec"], "replicas": share(whole, percent, beside_others=not alone)}}


def share(replicas: int, percent: int, *, beside_others: bool) -> int:
    """How many pods take so many percent: of the load of all of them, or as a part of a number that grows by them.

    At least one where there are any: less than one pod is none.
    """
    if not replicas:
        return 0
    if beside_others:
        return max(1, round(replicas * percent / (WHOLE - percent)))
    return max(1, math.ceil(replicas * percent / WHOLE))


def _renamed(item: Object, suffix: str, own: str | None, *, track_only: bool) -> Object:
    """An object as part of the set."""
    made = copy.deepcopy(item)
    about, spec = made["metadata"], made["spec"]
    about["name"] = f"{about['name']}-{suffix}"
    selectors = [about["labels"]]
    if made["kind"] == "Service":
        selectors.append(spec["selector"])
    else:
        selectors.append(spec["selector"]["matchLabels"])
    if made["kind"] == "Deployment":
        template = spec["template"]
        selectors.append(template["metadata"]["labels"])
        selectors += [one["labelSelector"]["matchLabels"] for one in template["spec"]["topologySpreadConstraints"]]
        _told(template["spec"]["containers"][0], suffix, own)
    for labels in selectors:
        labels[TRACK] = suffix
        if not track_only:
            labels[KEY] = keyed(labels[KEY], suffix)
    return made


def keyed(key: str, suffix: str) -> str:
    """The key of a set's pods: no key of a spec has a dot."""
    return f"{key}.{suffix}"


def _told(container: Object, suffix: str, own: str | None) -> None:
    """Tell a container that it is part of a set, and which broker is its own."""
    env = [{"name": BROKER, "value": own} if own and one["name"] == BROKER else one for one in container.get("env", [])]
    container["env"] = [*env, {"name": "NUAGES_TRACK", "value": suffix}]
