"""What exists nowhere else: generated and set secrets, the releases' records, and the rows of the database.

All else can be made again: images from the code, objects from `nuages.yaml`. A file of it is encrypted by age
(https://age-encryption.org/v1) before it is written, to people's own keys or by a passphrase.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import Sequence
from datetime import datetime

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import CommandFailed, Gone, NuagesError, Refused, UsageError
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.kube.failures import AlreadyExists
from nuages.progress import Sink, step
from nuages.release import ownership, run
from nuages.release.keeping import backups
from nuages.release.locks.holder import user
from nuages.release.record import Stored
from nuages.release.secrets import decoded, encoded
from nuages.release.session import Pipe
from nuages.release.world import utc
from nuages.render import rotation
from nuages.render.labels import owned
from nuages.render.postgres import USER, USER_KEY
from nuages.render.run import Run, psql

OTHER_APP, IN_THE_WAY, UNREADABLE = "release.E391", "release.E392", "release.E393"
KINDS = ("Secret", "ConfigMap")
RECORDS = frozenset({"release", "runs"})
"""The ConfigMaps that tell what was done (label nuages.dev/kind); all others are made again by a deploy."""
TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - a type: the cluster puts an account's token into it
KEPT = ("labels", "annotations", "name")
HOURS = 6


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a file, before it is encrypted."""

    schema: int = 1
    app: str
    environment: str
    made: datetime
    by: str
    objects: list[Object]
    database: bytes | None = None
    """pg_dump's custom format."""


async def export(app: App, cluster: Cluster, sink: Sink, *, database: bool) -> State:
    """Collect it; nothing is changed.

    Raises:
        Refused: there is nothing of this app.
        CommandFailed: the database could not be dumped.
    """
    with step(sink, "collect secrets and records") as shown:
        found = [item for kind in KINDS for item in (await cluster.list(kind, app.namespace, labels=owned(app))).items]
        objects = [_bare(item) for item in found if _kept(item)]
        if not objects:
            raise Refused(f"there is no {app.name} in namespace {app.namespace}", hint="see nuages status")
        secrets = sum(item["kind"] == "Secret" for item in objects)
        shown.note = f"{secrets} secrets, {len(objects) - secrets} records"
    dump = await _dumped(app, cluster, sink) if database and app.postgres else None
    return State(app=app.name, environment=app.environment, made=utc(), by=user(), objects=objects, database=dump)


async def restore(app: App, state: State, cluster: Cluster, sink: Sink) -> list[str]:
    """Make secrets and records anew, before the first deploy; answers what was made.

    Raises:
        Refused: it is another app's, or other values are there already; all of them are named, and nothing was touched.
    """
    _its_own(app, state)
    wanted = [_placed(app, item) for item in state.objects]
    lives = await asyncio.gather(
        *(cluster.get(item["kind"], app.namespace, item["metadata"]["name"]) for item in wanted)
    )
    differing = [
        Finding(
            IN_THE_WAY,
            Level.ERROR,
            f"{item['kind']} {item['metadata']['name']} is there already, with something else in it",
            Place(path=f"{item['kind']}/{item['metadata']['name']}"),
            "bring it into an empty namespace; or nuages destroy --data, where what is there may go",
        )
        for item, live in zip(wanted, lives, strict=True)
        if live and _content(live) != _content(item)
    ]
    if differing:
        raise Refused("nothing was touched", findings=differing)
    missing = [item for item, live in zip(wanted, lives, strict=True) if live is None]
    with step(sink, "bring secrets and records back") as shown:
        await ownership.namespace(app, cluster)
        for item in missing:
            with contextlib.suppress(AlreadyExists):
                await cluster.create(item)
        shown.note = f"{len(missing)} made, {len(wanted) - len(missing)} there already"
    return [f"{item['kind']}/{item['metadata']['name']}" for item in missing]


async def restore_database(app: App, state: State, cluster: Cluster, sink: Sink) -> backups.Switched:
    """Bring the rows back, after a deploy: into a new database, then switched; the one that was there is kept.

    Raises:
        Refused: it is another app's, or has no database in it.
        CommandFailed: it can't be restored; the database that serves was not touched.
    """
    _its_own(app, state)
    if state.database is None or app.postgres is None:
        raise Refused("there is no database in it", hint="export with --database, while nuages runs PostgreSQL")
    into = backups.beside(app, "imported")
    script = (
        'set -e; createdb --template=template0 "$1"; pg_restore --exit-on-error --no-owner --no-privileges -d "$1"'
        ' || { dropdb --force "$1"; exit 1; }; vacuumdb --quiet --analyze-only -d "$1"'
    )
    with step(sink, f"restore into {into}"):
        await _run(app, ("bash", "-c", script, "import", into), cluster, sink, given=state.database)
    return await backups.switch(app, into, cluster, sink)


def encrypted(state: State, recipients: Sequence[str], passphrase: str) -> str:
    """The file's text: readable by who has one of the keys, or knows the passphrase.

    Raises:
        UsageError: a recipient is no age key.
    """
    import pyrage  # noqa: PLC0415 - only here

    plain = gzip.compress(msgspec.msgpack.encode(state))
    if passphrase:
        made: bytes = pyrage.passphrase.encrypt(plain, passphrase, armored=True)
        return made.decode()
    try:
        keys = [_recipient(one) for one in recipients]
    except pyrage.RecipientError as error:
        raise UsageError(f"a recipient is no age key: {error}", hint="age1..., or ssh-ed25519 ...") from None
    made = pyrage.encrypt(plain, keys, armored=True)
    return made.decode()


