"""Secrets: generated in the cluster once, and copied for each release under a name made from their content.

A value is read and written here and nowhere else; it never reaches a record, a log or an argument list.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import msgspec

from nuages.app import buckets, stores
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.app.parts import spoken
from nuages.errors import ClusterError, Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.kube.failures import AlreadyExists
from nuages.release import redact
from nuages.release.world import utc
from nuages.render import access
from nuages.render.labels import CONFIG, metadata
from nuages.render.postgres import PASSWORD_KEY, USER, USER_KEY
from nuages.render.release import Manifest

SALT = ".salt"
"""A key of the source Secret that no process sees: without it, a weak value could be guessed from the copy's name."""

FALLBACKS = "SECRET_KEY_FALLBACKS"
"""The variable, and a key of the source Secret: keys that are believed beside the one that signs, comma-separated."""

CHANGES = "nuages.dev/changes"
"""The annotation that says of each key who set it and when, as JSON; never a value."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """When a value was last written."""

    at: datetime
    by: str = ""
    """user@host; empty where it was generated."""


async def check(app: App, cluster: Cluster) -> None:
    """Make sure that each secret has a value, or will be generated: before a build, and before anything is applied.

    Raises:
        Refused: values are missing; all of them are named.
    """
    _, missing = await _found(app, cluster)
    without = [finding for variable, finding in missing.items() if not app.secrets[variable].generate]
    if broken := [*without, *await needed(app, cluster)]:
        if len(broken) > len(without):
            raise Refused(f"what {app.name} needs of others is not there", findings=broken)
        raise _refused(app, without)


async def needed(app: App, cluster: Cluster) -> list[Finding]:
    """What others have to bring beside the values of variables, and did not."""
    return [*await _vouched(app, cluster), *await _opened(app, cluster)]


async def lacking(app: App, cluster: Cluster) -> bool:
    """Whether `ensure` has something to generate."""
    wanted = _generated(app)
    held = await asyncio.gather(*(_values(cluster, app.namespace, name) for name in wanted))
    return any(set(keys) - has.keys() for keys, has in zip(wanted.values(), held, strict=True))


async def ensure(app: App, cluster: Cluster) -> None:
    """Make the Secrets that are generated, where they are missing; a value that exists is never changed."""
    for name, keys in _generated(app).items():
        await _complete(app, cluster, name, keys)


def _generated(app: App) -> dict[str, list[str]]:
    """The Secrets that hold what is generated, and under which keys."""
    stores = {service.name: ["password"] for service in (app.postgres, app.redis) if service}
    if app.postgres:
        stores[app.postgres.name] = [USER_KEY, PASSWORD_KEY]
    if app.rabbitmq:
        stores[app.rabbitmq.name] = [USER_KEY, "password", "cookie"]
    return {app.secret: [SALT, *(name for name, source in app.secrets.items() if source.generate)], **stores}


async def copy(app: App, cluster: Cluster) -> str | None:
    """Write the immutable copy that a release's pods read; returns its name, None where the app declares no secret.

    The same values give the same name, so unchanged secrets roll no pod.

    Raises:
        Refused: values are missing; all of them are named.
    """
    if not app.secrets:
        return None
    values, missing = await _found(app, cluster)
    if missing:
        raise _refused(app, list(missing.values()))
    source = await _values(cluster, app.namespace, app.secret)
    return await _written(app, source[SALT], values | believed(app, source), cluster)


async def copy_with(app: App, before: str, names: Iterable[str], cluster: Cluster) -> str:
    """As `copy`, of what the pods of a release read (`before`), but for some names as they are now.

    Raises:
        Refused: that copy is gone.
    """
    source = await _values(cluster, app.namespace, app.secret)
    held = await _values(cluster, app.namespace, before)
    if not held or SALT not in source:
        raise Refused(f"the secrets of the release are gone: there is no Secret {before}", hint="nuages deploy")
    values = {name: value for name, value in held.items() if name not in {*names, FALLBACKS}}
    values |= {name: source[name] for name in names if name in source} | believed(app, source)
    found, _ = await _found(app, cluster)
    now = found | believed(app, source)
    # The same values in the order of a deploy, which then finds that copy, and rolls nothing.
    return await _written(app, source[SALT], now if now == values else values, cluster)


def believed(app: App, source: dict[str, bytes]) -> dict[str, bytes]:
    """The keys that a rotation keeps believed; none where the spec has that variable itself."""
    return {FALLBACKS: source[FALLBACKS]} if FALLBACKS in source and not app.declares(FALLBACKS) else {}


async def _written(app: App, salt: bytes, values: dict[str, bytes], cluster: Cluster) -> str:
    name = copy_name(app, salt, values)
    wanted = object_of(app, name, values) | {"immutable": True}
    if await cluster.get("Secret", app.namespace, name) is None:
        with contextlib.suppress(AlreadyExists):
            await cluster.create(wanted)
    return name


def copy_name(app: App, salt: bytes, values: dict[str, bytes]) -> str:
    """What the copy of these values is called; `values` in the order of their names."""
    digest = hmac.new(salt, b"\0".join(b"%s=%s" % (k.encode(), v) for k, v in values.items()), hashlib.sha256)
    return f"{app.secret}-{digest.hexdigest()[:10]}"


async def found(app: App, cluster: Cluster) -> tuple[dict[str, bytes], dict[str, Finding]]:
    """Each declared secret's value, and a finding for each that has none; for who only looks."""
    return await _found(app, cluster)


