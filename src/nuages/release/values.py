"""The values of secrets as people set them: in the app's source Secret, from where each release takes its copy.

A value comes in as bytes and goes to the cluster; nothing here returns, prints or compares one in the open. Who changed
what and when is an annotation of the Secret. Two who write at once are told apart by its resourceVersion: each change
is made to what was read, or read again.
"""

from __future__ import annotations

import difflib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Gone, NotOurs, UsageError
from nuages.kube.client import Cluster
from nuages.kube.failures import AlreadyExists
from nuages.release import ownership, records
from nuages.release.locks.holder import user
from nuages.release.secrets import CHANGES, FALLBACKS, SALT, Change, believed, changes, decoded, encoded, object_of
from nuages.release.world import utc

ATTEMPTS = 5
"""How often a change is tried that others came before."""

LONGEST = 128 * 1024 - 1
"""Bytes that NAME=value may have: more a Linux process cannot be given (execve(2), MAX_ARG_STRLEN, with its end)."""


class State(StrEnum):
    """How a secret stands."""

    SET = "set"
    NEXT = "with the next deploy"
    """Set, and not yet what the release that serves reads."""
    MISSING = "missing"
    GENERATED = "made by the first deploy"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One secret, without its value."""

    name: str
    source: str
    """`generated`, `set`, `Secret NAME, key KEY`, or `not declared`."""
    state: State
    changed: datetime | None = None
    by: str = ""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages secrets list --json` prints; it only grows under one `schema`."""

    schema: int = 1
    app: str
    environment: str
    namespace: str
    secrets: list[Entry]


async def listing(app: App, cluster: Cluster) -> Listing:
    """Every secret that the spec declares, and those that lie in the app's Secret though it does not."""
    source = await cluster.get("Secret", app.namespace, app.secret)
    serving = records.live(await records.history(cluster, app.namespace, app.name, app.environment))
    name = serving.record.secrets if serving else None
    copied = decoded(await cluster.get("Secret", app.namespace, name)) if name else {}
    entries = []
    for variable, declared in sorted(app.secrets.items()):
        if declared.secret:
            other = await cluster.get("Secret", app.namespace, declared.secret)
            key = declared.key or variable
            value, known = decoded(other).get(key), _touched(other, key)
            where = f"Secret {declared.secret}, key {key}"
        else:
            value, known = decoded(source).get(variable), changes(source).get(variable)
            where = "generated" if declared.generate and not (known and known.by) else "set"
        state = _state(value, copied.get(variable), generate=declared.generate)
        entries.append(_entry(variable, where, state, known if value is not None else None))
    undeclared = sorted(decoded(source).keys() - app.secrets.keys() - {SALT, *believed(app, decoded(source))})
    entries += [_entry(name, "not declared", State.SET, changes(source).get(name)) for name in undeclared]
    if believed(app, decoded(source)):
        entries.append(_entry(FALLBACKS, "keys from before", State.SET, changes(source).get(FALLBACKS)))
    return Listing(app=app.name, environment=app.environment, namespace=app.namespace, secrets=entries)


async def put(app: App, values: Mapping[str, bytes], cluster: Cluster) -> None:
    """Set values; the namespace and the Secret are made where they are missing, as a deploy does.

    Raises:
        UsageError: a name that is not declared or kept elsewhere, or what no environment can hold.
        NotOurs: the Secret belongs to another tool or app.
    """
    for name, value in values.items():
        settable(app, name)
        _check(name, value)
    await ownership.namespace(app, cluster)
    await _change(app, {**values}, cluster)


async def remove(app: App, names: Iterable[str], cluster: Cluster) -> list[str]:
    """Take values away; returns the names that had one. What serves keeps its copy until the next deploy."""
    there = decoded(await cluster.get("Secret", app.namespace, app.secret)).keys() - {SALT}
    found = [name for name in names if name in there]
    if found:
        await _change(app, dict.fromkeys(found), cluster)
    return found