def decrypted(text: str, identities: str, passphrase: str) -> State:
    """What is in a file.

    Args:
        text: the file's.
        identities: an age identity file's, one key a line; "" where a passphrase opens it.
        passphrase: "" where a key does.

    Raises:
        Refused: it can't be opened so, or is no such file.
    """
    import pyrage  # noqa: PLC0415 - only here

    try:
        if passphrase:
            plain: bytes = pyrage.passphrase.decrypt(text.encode(), passphrase)
        else:
            plain = pyrage.decrypt(text.encode(), _identities(identities))
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        finding = Finding(
            UNREADABLE, Level.ERROR, f"it can't be opened: {error}", Place(), "its key, or its passphrase"
        )
        raise Refused("nothing was touched", findings=[finding]) from None
    try:
        state = msgspec.msgpack.decode(gzip.decompress(plain), type=State)
    except (msgspec.DecodeError, gzip.BadGzipFile):
        finding = Finding(UNREADABLE, Level.ERROR, "it was not made by nuages state export", Place(), "another file")
        raise Refused("nothing was touched", findings=[finding]) from None
    if state.schema != 1:
        said = f"a newer nuages made it (schema {state.schema})"
        finding = Finding(UNREADABLE, Level.ERROR, said, Place(), "pip install -U nuages")
        raise Refused("nothing was touched", findings=[finding])
    # Whoever knows a public key can write a file that it opens: nothing but what an export has in it is ever made.
    if others := sorted({str(item.get("kind")) for item in state.objects if not _exported(item)}):
        said = f"it has what no export has: {', '.join(others)}"
        finding = Finding(UNREADABLE, Level.ERROR, said, Place(), "a file whose way to you is known")
        raise Refused("nothing was touched", findings=[finding])
    return state


def _recipient(text: str) -> object:
    import pyrage  # noqa: PLC0415

    kind = pyrage.ssh.Recipient if text.startswith("ssh-") else pyrage.x25519.Recipient
    return kind.from_str(text)


def _identities(text: str) -> list[object]:
    import pyrage  # noqa: PLC0415

    if text.lstrip().startswith("-----BEGIN"):
        return [pyrage.ssh.Identity.from_buffer(text.encode())]
    lines = [line.strip() for line in text.splitlines()]
    return [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]


def _kept(item: Object) -> bool:
    """Whether a deploy could not make it again."""
    if item["kind"] == "Secret":
        return True
    return item["metadata"].get("labels", {}).get("nuages.dev/kind") in RECORDS


def _exported(item: Object) -> bool:
    """Whether an object is one that an export may have in it: no other kind, and no token of an account."""
    plain = (item.get("apiVersion"), item.get("kind")) in {("v1", kind) for kind in KINDS}
    return plain and item.get("type") != TOKEN and _kept(item)


def _bare(item: Object) -> Object:
    """An object without what its cluster added."""
    about = {key: value for key, value in item["metadata"].items() if key in KEPT}
    fields = ("apiVersion", "kind", "type", "immutable", "data", "binaryData")
    return {**{key: item[key] for key in fields if key in item}, "metadata": about}


def _placed(app: App, item: Object) -> Object:
    """It in this app's namespace. A new PostgreSQL knows one role, `app`: the password becomes that one's."""
    plain = _bare(item)
    made = {**plain, "metadata": {**plain["metadata"], "namespace": app.namespace}}
    if app.postgres and item["kind"] == "Secret" and item["metadata"]["name"] == app.postgres.name:
        passing = {rotation.NEXT_USER, rotation.NEXT_PASSWORD, rotation.NEXT_VERIFIER, rotation.OLD_USER}
        data = {key: value for key, value in item["data"].items() if key not in passing}
        made["data"] = data | {USER_KEY: encoded(USER.encode())}
    return made


def _content(item: Object) -> object:
    return decoded(item) if item["kind"] == "Secret" else (item.get("data"), item.get("binaryData"))


def _its_own(app: App, state: State) -> None:
    if (state.app, state.environment) != (app.name, app.environment):
        said = f"it is of {state.app} in {state.environment}, not of {app.name} in {app.environment}"
        finding = Finding(OTHER_APP, Level.ERROR, said, Place(), f"-e {state.environment}, in that project")
        raise Refused("nothing was touched", findings=[finding])


async def _dumped(app: App, cluster: Cluster, sink: Sink) -> bytes:
    with step(sink, "dump the database") as shown:
        dump = await _run(app, ("pg_dump", "--no-password", "--format=custom"), cluster, sink)
        shown.note = f"{len(dump)} bytes"
    return dump


async def _run(app: App, command: tuple[str, ...], cluster: Cluster, sink: Sink, *, given: bytes = b"") -> bytes:
    """Run a program of PostgreSQL's in a pod of its own, as `nuages dbshell` does; answers what it wrote.

    Raises:
        CommandFailed: it did not end well; with its last words.
    """
    here = Pipe(given)
    wanted = run.of(app, command, ttl=HOURS * 3600, memory=None)
    try:
        ended = await run.run(app, wanted, cluster, here, kind=_programs, sink=lambda event: None)
    except Gone as error:
        raise CommandFailed(error.message, hint=error.hint) from error
    if ended.code:
        raise CommandFailed(f"{command[0]} ended with {ended.code}", detail=here.errors)
    return here.output


def _programs(app: App, serving: Stored, wanted: Run) -> Object:
    made = psql(app, wanted)
    if made is None:
        raise NuagesError("PostgreSQL is not run by nuages")
    return made