async def hidden(manifest: Manifest, namespace: str, cluster: Cluster) -> Callable[[str], str]:
    """What takes out of a text all that a release's pods know and nobody else shall: the very values of the Secrets
    that they read, as far as we may read them, and whatever else looks like one.
    """

    async def values(name: str) -> list[str]:
        try:
            held = await _values(cluster, namespace, name)
        except ClusterError:
            return []  # no right, as the Job of --detach has none: what looks like a secret is taken out all the same
        return [value.decode(errors="replace") for key, value in held.items() if not stores.public(key)]

    found = await asyncio.gather(*(values(name) for name in sorted(set(_referred(manifest.objects)))))
    known = redact.known([value for each in found for value in each])
    return lambda said: redact.text(known(said))


def _referred(part: object) -> Iterator[str]:
    """The Secrets whose values some container gets as variables."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in {"secretKeyRef", "secretRef"}:
                yield value["name"]
            else:
                yield from _referred(value)
    elif isinstance(part, list):
        for value in part:
            yield from _referred(value)


def changes(live: Object | None) -> dict[str, Change]:
    """Who wrote which key, and when, as far as it is known."""
    annotations = ((live or {}).get("metadata") or {}).get("annotations") or {}
    try:
        return msgspec.json.decode(annotations.get(CHANGES, "{}"), type=dict[str, Change])
    except msgspec.DecodeError:
        return {}  # somebody's hand was in it: what it told is lost, and not worth a failure


def decoded(live: Object | None) -> dict[str, bytes]:
    """The values of a Secret."""
    return {key: base64.b64decode(value) for key, value in ((live or {}).get("data") or {}).items()}


def encoded(value: bytes) -> str:
    """A value as a Secret's data holds it."""
    return base64.b64encode(value).decode()


def object_of(app: App, name: str, values: dict[str, bytes], *, keep: bool = False) -> Object:
    """A Secret; `keep` marks one that nothing prunes."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(app, name, CONFIG, data=keep),
        "data": {key: encoded(value) for key, value in values.items()},
    }


async def _found(app: App, cluster: Cluster) -> tuple[dict[str, bytes], dict[str, Finding]]:
    """Each declared secret's value, and a finding for each that has none."""
    values: dict[str, bytes] = {}
    missing: dict[str, Finding] = {}
    owners = {declared.secret or app.secret for declared in app.secrets.values()}
    kept = {owner: await _values(cluster, app.namespace, owner) for owner in sorted(owners)}
    for variable, declared in sorted(app.secrets.items()):
        found = kept[declared.secret or app.secret].get(declared.key or variable)
        if found is None:
            missing[variable] = unset(app, variable)
        else:
            values[variable] = found
    return values | access.quoted(app, values), missing


