"""A plan kept in a file, and whether it still holds: `nuages deploy --plan FILE` does what was planned, or nothing.

What is kept of the world is what the plan looked at: which objects (uid), their declared fields as they were (a hash of
each, no value), the release that served, and what was pending in the databases.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Refused, UsageError
from nuages.findings import Finding, Level, Place
from nuages.host.files import replace
from nuages.kube.client import Cluster
from nuages.release import asking, deploy, records, redact
from nuages.release.manner import PLAIN, Manner
from nuages.release.plan import database, values
from nuages.release.plan.drift import by_hand
from nuages.release.plan.fields import fields, written
from nuages.release.plan.make import Made
from nuages.release.plan.objects import AT_ONCE, stateful
from nuages.release.plan.shape import Migrations, Plan
from nuages.release.record import Stored

SCHEMA = 1
MOVED = "release.E368"

_NEVER = "~"  # stands for the secrets' copy where its name was not known yet


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """One object as the plan saw it."""

    kind: str
    name: str
    uid: str | None = None
    """None where it was not there."""
    version: str = ""
    """Its resourceVersion: as long as that is the same, nothing of it is another."""
    fields: dict[str, str] = {}
    """Per declared field, and per field set by hand, a hash of its value."""


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of `--save` holds."""

    schema: int = SCHEMA
    plan: Plan
    """As `--json` prints it."""
    build: Build
    """The image, which is deployed as it is: nothing is built again."""
    cluster: str
    """The cluster's identity."""
    manner: Manner = PLAIN
    secrets: str | None
    rendered: dict[str, str]
    """Per object, `Deployment/blog-web-main`, a hash of what would be applied."""
    looked: tuple[Looked, ...]


def freeze(made: Made, cluster: Cluster) -> Saved:
    """What is to be kept of a plan."""
    wanted = made.wanted
    lives = [(one.change.kind, one.change.name, one.live) for one in made.found]
    rendered = {(item["kind"], item["metadata"]["name"]): item for item in wanted.manifest.objects}
    return Saved(
        plan=made.plan,
        build=wanted.record.build,
        cluster=cluster.identity,
        manner=made.manner,
        secrets=wanted.record.secrets,
        rendered=_rendered(wanted),
        looked=tuple(_looked(kind, name, live, rendered[kind, name]) for kind, name, live in lives),
    )


def write(saved: Saved, path: Path) -> None:
    """Keep it, for the eyes of who made it alone: names of secrets are in it, and the shape of everything.

    Raises:
        UsageError: the file can't be written.
    """
    try:
        replace(path, msgspec.json.format(msgspec.json.encode(saved)).decode() + "\n", mode=0o600)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}", hint="--save another file") from error


def read(path: Path) -> Saved:
    """Read a plan back.

    Raises:
        UsageError: there is none, or one of a newer nuages.
    """
    try:
        text = path.read_bytes()
        schema = msgspec.json.decode(text, type=_Shape).schema
    except FileNotFoundError:
        raise UsageError(f"there is no {path}", hint=f"nuages plan --save {path}") from None
    except (msgspec.DecodeError, OSError) as error:
        raise UsageError(f"{path} is no plan: {error}", hint=f"nuages plan --save {path}") from error
    if schema > SCHEMA:
        raise UsageError(f"{path} was written by a newer nuages (shape {schema})", hint="upgrade nuages, or plan again")
    try:
        return msgspec.json.decode(text, type=Saved)
    except msgspec.DecodeError as error:
        raise UsageError(f"{path} is no plan: {error}", hint=f"nuages plan --save {path}") from error


def meant(saved: Saved, app: App, cluster: Cluster) -> None:
    """Make sure that a plan is of this app, environment and cluster, before anything is asked.

    Raises:
        Refused: it is of another one.
    """
    for what, then, now in (
        ("app", saved.plan.app, app.name),
        ("environment", saved.plan.environment, app.environment),
        ("namespace", saved.plan.namespace, app.namespace),
    ):
        if then != now:
            raise Refused(f"the plan is of {what} {then}, not of {now}", hint="name the right plan, or plan again")
    if saved.cluster != cluster.identity:
        raise Refused(
            f"the plan was made for another cluster ({saved.plan.cluster})", hint="name the right one with --context"
        )


async def check(saved: Saved, app: App, cluster: Cluster, history: list[Stored]) -> None:
    """Make sure that the plan still holds: called with the lock held, before anything is written.

    Args:
        saved: the plan.
        app: as nuages.yaml has it now.
        cluster: where.
        history: all releases, the newest first.

    Raises:
        Refused: the world has moved; each thing that did is named.
    """
    secret = await values.foreseen(app, records.live(history), cluster, there=True)
    wanted = deploy.plan(app, saved.build, secret.copy, history, saved.manner)
    moved = list(_releases(saved, wanted, history))  # which explains all the rest
    if not moved:
        moved = [*_specs(saved, wanted), *await _objects(saved, wanted, cluster)]
    if not moved:
        moved = await _migrations(saved, app, wanted, secret, cluster)
    if moved:
        raise Refused("the plan does not hold any more; nothing was touched", findings=moved, hint="nuages plan again")