def settable(app: App, name: str) -> None:
    """Make sure that a secret's value is ours to set.

    Raises:
        UsageError: it is not declared, or somebody else keeps it.
    """
    declared = app.secrets.get(name)
    if declared is None:
        close = difflib.get_close_matches(name, app.secrets, n=1)
        hint = f"did you mean {close[0]}?" if close else f"declare it in nuages.yaml first: secrets: {{{name}: {{}}}}"
        raise UsageError(f"{name} is no secret of {app.name}", hint=hint)
    if declared.secret:
        raise UsageError(
            f"{name} is key {declared.key or name} of Secret {declared.secret}, which somebody else keeps",
            place=f"secrets.{name}",
            hint=f"set it there, or declare {name}: {{}} to keep it with nuages",
        )


def importable(app: App, name: str) -> str:
    """Why a file's value is not taken over; empty where it is."""
    declared = app.secrets.get(name)
    if declared is None:
        return "not declared below secrets"
    if declared.secret:
        return f"kept in Secret {declared.secret}"
    return f"generated in the cluster; nuages secrets set {name} replaces it" if declared.generate else ""


def _check(name: str, value: bytes) -> None:
    if not value:
        raise UsageError(f"the value of {name} is empty", hint=f"nuages secrets unset {name} takes a value away")
    if b"\0" in value:
        raise UsageError(f"the value of {name} has a zero byte, which no environment variable can hold")
    if len(name) + 1 + len(value) > LONGEST:
        raise UsageError(f"the value of {name} has {len(value)} bytes; a variable holds at most {LONGEST}")
    try:
        value.decode()
    except UnicodeDecodeError:
        raise UsageError(f"the value of {name} is no UTF-8 text", hint="encode it, as base64 does") from None


async def _change(app: App, values: dict[str, bytes | None], cluster: Cluster) -> None:
    """Write values (None: away) and who did it, to what was read just before."""
    change = Change(at=utc(), by=user())
    for attempt in range(1, ATTEMPTS + 1):
        live = await cluster.get("Secret", app.namespace, app.secret)
        told = changes(live) | dict.fromkeys(values, change)
        known = {name: told[name] for name in told if values.get(name, b"") is not None}
        annotations = {CHANGES: msgspec.json.encode(known).decode()}
        try:
            if live is None:
                wanted = object_of(app, app.secret, {n: v for n, v in values.items() if v is not None}, keep=True)
                wanted["metadata"]["annotations"] |= annotations
                await cluster.create(wanted)
                return
            _ours(app, live)
            version = {"resourceVersion": live["metadata"]["resourceVersion"], "annotations": annotations}
            data = {name: None if value is None else encoded(value) for name, value in values.items()}
            await cluster.patch_merge("Secret", app.namespace, app.secret, {"metadata": version, "data": data})
        except (AlreadyExists, Gone):
            if attempt == ATTEMPTS:
                raise
        else:
            return


def _ours(app: App, live: Object) -> None:
    """A Secret that a person made by hand under this name is taken as it is; what another tool keeps is not."""
    finding = ownership.verdict(app.instance, live)
    if finding and finding.id != ownership.BY_HAND:
        raise NotOurs(f"Secret {app.secret} belongs to somebody else; nothing was touched", findings=[finding])


def _state(value: bytes | None, copied: bytes | None, *, generate: bool) -> State:
    if value is None:
        return State.GENERATED if generate else State.MISSING
    return State.SET if copied is not None and hmac.compare_digest(value, copied) else State.NEXT


def _entry(name: str, source: str, state: State, known: Change | None) -> Entry:
    return Entry(
        name=name, source=source, state=state, changed=known.at if known else None, by=known.by if known else ""
    )


def _touched(live: Object | None, key: str) -> Change | None:
    """When whoever keeps another Secret last wrote, of those who own this key."""
    managers = ((live or {}).get("metadata") or {}).get("managedFields") or []
    times = [
        (one["time"], one.get("manager", ""))
        for one in managers
        if "time" in one and f"f:{key}" in (one.get("fieldsV1", {}).get("f:data") or {})
    ]
    if not times:
        return None
    at, by = max(times)
    return Change(at=datetime.fromisoformat(at), by=by)
