"""Another key to sign with (Django's SECRET_KEY), while every session goes on.

1. The pods are told the new key as one that is believed; all still sign with the old one.
2. The new key signs, and the old one is believed (SECRET_KEY_FALLBACKS): who comes back gets a session of the new key.
3. Later, when all who matter have come back, `finish` lets the old key be forgotten.

Only so no pod of a rollout meets what it takes for forged: a session of a key that it does not know is thrown away.
Each step is a release of what serves, with another copy of its secrets; what was set since for the next deploy stays
for that. Whatever goes back later takes the keys of today along.

https://docs.djangoproject.com/en/stable/ref/settings/#secret-key-fallbacks
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import CommandFailed, Forbidden, Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.progress import Sink, silent, step
from nuages.release import records, redact, run, values
from nuages.release.begin import asked, begin, held, number_after
from nuages.release.engine import drive
from nuages.release.environments import sleeping
from nuages.release.leftover import references
from nuages.release.locks.holder import user
from nuages.release.locks.lock import Wish
from nuages.release.record import Record, Stored
from nuages.release.secrets import CHANGES, FALLBACKS, Change, changes, copy_with, decoded, encoded, generate
from nuages.release.session import Pipe
from nuages.release.world import World, utc
from nuages.render.labels import COMPONENT, WEB
from nuages.render.release import Manifest
from nuages.render.run import Run
from nuages.rollout.kinds import View
from nuages.rollout.pods import moment

KEYS = "nuages.dev/keys"
"""The annotation of the source Secret that says of each variable that was rotated how far that is, as JSON."""

COMMAND = "secrets rotate"
"""With which the command of its releases begins."""

ANNOUNCED, SIGNS, FORGOTTEN = "announced", "signs", "forgotten"

NOT_LIVE = "release.E425"
UNBELIEVED = "release.E426"
UNSPEAKABLE = "release.E427"
NOTHING = "release.E428"

LATE = timedelta(seconds=60)
"""How long after its time to end a pod is still waited for."""

PROBE = "nuages-asks-whether-this-key-is-believed"
_ASKS = """\
import os, sys
from django.conf import settings
own = settings.SECRET_KEY == os.environ.get(sys.argv[1])
sys.exit(0 if own and sys.argv[2] in settings.SECRET_KEY_FALLBACKS else 4 if own else 5)
"""


class Brought(NamedTuple):
    """What serves with the keys as they are now."""

    record: Record
    rolled: list[str]
    """Whose pods were replaced for them."""


async def rotate(app: App, variable: str, cluster: Cluster, sink: Sink) -> Brought:
    """Let a new key sign; returns the release that does. Stopped anywhere, the same call goes on.

    Raises:
        UsageError: it is no secret of the app, or somebody else keeps it.
        Refused: nothing serves, or the project would not believe the old key: every session would be lost.
        ReleaseFailed: pods don't start; both keys are believed by those that serve.
    """
    values.settable(app, variable)
    async with _serving(app, f"{COMMAND} {variable}", cluster, sink) as (world, serving, wish):
        state = (await _state(app, cluster)).get(variable)
        signs = wish._replace(message=f"the new {variable} signs")
        if state == SIGNS and await _behind(app, variable, serving, cluster):
            return await _brought(app, variable, serving, signs, world)
        if state != ANNOUNCED:
            await _fit(app, variable, serving, cluster)
            with step(sink, "ask the project") as shown:
                await _believes(app, variable, cluster, shown.say)
                shown.note = "it believes keys from before"
            await _announce(app, variable, cluster)
        learns = wish._replace(message=f"pods learn the new {variable}")
        told = await _brought(app, variable, serving, learns, world)
        await _all_told(app, variable, told.record, world)
        await _sign(app, variable, cluster)
        return await _brought(app, variable, None, signs, world)


async def finish(app: App, variable: str, cluster: Cluster, sink: Sink) -> Brought:
    """Forget the keys from before: a session that only they signed is over.

    Raises:
        Refused: there are none, or the new one does not sign everywhere yet.
    """
    values.settable(app, variable)
    async with _serving(app, f"{COMMAND} {variable} --finish", cluster, sink) as (world, serving, wish):
        held = decoded(await cluster.get("Secret", app.namespace, app.secret))
        state = (await _state(app, cluster)).get(variable)
        if state == SIGNS and FALLBACKS in held and not await _behind(app, variable, serving, cluster):
            await _patched(app, variable, FORGOTTEN, {FALLBACKS: None}, cluster)
        elif state != FORGOTTEN or not await _behind(app, variable, serving, cluster):
            what = "the new key does not sign everywhere yet" if state in (ANNOUNCED, SIGNS) else "no key is left over"
            raise _refused(NOTHING, variable, what, f"nuages secrets rotate {variable} comes first")
        forgets = wish._replace(message=f"the {variable} from before is forgotten")
        return await _brought(app, variable, serving, forgets, world)


async def carried(app: App, wanted: Stored, cluster: Cluster) -> Stored:
    """A release that goes back, with the keys of today: those that were replaced may be known to others by now."""
    if wanted.record.secrets is None:
        return wanted
    with contextlib.suppress(Forbidden):
        if state := await _state(app, cluster):
            copied = await copy_with(app, wanted.record.secrets, list(state), cluster)
            return _reading(wanted, copied)
    return wanted


@contextlib.asynccontextmanager
async def _serving(app: App, command: str, cluster: Cluster, sink: Sink) -> AsyncIterator[tuple[World, Stored, Wish]]:
    wish = Wish(command=command)
    async with held(app, cluster, sink, wish) as (world, history):
        await sleeping.rouse(app, cluster, sink)
        serving = records.live(history)
        if serving is None or serving.record.secrets is None:
            raise _refused(NOT_LIVE, "", f"no release of {app.name} with secrets is live", "nuages deploy")
        if history[0].open and not history[0].record.command.startswith(COMMAND):
            raise Refused(f"release {history[0].record.number} is in the middle", hint="end it first")
        yield world, serving, wish


async def _behind(app: App, variable: str, serving: Stored, cluster: Cluster) -> bool:
    """Whether what serves has other keys than the Secret has by now."""
    return await copy_with(app, serving.record.secrets or "", [variable], cluster) != serving.record.secrets


async def _fit(app: App, variable: str, serving: Stored, cluster: Cluster) -> None:
    """Make sure that the old key can be told, and that it is nuages that tells it.

    Raises:
        Refused: it can't.
    """
    copied = decoded(await cluster.get("Secret", app.namespace, serving.record.secrets or "")).get(variable)
    if copied is None:
        said = f"release {serving.record.number} has no {variable}"
        raise _refused(NOT_LIVE, variable, said, "nuages deploy, and then rotate")
    if app.declares(FALLBACKS):
        hint = f"set {FALLBACKS} to the old key, deploy, then set {variable}, and deploy again"
        raise _refused(UNBELIEVED, variable, f"nuages.yaml says {FALLBACKS} itself", hint)
    key = copied.decode()
    if "," in key or key != key.strip():
        said = f"{FALLBACKS} is a list with commas, and the key has one"
        hint = f"nuages secrets set {variable} takes another one; whoever is logged in has to do so anew"
        raise _refused(UNSPEAKABLE, variable, said, hint)


async def _believes(app: App, variable: str, cluster: Cluster, say: Callable[[str], None]) -> None:
    """Ask the project itself, in a pod of its own: whether the variable is its key, and others are believed beside it.

    Raises:
        Refused: not so.
    """
    wanted = run.of(
        app, ("python", "-c", _ASKS, variable, PROBE), ttl=120, typed=("nuages", *COMMAND.split(), variable)
    )

    def probed(app: App, serving: Stored, wanted: Run) -> Object:
        made = run.in_project(app, serving, wanted)
        made["spec"]["containers"][0]["env"].append({"name": FALLBACKS, "value": PROBE})
        return made

    say(wanted.name)
    heard = Pipe()
    ended = await run.run(app, wanted, cluster, heard, kind=probed, sink=silent)
    if ended.code == 0:
        return
    last = redact.text(heard.errors.rpartition("\n")[2])
    told = {
        4: (f"its settings do not take {FALLBACKS} from the environment, and everybody would be logged out",
            "django.overlay.secretKey: true in nuages.yaml, or read the variable in the settings"),
        5: (f"its SECRET_KEY is not the value of {variable}", "name the variable that the settings read"),
    }  # fmt: skip
    said, hint = told.get(ended.code, ("it could not be asked", ended.note or last or "nuages manage check says more"))
    raise Refused(
        "nothing was rotated",
        findings=[Finding(UNBELIEVED, Level.ERROR, said, Place(path=f"secrets.{variable}"), hint)],
    )


async def _all_told(app: App, variable: str, told: Record, world: World) -> None:
    """Wait until no web is left that was not told the new key, one that ends included: it would take what the new key
    has signed for forged.

    Raises:
        CommandFailed: one does not end in the time that it has.
    """
    began = world.now()
    with step(world.sink, "pods from before") as shown:
        while left := untold(app, told.secrets or "", world.mirror):
            seen, late = world.mirror.version, [pod for pod in left if world.now() > (_over(pod) or began) + LATE]
            if late:
                names = ", ".join(pod["metadata"]["name"] for pod in late)
                hint = f"all sign with the old key still; once it is gone, nuages secrets rotate {variable} goes on"
                raise CommandFailed(f"{names} should have ended, and does not know the new {variable} yet", hint=hint)
            shown.say(f"{', '.join(pod['metadata']['name'] for pod in left[:3])} to end")
            await world.mirror.changed(5.0, since=seen)
        shown.note = "all have ended"


def untold(app: App, copied: str, view: View) -> list[Object]:
    """The pods of webs that have another copy of the secrets, and have not ended."""
    found = []
    for pod in view.items("Pod"):
        web, phase = pod["metadata"]["labels"].get(COMPONENT) == WEB, pod.get("status", {}).get("phase")
        copies = {name for kind, name in references(pod["spec"]) if kind == "Secret"} - {copied}
        if web and phase not in ("Succeeded", "Failed") and any(name.startswith(f"{app.secret}-") for name in copies):
            found.append(pod)
    return found


def _over(pod: Object) -> datetime | None:
    """When its time to end is over; None where it was not told to: after a rollout each soon is."""
    over = pod["metadata"].get("deletionTimestamp")
    return moment(over) if over else None


async def _announce(app: App, variable: str, cluster: Cluster) -> None:
    """A new key, believed and not used yet, before those that are believed already."""
    held = decoded(await cluster.get("Secret", app.namespace, app.secret))
    known = [generate(), *filter(None, held.get(FALLBACKS, b"").split(b","))]
    await _patched(app, variable, ANNOUNCED, {FALLBACKS: b",".join(known)}, cluster)


async def _sign(app: App, variable: str, cluster: Cluster) -> None:
    """The key that was announced signs; the one that did is believed in its place."""
    held = decoded(await cluster.get("Secret", app.namespace, app.secret))
    new, *others = held[FALLBACKS].split(b",")
    believed = b",".join([held[variable], *others])
    await _patched(app, variable, SIGNS, {variable: new, FALLBACKS: believed}, cluster)


async def _patched(
    app: App, variable: str, state: str, data: dict[str, bytes] | dict[str, None] | dict[str, Any], cluster: Cluster
) -> None:
    """Write values and how far it is at once, to what was read just before."""
    live = await cluster.get("Secret", app.namespace, app.secret)
    if live is None:
        raise _refused(NOT_LIVE, variable, f"there is no Secret {app.secret}", "nuages deploy")
    told = changes(live) | dict.fromkeys(data, Change(at=utc(), by=user()))
    known = {name: told[name] for name in told if data.get(name, b"") is not None}
    states = await _state(app, cluster) | {variable: state}
    annotations = {CHANGES: msgspec.json.encode(known).decode(), KEYS: msgspec.json.encode(states).decode()}
    about = {"resourceVersion": live["metadata"]["resourceVersion"], "annotations": annotations}
    written = {name: None if value is None else encoded(value) for name, value in data.items()}
    await cluster.patch_merge("Secret", app.namespace, app.secret, {"metadata": about, "data": written})


async def _state(app: App, cluster: Cluster) -> dict[str, str]:
    live = await cluster.get("Secret", app.namespace, app.secret)
    text = ((live or {}).get("metadata", {}).get("annotations") or {}).get(KEYS, "{}")
    return msgspec.json.decode(text, type=dict[str, str])


async def _brought(app: App, variable: str, serving: Stored | None, wish: Wish, world: World) -> Brought:
    """What serves, with the keys as they are now; nothing where it has them."""
    history = await records.history(world.cluster, app.namespace, app.name, app.environment)
    serving = serving or records.live(history)
    assert serving is not None and serving.record.secrets is not None  # noqa: S101 - asked for above
    copied = await copy_with(app, serving.record.secrets, [variable], world.cluster)
    if copied == serving.record.secrets:
        return Brought(serving.record, [])
    world = dataclasses.replace(world, serving=serving.record.number)
    record = Record(
        number=number_after(history),
        template=serving.record.template,
        app=app.name,
        environment=app.environment,
        namespace=app.namespace,
        by=user(),
        build=serving.record.build,
        statics=serving.record.statics,
        left_out=serving.record.left_out,
        secrets=serving.record.secrets,
        started=utc(),
        database=history[0].record.database,
        left=history[0].record.left,
    )
    manifest = msgspec.structs.replace(
        serving.manifest, maintenance=[], canary=[], settle=[], contract=[], undo=[], hooks={}
    )
    wanted = _reading(Stored(record=record, manifest=manifest, schema=serving.schema), copied)
    record = await drive(await begin(asked(wanted, wish), history, world), world)
    return Brought(record, [f"{item['kind']}/{item['metadata']['name']}" for item in readers(wanted.manifest, copied)])


def readers(manifest: Manifest, copied: str) -> list[Object]:
    """Whose pods read a copy of the secrets, and are made anew for another one."""
    kinds = ("Deployment", "StatefulSet")
    found = [item for item in manifest.objects if item["kind"] in kinds]
    return [item for item in found if ("Secret", copied) in references(item["spec"]["template"]["spec"])]


def _reading(wanted: Stored, copied: str) -> Stored:
    """A release whose pods read another copy of the secrets."""
    before = wanted.record.secrets
    made = msgspec.convert(_renamed(msgspec.to_builtins(wanted.manifest), before, copied), Manifest)
    record = msgspec.structs.replace(wanted.record, secrets=copied)
    return msgspec.structs.replace(wanted, record=record, manifest=made)


def _renamed(part: Any, before: str | None, after: str) -> Any:
    if isinstance(part, dict):
        return {key: _renamed(value, before, after) for key, value in part.items()}
    if isinstance(part, list):
        return [_renamed(value, before, after) for value in part]
    return after if part == before else part


def _refused(id: str, variable: str, said: str, hint: str) -> Refused:  # noqa: A002
    place = Place(path=f"secrets.{variable}") if variable else Place(path="secrets")
    return Refused("nothing was rotated", findings=[Finding(id, Level.ERROR, said, place, hint)])