def _releases(saved: Saved, wanted: Stored, history: list[Stored]) -> Iterator[Finding]:
    if wanted.record.number != saved.plan.release:
        newest = history[0].record if history else wanted.record
        yield _moved("releases", f"release {newest.number} of {newest.by} came since")


def _specs(saved: Saved, wanted: Stored) -> Iterator[Finding]:
    """What would be applied is what was planned, byte for byte."""
    now = _rendered(wanted)
    if _known(saved.secrets) and wanted.record.secrets != saved.secrets:
        yield _moved("secrets", "values were set since")
        return  # every pod reads them: that explains the rest
    differ = [name for name in sorted(now.keys() | saved.rendered.keys()) if now.get(name) != saved.rendered.get(name)]
    # Jobs are made of what the rest is: they say nothing more, unless they are all that differs.
    for name in [name for name in differ if not name.startswith("Job/")] or differ:
        if name not in saved.rendered:
            yield _moved(name, "nuages.yaml has it, and had it not")
        elif name not in now:
            yield _moved(name, "nuages.yaml had it, and has it no more")
        else:
            yield _moved(name, "nuages.yaml, or this nuages, makes another one of it")


async def _objects(saved: Saved, wanted: Stored, cluster: Cluster) -> list[Finding]:
    """What is there is what was there."""
    rendered = {(item["kind"], item["metadata"]["name"]): item for item in stateful(wanted.manifest.objects)}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(then: Looked) -> list[Finding]:
        async with gate:
            live = await cluster.get(then.kind, wanted.record.namespace, then.name)
        return list(differences(then, live, rendered.get((then.kind, then.name), {})))

    return [finding for found in await asyncio.gather(*(one(then) for then in saved.looked)) for finding in found]


def differences(then: Looked, live: Object | None, rendered: Object) -> Iterator[Finding]:
    """What became of one object since; `rendered` says which of its fields count. Pure."""
    name = f"{then.kind}/{then.name}"
    if live is None:
        if then.uid is not None:
            yield _moved(name, "was removed")
        return
    if then.uid != live["metadata"]["uid"]:
        yield _moved(name, "was made since" if then.uid is None else "is another one of that name")
    elif then.version != live["metadata"]["resourceVersion"]:
        now = _looked(then.kind, then.name, live, rendered).fields
        differ = sorted(path for path in now.keys() | then.fields.keys() if now.get(path) != then.fields.get(path))
        if differ:
            more = f" and {len(differ) - 3} more" if len(differ) > 3 else ""
            yield _moved(name, f"{', '.join(differ[:3])}{more} was changed")


async def _migrations(
    saved: Saved, app: App, wanted: Stored, secret: values.Foreseen, cluster: Cluster
) -> list[Finding]:
    """What is pending is what was pending: asked again, for others may migrate a database as well."""
    if not saved.plan.migrations.known or not saved.plan.migrations.databases or not wanted.manifest.expand:
        return []
    job = asking.standalone(wanted.manifest.expand[0], values.plain(wanted.manifest.foundation), secret.keys)
    told = await database.ask(app, job, cluster, lambda _: None, redact.text)
    if not told.migrations.known:
        return [_moved("migrations", f"not known any more: {told.migrations.why_not}")]
    then, now = _pending(saved.plan.migrations), _pending(told.migrations)
    return [
        _moved("migrations", f"{name} {'is pending now' if name in now else 'was applied since'}")
        for name in sorted(then ^ now)
    ]


def _pending(told: Migrations) -> set[str]:
    return {f"{one.database}: {each.name}" for one in told.databases for each in one.migrations}


def _looked(kind: str, name: str, live: Object | None, rendered: Object) -> Looked:
    if live is None:
        return Looked(kind=kind, name=name)
    now = fields(live)
    counts = {*fields(rendered), *by_hand(live)} & now.keys()
    about = live["metadata"]
    hashes = {written(path): _hash(now[path])[:8] for path in sorted(counts)}
    return Looked(kind=kind, name=name, uid=about["uid"], version=about["resourceVersion"], fields=hashes)


def _rendered(wanted: Stored) -> dict[str, str]:
    """A hash of each object that would be applied; what carries the release's number is in it too."""
    copy = wanted.record.secrets or _NEVER
    return {f"{item['kind']}/{item['metadata']['name']}": _hash(item, without=copy) for item in wanted.manifest.objects}


def _hash(value: object, without: str = _NEVER) -> str:
    text = msgspec.json.encode(value, order="sorted")
    return hashlib.sha256(text.replace(without.encode(), b"")).hexdigest()[:16]


def _known(copy: str | None) -> bool:
    return copy is not None and not copy.endswith(values.TO_COME)


def _moved(path: str, said: str) -> Finding:
    return Finding(MOVED, Level.ERROR, said, Place(path=path))


class _Shape(msgspec.Struct):
    schema: int
