"""Secrets: generated in the cluster once, and copied for each release under a name made from their content.

A value is read and written here and nowhere else; it never reaches a record, a log or an argument list.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import secrets

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.kube.failures import AlreadyExists
from nuages.render.labels import CONFIG, metadata

SALT = ".salt"
"""A key of the source Secret that no process sees: without it, a weak value could be guessed from the copy's name."""


async def ensure(app: App, cluster: Cluster) -> None:
    """Make the Secrets that are generated, where they are missing; a value that exists is never changed."""
    generated = [name for name, source in app.secrets.items() if source.generate]
    await _complete(app, cluster, app.secret, [SALT, *generated])
    if app.postgres:
        await _complete(app, cluster, app.postgres.name, ["password"])


async def copy(app: App, cluster: Cluster) -> str | None:
    """Write the immutable copy that a release's pods read; returns its name, None where the app declares no secret.

    The same values give the same name, so unchanged secrets roll no pod.

    Raises:
        Refused: values are missing; all of them are named.
    """
    if not app.secrets:
        return None
    source = await _values(cluster, app.namespace, app.secret)
    values: dict[str, bytes] = {}
    missing: list[Finding] = []
    for variable, declared in sorted(app.secrets.items()):
        owner, key = declared.secret or app.secret, declared.key or variable
        found = (await _values(cluster, app.namespace, owner) if declared.secret else source).get(key)
        if found is None:
            missing.append(_unset(app, variable, owner, key))
        else:
            values[variable] = found
    if missing:
        raise Refused(f"{len(missing)} of {len(app.secrets)} secrets have no value yet", findings=missing)
    digest = hmac.new(source[SALT], b"\0".join(b"%s=%s" % (k.encode(), v) for k, v in values.items()), hashlib.sha256)
    name = f"{app.secret}-{digest.hexdigest()[:10]}"
    wanted = _secret(app, name, values) | {"immutable": True}
    if await cluster.get("Secret", app.namespace, name) is None:
        with contextlib.suppress(AlreadyExists):
            await cluster.create(wanted)
    return name


async def _complete(app: App, cluster: Cluster, name: str, keys: list[str]) -> None:
    """Generate what a Secret lacks; the lock keeps two from doing it at once, and the resourceVersion anybody else."""
    live = await cluster.get("Secret", app.namespace, name)
    lacking = {key: _generate() for key in keys if key not in (live or {}).get("data", {})}
    if live is None:
        await cluster.create(_secret(app, name, lacking, keep=True))
    elif lacking:
        metadata = {"resourceVersion": live["metadata"]["resourceVersion"]}
        await cluster.patch_merge("Secret", app.namespace, name, {"metadata": metadata, "data": _encode(lacking)})


async def _values(cluster: Cluster, namespace: str, name: str) -> dict[str, bytes]:
    live = await cluster.get("Secret", namespace, name)
    return {key: base64.b64decode(value) for key, value in (live or {}).get("data", {}).items()}


def _secret(app: App, name: str, values: dict[str, bytes], *, keep: bool = False) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(app, name, CONFIG, data=keep),
        "data": _encode(values),
    }


def _encode(values: dict[str, bytes]) -> dict[str, str]:
    return {key: base64.b64encode(value).decode() for key, value in values.items()}


def _generate() -> bytes:
    """A random value, URL-safe: projects differ in whether they percent-decode a password in a URL."""
    return secrets.token_urlsafe(32).encode()


def _unset(app: App, variable: str, owner: str, key: str) -> Finding:
    return Finding(
        "release.E301",
        Level.ERROR,
        f"{variable} has no value: Secret {app.namespace}/{owner} has no key {key}",
        Place(path=f"secrets.{variable}"),
        f"set it: kubectl -n {app.namespace} patch secret {owner} --patch-file FILE, or generate: true",
    )
