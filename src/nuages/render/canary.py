"""The set that goes beside the release that serves: webs and workers of the new one, each with a suffix to its name.

    canary       a part of the pods, for a share of the requests
    blue-green   all of the pods, to which the Services are switched at once

What tells its pods from the others: by a gateway or a switched Service they are found by a key of their own
(`main.canary`); where a Service shares requests out by the number of pods, they carry the same key and a track.
"""

from __future__ import annotations

import copy
import math

from nuages.app import stores
from nuages.app.components import BROKER_VARIABLE, App
from nuages.app.connections import budget
from nuages.app.objects import Object
from nuages.render.access import TRIAL, told
from nuages.render.autoscale import KINDS, pods
from nuages.render.labels import COMPONENT, KEY, TRACK, WEB
from nuages.render.release import Release

SUFFIX = {"canary": "canary", "blue-green": "green"}
"""What is put behind the names of a set, by how it was asked for."""

GATEWAY, REPLICAS, SERVICE = "gateway", "replicas", "service"
"""The ways in which requests reach a set: a route's weights, the number of pods, a Service that is switched."""

WHOLE = 100
"""Percent."""

MOST = "nuages.dev/most"
"""On a Deployment of a set: how many pods the database has connections for."""


def most(app: App) -> int | None:
    """How many pods each of the set's components may have, so that all that runs beside it finds its connections.

    None where there is no PostgreSQL of ours to count them, or a set would ask for none: as many as are asked for.
    """
    if app.max_connections is None or app.pgbouncer is not None:
        return None
    wanted = budget([part.connections for part in app.connected], app.max_connections, app.passing)
    each = sum(web.processes.workers * web.processes.threads for web in app.web.values())
    each += sum(worker.pool.connections for worker in app.workers.values()) if broker(app) else 0
    return max(0, wanted.available - wanted.wanted) // each if each else None


def beside(app: App, release: Release, web: list[Object], workers: list[Object]) -> list[Object]:
    """The objects of the set, in order; none where none was asked for. Beat is not in it: there are never two."""
    if not release.canary:
        return []
    suffix, shared = SUFFIX[release.canary], way(app, release) == REPLICAS
    own, limit = broker(app), most(app)
    beside_web = [
        _limited(_renamed(item, suffix, own, track_only=shared), limit)
        for item in _fixed(web)
        # Pods that two budgets select can't be evicted, and the Service of the others finds these already.
        if item["kind"] == "Deployment" or not shared
    ]
    # Of a broker that is somebody else's there is no second one, and on the same queues either of them would be given
    # tasks that it does not know: there, the workers that serve work off what the set's webs send.
    beside_workers = [_limited(_renamed(item, suffix, own, track_only=False), limit) for item in _fixed(workers) if own]
    return [*beside_workers, *beside_web]


def way(app: App, release: Release) -> str:
    """How requests are to reach the set."""
    if release.canary == "blue-green":
        return SERVICE
    return GATEWAY if app.expose and app.expose.kind == "gateway" else REPLICAS


def broker(app: App) -> str | None:
    """The broker of the set's own tasks: a database of our Redis; None where the broker is not ours to divide."""
    if app.redis is None or not app.celery or BROKER_VARIABLE in app.secrets:
        return None
    declared = app.env.get(BROKER_VARIABLE)
    if declared is None and stores.reached(app, "rabbitmq"):
        return None  # tasks lie there, in the one vhost that it makes
    if declared is not None and declared.service != "redis":
        return None
    return f"{told(app, 'redis', 'address')}/{TRIAL}"


def sized(item: Object, percent: int, kind: str, whole: int | None = None) -> Object:
    """A Deployment of the set with the pods for a share of the requests; any other object as it is.

    `whole`: how many pods there are for all of them now, where something else than the spec says it.
    """
    if item["kind"] != "Deployment":
        return item
    whole = item["spec"]["replicas"] if whole is None else whole
    by_number = kind == REPLICAS and item["metadata"]["labels"][COMPONENT] == WEB
    wanted = whole if percent >= WHOLE else share(whole, percent, beside_others=by_number)
    limit = item["metadata"].get("annotations", {}).get(MOST)
    pods = wanted if limit is None else min(wanted, int(limit))
    return {**item, "spec": {**item["spec"], "replicas": pods}}


def _fixed(items: list[Object]) -> list[Object]:
    """Without what scales them: a set has the pods that its share of the requests takes, as long as it stands."""
    return [
        {**item, "spec": {**item["spec"], "replicas": pods(item)}} if item["kind"] == "Deployment" else item
        for item in items
        if item["kind"] not in KINDS
    ]


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
        selectors += [
            one["labelSelector"]["matchLabels"] for one in template["spec"].get("topologySpreadConstraints", [])
        ]
        _told(template["spec"]["containers"][0], suffix, own)
    for labels in selectors:
        labels[TRACK] = suffix
        if not track_only:
            labels[KEY] = keyed(labels[KEY], suffix)
    return made


def _limited(item: Object, limit: int | None) -> Object:
    """A Deployment that says how many pods there is room for; any other object as it is."""
    if item["kind"] == "Deployment" and limit is not None:
        item["metadata"].setdefault("annotations", {})[MOST] = str(limit)
    return item


def keyed(key: str, suffix: str) -> str:
    """The key of a set's pods: no key of a spec has a dot."""
    return f"{key}.{suffix}"


def _told(container: Object, suffix: str, own: str | None) -> None:
    """Tell a container that it is part of a set, and which broker is its own."""
    env = [
        {"name": BROKER_VARIABLE, "value": own} if own and one["name"] == BROKER_VARIABLE else one
        for one in container.get("env", [])
    ]
    container["env"] = [*env, {"name": "NUAGES_TRACK", "value": suffix}]
