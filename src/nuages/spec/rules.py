"""What a schema can't say: references, and fields that only mean something together.

Each rule reads a mended document, so it may rely on the form of whatever is there.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from nuages.spec.document import Path, Value
from nuages.spec.environments import holds, removals
from nuages.spec.model import EnvironmentSpec, Expose, Resources
from nuages.spec.units import bytes_of, millicores, seconds
from nuages.spec.validate import Mistake

# What the rendered objects set themselves; a value from the spec would silently lose or win.
RESERVED = {
    "DJANGO_SETTINGS_MODULE": "django.settings says it",
    "HOSTNAME": "it is the pod's name",
    "PATH": "the image sets it",
}
# These only where the app has a database of the spec's; a project with one elsewhere names it as it likes.
RESERVED_BY_DATABASE = {
    "DATABASE_URL": "databases.default makes it",
    "POSTGRES_PASSWORD": "services.postgres makes it",
}
RESERVED_PREFIX = "NUAGES_"
# A name that says its value must not be read by everybody who may read a ConfigMap.
_SECRET_NAME = re.compile(r"(^|_)(PASSWORD|PASSWD|SECRET|SECRET_KEY|TOKEN|PRIVATE_KEY|API_KEY|ACCESS_KEY)$")
_PASSWORD_IN_URL = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@:]*:[^/@]+@")


def broken(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Every rule that a spec, of one environment or the base, breaks."""
    yield from _references(spec)
    yield from _variables(spec)
    yield from _sources(spec)
    yield from _amounts(spec)
    if spec.expose:
        yield from _exposure(spec.expose)


def broken_patch(base: Value, patch: Value) -> Iterator[Mistake]:
    """Every rule that a patch breaks as a patch; paths are the patch's own."""
    for path in removals(patch):
        if not holds(base, path):
            yield Mistake("spec.E208", path, "removes what the base does not have", at_key=True)
    if isinstance(patch, dict):
        for key in ("name", "apiVersion"):
            if key in patch:
                yield Mistake(
                    "spec.E209", (key,), "is the same in every environment", "write it in the base only", at_key=True
                )


def _references(spec: EnvironmentSpec) -> Iterator[Mistake]:
    services = ["postgres"] if spec.services.postgres else []
    database = spec.databases.default
    if database and database.service not in services:
        close = difflib.get_close_matches(database.service, services, n=1)
        hint = f"did you mean {close[0]}?" if close else "declare it: services: {postgres: {run: {}}}"
        yield Mistake("spec.E201", ("databases", "default", "service"), f'no service "{database.service}"', hint)


def _variables(spec: EnvironmentSpec) -> Iterator[Mistake]:
    reserved = RESERVED | (RESERVED_BY_DATABASE if spec.databases.default else {})
    for section, names in (("env", spec.env), ("secrets", spec.secrets)):
        for name in names:
            if name in reserved or name.startswith(RESERVED_PREFIX):
                why = reserved.get(name, "names beginning with NUAGES_ are the runtime's own")
                yield Mistake("spec.E203", (section, name), "is set by nuages", why, at_key=True)
    for name in spec.env.keys() & spec.secrets.keys():
        yield Mistake("spec.E202", ("env", name), "is among the secrets too", "a variable has one source", at_key=True)
    for name, source in spec.env.items():
        if source.value and (_SECRET_NAME.search(name) or _PASSWORD_IN_URL.match(source.value)):
            hint = f"declare it below secrets: secrets: {{{name}: {{}}}}"
            yield Mistake(
                "spec.W210", ("env", name), "looks like a secret; many may read ConfigMaps", hint, at_key=True
            )


def _sources(spec: EnvironmentSpec) -> Iterator[Mistake]:
    for name, source in spec.env.items():
        if (source.value is None) == (source.config_map is None) or (source.config_map is None) != (source.key is None):
            hint = 'a value ("" is one), or configMap and key'
            yield Mistake("spec.E204", ("env", name), "has no source, or two", hint)
    for name, secret in spec.secrets.items():
        if (secret.secret is None) != (secret.key is None) or (secret.generate and secret.secret):
            hint = "{} for one that you set, {generate: true}, or secret and key of one that exists"
            yield Mistake("spec.E204", ("secrets", name), "has no source, or two", hint)


def _amounts(spec: EnvironmentSpec) -> Iterator[Mistake]:
    durations: dict[Path, str] = {}
    sizes: dict[Path, str] = {}
    cores: dict[Path, str] = {}

    def resources(path: Path, of: Resources) -> None:
        sizes[*path, "resources", "memory"] = of.memory
        cores[*path, "resources", "cpu"] = of.cpu

    durations["migrations", "timeout"] = spec.migrations.timeout
    durations["migrations", "lockTimeout"] = spec.migrations.lock_timeout
    resources(("migrations",), spec.migrations.resources)
    for key, web in spec.web.items():
        durations["web", key, "requestTimeout"] = web.request_timeout
        resources(("web", key), web.resources)
    if spec.services.postgres:
        sizes["services", "postgres", "run", "storage"] = spec.services.postgres.run.storage
        resources(("services", "postgres", "run"), spec.services.postgres.run.resources)
    if spec.media:
        sizes["media", "volume", "size"] = spec.media.volume.size
    yield from (_nothing(path) for path, text in durations.items() if not seconds(text))
    yield from (_nothing(path) for path, text in sizes.items() if not bytes_of(text))
    yield from (_nothing(path) for path, text in cores.items() if not millicores(text))


def _nothing(path: Path) -> Mistake:
    return Mistake("spec.E207", path, "must be more than nothing")


def _exposure(expose: Expose) -> Iterator[Mistake]:
    kind = expose.kind
    if expose.node_port and kind != "nodePort":
        yield _meaningless("nodePort", kind, "kind: nodePort")
    if expose.class_ and kind in ("loadBalancer", "nodePort"):
        yield _meaningless("class", kind, "kind: ingress or gateway")
    if kind in ("ingress", "gateway") and not expose.hosts:
        yield Mistake("spec.E206", ("expose", "hosts"), f"kind {kind} needs them", "hosts: [blog.example.com]")
    if kind == "gateway" and not expose.class_:
        hint = "class: traefik, the name of the Gateway"
        yield Mistake("spec.E206", ("expose", "class"), "kind gateway needs it", hint)
    tls = expose.tls
    if tls and sum(way is not None for way in (tls.issuer, tls.secret, tls.terminated, tls.none)) != 1:
        hint = "issuer, secret, terminated or none"
        yield Mistake("spec.E204", ("expose", "tls"), "TLS ends in exactly one place", hint)
    if tls and (tls.issuer or tls.secret) and kind != "ingress":
        hint = "the Gateway's listener holds its certificate" if kind == "gateway" else "kind: ingress"
        yield _meaningless("tls", kind, hint)


def _meaningless(field: str, kind: str, hint: str) -> Mistake:
    return Mistake("spec.E205", ("expose", field), f"means nothing with kind {kind}", hint, at_key=True)
