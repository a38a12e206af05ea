"""The secrets of a release to come: which change, what their copy will be called, and what must not be shown."""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.app.stores import IN_URL, external, public, running, variable
from nuages.errors import Forbidden
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.release import secrets
from nuages.release.asking import Key
from nuages.release.record import Stored

TO_COME = "0" * 10
"""Stands for the hash in the copy's name while a value is still to be generated."""


class Foreseen(NamedTuple):
    """What there is to know of the secrets without writing any."""

    copy: str | None
    """What the copy that pods read will be called; None where the app declares no secret."""
    changed: tuple[str, ...]
    """Those whose value is another one than what pods read now."""
    findings: list[Finding]
    keys: dict[str, Key | None]
    """Per variable where its value lies; None where it is to be generated."""
    hidden: tuple[str, ...]
    """Every value that is known, in the forms in which it may be met."""


async def foreseen(app: App, serving: Stored | None, cluster: Cluster, *, there: bool) -> Foreseen:
    """Look at the secrets' values; `there`: whether the namespace is.

    Without the right to read them, they are taken for unchanged, and that is said.
    """
    keys = {
        name: Key(declared.secret or app.secret, declared.key or name) for name, declared in sorted(app.secrets.items())
    }
    now = serving.record.secrets if serving else None
    if not there:
        fresh = {name: None if app.secrets[name].generate else key for name, key in keys.items()}
        findings = [secrets.unset(app, name) for name, key in fresh.items() if key]
        findings += await _needed(app, cluster)
        return Foreseen(_named(app), (), findings, _in_urls(app, fresh), ())
    needed = await _needed(app, cluster)
    try:
        values, missing = await secrets.found(app, cluster)
        source = secrets.decoded(await cluster.get("Secret", app.namespace, app.secret))
        read = secrets.decoded(await cluster.get("Secret", app.namespace, now)) if now else {}
        stores = [
            secrets.decoded(await cluster.get("Secret", app.namespace, store.name)) for store in running(app).values()
        ]
    except Forbidden as no:
        said = "no right to read Secrets: they are taken for unchanged, and hidden by their names alone"
        finding = Finding("release.W364", Level.WARNING, said, Place(path="secrets"), no.hint)
        findings = [*([finding] if app.secrets else []), *needed]
        return Foreseen(now or _named(app), (), findings, _in_urls(app, {**keys}), ())
    findings = [finding for name, finding in missing.items() if not app.secrets[name].generate] + needed
    complete = not missing and secrets.SALT in source
    copy = secrets.copy_name(app, source[secrets.SALT], values) if complete and app.secrets else _named(app)
    changed = tuple(name for name in sorted(app.secrets) if _differs(values.get(name), read.get(name))) if now else ()
    hidden = forms(value for one in (values, source, read, *stores) for key, value in one.items() if not public(key))
    lie = {name: None if name in missing else key for name, key in keys.items()}
    return Foreseen(copy, changed, findings, _in_urls(app, lie), hidden)


def _in_urls(app: App, keys: dict[str, Key | None]) -> dict[str, Key | None]:
    """With what opens other people's services as a URL writes it, which only a release's copy holds: for a question
    the value itself has to do.
    """
    names = [variable(store.service, what) for store in external(app) for what in store.keys]
    return keys | {f"{name}{IN_URL}": keys[name] for name in names if name in keys}


def plain(objects: Iterable[Object]) -> dict[str, str]:
    """The variables that the rendered ConfigMap of the environment holds."""
    return {name: value for item in objects if item["kind"] == "ConfigMap" for name, value in item["data"].items()}


def forms(values: Iterable[bytes]) -> tuple[str, ...]:
    """Each value as it is, and as a URL writes it."""
    found: set[str] = set()
    for value in values:
        said = value.decode(errors="replace").strip()
        found |= {said, quote(said, safe=""), quote_plus(said), quote(said)}
        found |= {line for line in said.splitlines() if len(line) > 20}  # a key of several lines, shown line by line
    return tuple(sorted(found - {""}))


def _named(app: App) -> str | None:
    return f"{app.secret}-{TO_COME}" if app.secrets else None


async def _needed(app: App, cluster: Cluster) -> list[Finding]:
    """What others have to bring; who may not look finds out when the release does."""
    with contextlib.suppress(Forbidden):
        return await secrets.needed(app, cluster)
    return []


def _differs(value: bytes | None, read: bytes | None) -> bool:
    return (value is None) != (read is None) or (
        value is not None and read is not None and not hmac.compare_digest(value, read)
    )