async def _complete(app: App, cluster: Cluster, name: str, keys: list[str]) -> None:
    """Generate what a Secret lacks; the lock keeps two from doing it at once, and the resourceVersion anybody else."""
    live = await cluster.get("Secret", app.namespace, name)
    lacking = {key: generate() for key in keys if key not in decoded(live)}
    if USER_KEY in lacking and name in {store.name for store in (app.postgres, app.rabbitmq) if store}:
        lacking[USER_KEY] = USER.encode()
    told = changes(live) | {key: Change(at=utc()) for key in lacking if key not in {SALT, USER_KEY}}
    annotations = {CHANGES: msgspec.json.encode(told).decode()}
    if live is None:
        wanted = object_of(app, name, lacking, keep=True)
        wanted["metadata"]["annotations"] |= annotations
        await cluster.create(wanted)
    elif lacking:
        about = {"resourceVersion": live["metadata"]["resourceVersion"], "annotations": annotations}
        data = {key: encoded(value) for key, value in lacking.items()}
        await cluster.patch_merge("Secret", app.namespace, name, {"metadata": about, "data": data})


async def _values(cluster: Cluster, namespace: str, name: str) -> dict[str, bytes]:
    return decoded(await cluster.get("Secret", namespace, name))


def generate() -> bytes:
    """A random value, URL-safe: projects differ in whether they percent-decode a password in a URL.

    64 characters: `check --deploy` wants a SECRET_KEY to have 50 (security.W009).
    """
    return secrets.token_urlsafe(48).encode()


def _refused(app: App, missing: list[Finding]) -> Refused:
    return Refused(f"{len(missing)} of {len(app.secrets)} secrets have no value yet", findings=missing)


async def _vouched(app: App, cluster: Cluster) -> list[Finding]:
    """A finding for each authority that is to vouch for a service, and is not there: no pod would start."""
    found = []
    for store in stores.external(app):
        if store.authority is None or store.tls != "verify-full":
            continue
        live = await cluster.get("ConfigMap", app.namespace, store.authority)
        if not (live or {}).get("data", {}).get("ca.crt", "").strip().startswith("-----BEGIN CERTIFICATE-----"):
            said = f"ConfigMap {app.namespace}/{store.authority} has no certificate in its key ca.crt"
            cure = f"kubectl -n {app.namespace} create configmap {store.authority} --from-file=ca.crt"
            place = Place(path=f"services.{store.service}.external.authority")
            found.append(Finding("release.E381", Level.ERROR, said, place, cure))
    return found


async def _opened(app: App, cluster: Cluster) -> list[Finding]:
    """What opens the bucket of static files, and that of an operator's backups: no copy of it is any release's."""
    archive = app.cloudnativepg.run.backup if app.cloudnativepg else None
    of = {"static": app.static.bucket, "services.postgres.cloudnativepg.backup": archive.bucket if archive else None}
    found = []
    for files, bucket in of.items():
        if bucket and bucket.secret:
            held = await _values(cluster, app.namespace, bucket.secret)
            found += [_closed(app, files, bucket.secret, key) for key in buckets.KEYS if key not in held]
    return found


def _closed(app: App, files: str, other: str, key: str) -> Finding:
    said = f"nothing opens the bucket: Secret {app.namespace}/{other} is not there, or has no key {key}"
    cure = f"whoever keeps Secret {other} has to add it"
    return Finding("app.E146", Level.ERROR, said, Place(path=f"{files}.bucket.secret"), cure)


def unset(app: App, variable: str) -> Finding:
    """That a declared secret has no value: who has to give it one, and how."""
    declared = app.secrets[variable]
    other, key = declared.secret, declared.key or variable
    place = Place(path=f"secrets.{variable}")
    if other and (service := stores.opens(app, variable)):
        said = f"nothing opens {service}: Secret {app.namespace}/{other} is not there, or has no key {key}"
        cure = f"whoever keeps Secret {other} has to add it; services.{service}.external.keys says other keys"
        return Finding("release.E380", Level.ERROR, said, Place(path=f"services.{service}.external.secret"), cure)
    if other and buckets.opens(app, variable):
        return _closed(app, "media", other, key)
    if other:
        said = f"{variable} has no value: Secret {app.namespace}/{other} has no key {key}"
        return Finding("release.E302", Level.ERROR, said, place, f"whoever keeps Secret {other} has to add it")
    cure = f"nuages secrets set {variable}{spoken(app.environment)}"
    return Finding("release.E301", Level.ERROR, f"{variable} has no value yet", place, cure)
