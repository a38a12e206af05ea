"""develop(): from a live release to a session in a pod beside it, until the person leaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from nuages.app.components import PRODUCTION, App, Web
from nuages.app.objects import Object
from nuages.errors import Refused, UsageError
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.progress import Sink
from nuages.project.facts import Facts
from nuages.release import audit, records
from nuages.release.dev import debugger, frontends, pods, session
from nuages.release.dev.session import Session
from nuages.release.dev.tree import Project
from nuages.release.locks.holder import user
from nuages.release.record import Stored
from nuages.release.ways import way
from nuages.render.dev import DEBUGGER, PORT, Development, development

TRIES = 20
"""Ports that are looked at, from the first on, for one that is free."""


class Wish(NamedTuple):
    """What the person wants."""

    ttl: int
    port: int | None = None
    """The one that the browser is led to; None for 8000 or the next that is free."""
    memory: str | None = None
    image: str = ""
    """Another than the live one."""
    debugger: bool = False
    migrates: bool = False
    takes: bool = False
    fronts: bool = True
    tells_debug: bool = True
    """Whether the settings are told that DEBUG is on."""


class Person(session.Here, Protocol):
    """The side of the person, with keys."""

    def keys(self) -> AsyncIterator[str | bytes]:
        """What they want: a word (`leave`, `build`, `restart`, `migrate`, `resized`), or keys for the debugger."""

    def at(self, address: str) -> None:
        """It is served there."""


def allowed(app: App) -> None:
    """Whether an environment is one to develop in.

    Raises:
        Refused: it is production, by its name or by `confirm: true`: whoever is shown a page with DEBUG sees what is
            secret, and code that nobody has reviewed would write to its database.
    """
    if app.confirm or PRODUCTION.search(app.environment):
        finding = Finding(
            "release.E450",
            Level.ERROR,
            f"{app.environment} is no environment to develop in",
            Place(path=f"environments.{app.environment}"),
            "nuages dev -e local, or another one that has data of its own",
        )
        raise Refused(finding.message, findings=[finding])


def web(app: App, key: str | None) -> Web:
    """The web that is developed: the one that is named, or the first.

    Raises:
        UsageError: there is none of that name.
    """
    found = app.web.get(key) if key else next(iter(app.web.values()), None)
    if found is None:
        names = ", ".join(app.web)
        raise UsageError(f"no web {key} in {app.name}", hint=f"there is: {names}" if names else "")
    return found


def variables(found: Facts) -> dict[str, str]:
    """By which of its variables the project's settings are told that DEBUG is on."""
    wanted = {"int": "1"}
    return {one.name: wanted.get(one.kind, "True") for one in found.variables if one.setting == "DEBUG"}


async def develop(
    app: App, served: Web, found: Facts, wish: Wish, *, cluster: Cluster, here: Person, sink: Sink
) -> str:
    """Until the person leaves; answers how: `leave`, or `build` where they want an image made first.

    Raises:
        Refused: nothing is live yet, or somebody is in this pod.
        CommandFailed: the pod cannot start.
    """
    serving = records.live(await records.history(cluster, app.namespace, app.name, app.environment))
    if serving is None:
        raise Refused(f"no release of {app.name} is live in {app.namespace}", hint="nuages deploy")
    wanted = Development(
        name=pods.name(app, user()),
        by=user(),
        ttl=wish.ttl,
        image=wish.image,
        memory=wish.memory,
        variables=variables(found) if wish.tells_debug else {},
    )
    build = serving.record.build
    pod = development(app, served, _template(serving, served), build, wanted)
    fronts = _fronts(app, found)
    one = Session(app, Project(found.root, tuple(fronts.values())), pod, cluster, here=here, who=user())
    one.migrates = wish.migrates
    one.watched = frozenset(found.dependencies.files if found.dependencies else ())
    if wish.debugger:
        one.tools, one.debugger = await asyncio.to_thread(debugger.files, build.python or "3.13", sink), DEBUGGER
    command = ("nuages", "dev", served.name)
    async with contextlib.AsyncExitStack() as stack:
        enter = stack.enter_async_context
        ports = [wish.port] if wish.port else range(PORT, PORT + TRIES)
        port = await enter(_way(ports, PORT, one, hint="--port names another one"))
        one.address = f"http://localhost:{port}"
        if wish.debugger:
            await enter(_way([DEBUGGER], DEBUGGER, one, hint="editors look there: end what has it, and try again"))
        await enter(audit.noted(app, command, cluster, release=serving.record.number, pod=one.pod))
        await enter(one.standing(sink, takes=wish.takes))
        await enter(frontends.served(fronts if wish.fronts else {}, one.address, here))
        return await _attended(one, here)


def _way(ports: Sequence[int], port: int, one: Session, *, hint: str) -> AbstractAsyncContextManager[int]:
    """The first of these ports that is free leads to one of the pod. That the pod is away, the session says already."""
    dig = partial(pods.tunnel, one.pod, port, one.app, one.cluster)
    return way(ports, dig, failed=lambda error: None, hint=hint, asked_first=True)


async def _attended(one: Session, here: Person) -> str:
    """The session, and what the person does meanwhile."""
    begun = asyncio.Event()

    async def watching() -> None:
        await begun.wait()
        here.at(one.address)
        await one.watch()

    pressed = asyncio.create_task(_pressed(one, here))
    tasks = {pressed, asyncio.create_task(one.hold(begun)), asyncio.create_task(watching())}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {pressed}:
            task.result()
        return pressed.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pressed(one: Session, here: Person) -> str:
    async for key in here.keys():
        match key:
            case "leave" | "build":
                return key
            case "restart":
                await one.restart()
            case "migrate":
                await one.migrate()
            case "resized":
                await one.resized()
            case bytes():
                await one.keys(key)
    return "leave"


def _template(serving: Stored, served: Web) -> Object:
    """The pod template of the web, as it is live.

    Raises:
        Refused: the release that serves does not have that web yet.
    """
    for made in serving.manifest.web:
        if made["kind"] == "Deployment" and made["metadata"]["name"] == served.name:
            template: Object = made["spec"]["template"]
            return template
    raise Refused(f"release {serving.record.number} has no web {served.key} yet", hint="nuages deploy")


def _fronts(app: App, found: Facts) -> Mapping[str, Path]:
    """The folders of the front ends that the app builds."""
    return {key: found.root / one.frontend.directory for key, one in app.frontends.items()}
