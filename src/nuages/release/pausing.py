"""A page in front of the app, for as long as a person wants it: nothing behind it stops.

Requests lead to it by the Services' selectors, first there and then led to, first led away and then gone: none is lost.
A release that comes meanwhile goes on behind the page (phases/bring.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterable
from datetime import datetime

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Forbidden, Refused
from nuages.kube.client import Cluster
from nuages.progress import Sink, step
from nuages.release import audit
from nuages.release.begin import held
from nuages.release.byhand import followed, standing, workloads
from nuages.release.locks.holder import user
from nuages.release.locks.lock import Wish
from nuages.release.named import SERVING, parts
from nuages.release.record import Outcome, Record, Stored
from nuages.release.secrets import decoded
from nuages.release.trials.trial import ABORTED
from nuages.release.world import World
from nuages.render import pause
from nuages.render.canary import SERVICE, SUFFIX
from nuages.render.labels import KEY
from nuages.render.switch import switched

LINK = "/-/bypass/"
"""Where the page gives its cookie (nuages_runtime.bypass)."""

ARRIVES = 10.0
"""Seconds until requests arrive at the page, at most."""

NODES = 1.5
"""Seconds more, in which each node's proxy learns it: kube-proxy writes its rules at most once in a second."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages maintenance --json` prints; it only grows under one `schema`."""

    schema: int = 1
    app: str
    environment: str
    on: bool
    since: datetime | None = None
    by: str = ""


async def state(app: App, cluster: Cluster) -> State:
    """Whether the page is on."""
    live = await cluster.get("Deployment", app.namespace, pause.name(app.name))
    told = ((live or {}).get("metadata", {}).get("annotations") or {}).get(pause.ON)
    if not told:
        return State(app=app.name, environment=app.environment, on=False)
    said = msgspec.json.decode(told, type=dict[str, str])
    since = datetime.fromisoformat(said["since"])
    return State(app=app.name, environment=app.environment, on=True, since=since, by=said["by"])


async def link(app: App, cluster: Cluster) -> str:
    """The path that lets a browser past the page.

    Raises:
        Refused: there is no page.
    """
    kept = decoded(await cluster.get("Secret", app.namespace, pause.name(app.name)))
    if pause.TOKEN not in kept:
        raise Refused("no page is in front of the app", hint="nuages maintenance on")
    return LINK + kept[pause.TOKEN].decode()


def ways(serving: Stored, newest: Stored) -> list[Object]:
    """The Services by which requests come in, as they lead while no page is in front.

    With a release in the middle, also those that it has brought: of a set beside what serves, to which theirs may be
    switched; and of its webs, once these are there.
    """
    found = {item["metadata"]["name"]: item for item in _in_front(serving)}
    if not newest.open:
        return list(found.values())
    beside = {item["metadata"]["name"]: item for item in newest.manifest.canary if pause.in_front(item)}
    own = {item["metadata"]["name"]: item for item in _in_front(newest)}
    web, trial = newest.record.phase("web"), newest.record.trial
    if web and web.ended:
        return list((found | beside | own).values())
    if trial and trial.way == SERVICE and trial.since and trial.ending != ABORTED:
        suffix = SUFFIX[trial.kind]
        keys = frozenset(item["spec"]["selector"][KEY].removesuffix(f".{suffix}") for item in beside.values())
        found = {name: switched(item, suffix, keys) for name, item in found.items()}
    return list((own | found | beside).values())


async def on(app: App, html: str | None, cluster: Cluster, sink: Sink) -> None:
    """Put the page in front; where it is there already, it may become another one.

    Raises:
        Refused: nothing serves.
        CommandFailed: the page does not start; then nothing leads there.
    """
    async with _held(app, "maintenance on", cluster, sink) as (world, serving, newest):
        services = _there(ways(serving, newest), world)
        token = decoded(await cluster.get("Secret", app.namespace, pause.name(app.name))).get(pause.TOKEN)
        secret = token.decode() if token else secrets.token_urlsafe(24)
        walls = any(item["kind"] == "NetworkPolicy" for item in serving.manifest.foundation)
        made = pause.objects(app, serving.record.build, services, secret, html, walls=walls)
        said = {"since": world.now().isoformat(), "by": user()}
        if html is not None:  # pods that have another page already read it anew
            made[-1]["spec"]["template"]["metadata"]["annotations"] = {pause.ON: said["since"]}
        with step(sink, "page") as shown:
            for item in made:
                await world.lock.check()
                world.mirror.saw(await cluster.apply(item))
            await followed(made[-1:], world, shown, hint="nuages maintenance off takes it away")
        with step(sink, "requests") as shown:
            page = {**made[-1], "metadata": {**made[-1]["metadata"], "annotations": {pause.ON: _json(said)}}}
            world.mirror.saw(await cluster.apply(page))
            await _lead([pause.led(item) for item in services], world)
            await _arrived(services, world, page=True)
            shown.note = "go to the page"


async def off(app: App, cluster: Cluster, sink: Sink) -> bool:
    """Take the page away; answers whether there was one.

    Raises:
        Refused: behind it a release with a page of its own has ended all that answers.
        CommandFailed: what is behind it can't start; the page stays.
    """
    async with _held(app, "maintenance off", cluster, sink) as (world, serving, newest):
        if emptied(newest.record):
            number = newest.record.number
            said = f"release {number}, which has a page of its own, has ended the webs and not brought its own"
            raise Refused(said, hint="nuages deploy goes on, nuages abort or rollback brings the old ones back")
        live = world.mirror.get("Deployment", pause.name(app.name))
        services = _there(ways(serving, newest), world)
        if live is None:
            return False
        with step(sink, "what is behind it") as shown:
            wanted = [part for part in parts(app) if part.component in SERVING & set(pause.IN_FRONT)]
            await followed(workloads(world, wanted), world, shown, hint="the page stays until it starts")
        with step(sink, "requests") as shown:
            await world.lock.check()
            about = live["metadata"]
            told = {"metadata": {"annotations": {pause.ON: None}}}
            world.mirror.saw(await cluster.patch_merge("Deployment", app.namespace, about["name"], told))
            await _lead(services, world)
            await _arrived(services, world, page=False)
            shown.note = "go to the app"
        made = pause.objects(app, serving.record.build, services, "", "", walls=True)
        # Those of a set that was beside when the page came, and is no more, go too; last what says that one is there.
        names = {(item["kind"], item["metadata"]["name"]) for item in made}
        names |= {("Service", name) for name in behind(world.mirror.items("Service"), services)}
        for kind, name in sorted(names, key=lambda each: (each[0] == "Deployment", each)):
            await world.lock.check()
            await cluster.delete(kind, app.namespace, name)
        return True


def behind(there: Iterable[Object], services: Iterable[Object]) -> set[str]:
    """The Services for those whom the page lets past, by their names; a web may be called `behind` itself."""
    own = {item["metadata"]["name"] for item in services}
    found = {item["metadata"]["name"] for item in there if pause.in_front(item)}
    return {name for name in found - own if name.endswith(pause.BEHIND)}


def emptied(newest: Record) -> bool:
    """Whether a release by `--maintenance` was left, or failed, when nothing answered behind its page."""
    web = newest.phase("web")
    return newest.outcome is not Outcome.LIVE and newest.phase("maintenance") is not None and not (web and web.ended)


async def _lead(services: list[Object], world: World) -> None:
    for service in services:
        await world.lock.check()
        world.mirror.saw(await world.cluster.apply(service, force=True))


async def _arrived(services: list[Object], world: World, *, page: bool) -> None:
    """Wait until the page, or the app, answers by each Service: endpoints follow selectors, and nodes endpoints.

    The API server, where it may be asked, tells of the first; of the second nobody does.
    """
    with contextlib.suppress(Forbidden, TimeoutError):
        async with asyncio.timeout(ARRIVES):
            for about in (service["metadata"] for service in services):
                paused = not page
                while paused is not page:
                    _, answer = await world.cluster.service_get(about["namespace"], about["name"], "http", "/-/ready")
                    paused = b'"maintenance"' in answer
                    await asyncio.sleep(0.1)
    await asyncio.sleep(NODES)


def _there(services: list[Object], world: World) -> list[Object]:
    """Those that are there: a release in the middle may not have come so far, or be past them."""
    return [item for item in services if world.mirror.get("Service", item["metadata"]["name"])]


def _in_front(release: Stored) -> list[Object]:
    manifest = release.manifest
    return [item for item in [*manifest.web, *manifest.frontends, *manifest.exposure] if pause.in_front(item)]


@contextlib.asynccontextmanager
async def _held(app: App, command: str, cluster: Cluster, sink: Sink) -> AsyncIterator[tuple[World, Stored, Stored]]:
    """Also amid a release that waits or was left: that may be why."""
    async with held(app, cluster, sink, Wish(command=command)) as (world, history):
        found = standing(app, world, history)
        async with audit.noted(app, tuple(command.split()), cluster, release=found.serving.record.number):
            yield *found, history[0]


def _json(said: dict[str, str]) -> str:
    return msgspec.json.encode(said).decode()
