"""What a schema can't say: references, and fields that only mean something together.

Each rule reads a mended document, so it may rely on the form of whatever is there.
"""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterator

import msgspec

from nuages.spec.document import Path, Value
from nuages.spec.environments import holds, removals
from nuages.spec.model import BuildOptions, EnvironmentSpec, Expose, Folder
from nuages.spec.rules import exposing, files, fronts, limits, processes, walls
from nuages.spec.texts import Pattern, places
from nuages.spec.units import seconds
from nuages.spec.validate import Mistake

# What the rendered objects set themselves; a value from the spec would silently lose or win.
RESERVED = {
    "DJANGO_SETTINGS_MODULE": "django.settings says it",
    "HOSTNAME": "it is the pod's name",
    "PATH": "the image sets it",
}
RESERVED_PREFIX = "NUAGES_"
# What a variable can be told of a service. The url of Redis names its database 0, its address none.
SERVICE_KEYS = {
    "postgres": ("host", "port", "user", "password", "name", "url", "address"),
    "redis": ("host", "port", "user", "password", "name", "url", "address"),
    "rabbitmq": ("host", "port", "user", "password", "name", "url", "address"),
    "memcached": ("host", "port", "url", "address"),
}
# Servers that call a project in one way only; gunicorn and granian do in both.
INTERFACES = {"uvicorn": "asgi"}
# A name that says its value must not be read by everybody who may read a ConfigMap.
_SECRET_NAME = re.compile(r"(^|_)(PASSWORD|PASSWD|SECRET|SECRET_KEY|TOKEN|PRIVATE_KEY|API_KEY|ACCESS_KEY)$")
# How long something waits.
_MAY_BE_NOTHING = {("migrations", "settle"), ("canary", "pause")}
_PASSWORD_IN_URL = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@:]*:[^/@]+@")


def broken(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Every rule that a spec, of one environment or the base, breaks."""
    written = msgspec.to_builtins(spec)
    yield from _references(spec)
    yield from _variables(spec)
    yield from _sources(spec)
    yield from _processes(spec)
    yield from _routes(spec)
    yield from _build(spec.build)
    yield from _folders(spec.volumes)
    yield from _amounts(written)
    yield from _choices(spec, written)
    yield from _release(spec)
    yield from exposing.broken(spec)
    yield from files.broken(spec)
    yield from fronts.broken(spec)
    yield from limits.broken(spec)
    yield from processes.broken(spec)
    yield from walls.broken(spec)
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
    services = [name for name in SERVICE_KEYS if getattr(spec.services, name)]
    database = spec.databases.default
    if database and database.service != "postgres":
        hint = "PostgreSQL is the database that runs in the cluster"
        yield _no_service(("databases", "default", "service"), database.service, ["postgres"], hint)
    elif database and not spec.services.postgres:
        yield _no_service(("databases", "default", "service"), "postgres", [], "")
    for name, source in spec.env.items():
        if source.service is None or source.key is None:
            continue
        if source.service not in services:
            yield _no_service(("env", name, "service"), source.service, services, "")
        elif source.key not in SERVICE_KEYS[source.service]:
            keys = SERVICE_KEYS[source.service]
            close = difflib.get_close_matches(source.key, keys, n=1)
            hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(keys)}"
            yield Mistake("spec.E210", ("env", name, "key"), f'{source.service} has no "{source.key}"', hint)


def _no_service(path: Path, name: str, known: list[str], hint: str) -> Mistake:
    close = difflib.get_close_matches(name, known, n=1)
    declare = f"declare it: services: {{{name if name in SERVICE_KEYS else 'postgres'}: {{run: {{}}}}}}"
    return Mistake("spec.E201", path, f'no service "{name}"', f"did you mean {close[0]}?" if close else hint or declare)


def _variables(spec: EnvironmentSpec) -> Iterator[Mistake]:
    for section, names in (("env", spec.env), ("secrets", spec.secrets)):
        for name in names:
            if name in RESERVED or name.startswith(RESERVED_PREFIX):
                why = RESERVED.get(name, "names beginning with NUAGES_ are the runtime's own")
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
        kinds = [kind for kind in (source.value, source.config_map, source.service) if kind is not None]
        if len(kinds) != 1 or (source.value is None) != (source.key is not None):
            hint = 'a value ("" is one), or configMap and key, or service and key'
            yield Mistake("spec.E204", ("env", name), "has no source, or two", hint)
    for name, secret in spec.secrets.items():
        if (secret.secret is None) != (secret.key is None) or (secret.generate and secret.secret):
            hint = "{} for one that you set, {generate: true}, or secret and key of one that exists"
            yield Mistake("spec.E204", ("secrets", name), "has no source, or two", hint)


def _processes(spec: EnvironmentSpec) -> Iterator[Mistake]:
    for key, worker in spec.workers.items():
        kinds = [kind for kind in ("celery", "tasks", "command") if getattr(worker, kind) is not None]
        if len(kinds) != 1:
            message = f"is of {len(kinds)} kinds: {', '.join(kinds)}" if kinds else "has nothing to run"
            hint = "celery: {app: blog}, tasks: {}, or command: [python, manage.py, qcluster]"
            yield Mistake("spec.E211", ("workers", key), message, hint)
    for key, web in spec.web.items():
        if web.command and web.server:
            message = f"means nothing with a command, which serves instead of {web.server}"
            yield Mistake("spec.E212", ("web", key, "server"), message, "leave one of them out", at_key=True)
        elif web.server and INTERFACES.get(web.server, web.interface) != web.interface:
            servers = [name for name in ("gunicorn", "uvicorn", "granian") if _speaks(name, web.interface)]
            message = f"{web.server} does not speak {web.interface}"
            yield Mistake("spec.E212", ("web", key, "server"), message, f"server: {' or '.join(servers)}")


def _release(spec: EnvironmentSpec) -> Iterator[Mistake]:
    for point in spec.hooks.__struct_fields__:
        hook = getattr(spec.hooks, point)
        if hook and sum(one is not None for one in (hook.manage, hook.command, hook.webhook)) != 1:
            hint = "manage: [warm_cache], command: [...], or webhook: {secret: slack}"
            yield Mistake("spec.E217", ("hooks", point.replace("_", "-")), "is not one thing to do", hint)
    shares = [float(step.rstrip("%")) for step in spec.canary.steps]
    if shares != sorted(set(shares)) or 0 in shares:
        message = f"{', '.join(spec.canary.steps)} does not grow step by step"
        yield Mistake("spec.E218", ("canary", "steps"), message, "write [10%, 50%]; the last step is the whole")
    if seconds(spec.migrations.settle) and spec.migrations.contract != "after-rollout":
        message = f"means nothing with contract {spec.migrations.contract}"
        yield Mistake(
            "spec.E219", ("migrations", "settle"), message, "contract: after-rollout waits for it", at_key=True
        )


def _speaks(server: str, interface: str) -> bool:
    return INTERFACES.get(server, interface) == interface


def _routes(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Each path leads to one web: a slash at the end makes no difference to what a prefix matches."""
    claimed: dict[str, str] = {}
    for key, web in spec.web.items():
        for index, route in enumerate(web.routes or []):
            if other := claimed.get(route.rstrip("/")):
                message = f"{route} is answered by web.{other} already"
                yield Mistake("spec.E213", ("web", key, "routes", index), message, "each path leads to one web")
            claimed.setdefault(route.rstrip("/"), key)
            if "//" in route or {".", ".."} & set(route.split("/")):
                message = f"{route} is a path that no request has"
                yield Mistake("spec.E213", ("web", key, "routes", index), message, "without //, . and ..")


def _build(build: BuildOptions) -> Iterator[Mistake]:
    """A Dockerfile of the project's own says all that these would."""
    if build.dockerfile:
        for field, said in (
            ("packages", build.packages),
            ("buildPackages", build.build_packages),
            ("dependencies", build.dependencies.file or build.dependencies.extras or build.dependencies.groups),
            ("commands", build.commands),
            ("frontend", build.frontend),
        ):
            if said:
                hint = "leave it out, or leave dockerfile out"
                yield Mistake("spec.E214", ("build", field), "means nothing with build.dockerfile", hint, at_key=True)
        yield from _outside(("build", "dockerfile"), build.dockerfile)
    if build.dependencies.file:
        yield from _outside(("build", "dependencies", "file"), build.dependencies.file)
    if build.frontend:
        yield from _outside(("build", "frontend", "directory"), build.frontend.directory)
        yield from _outside(("build", "frontend", "output"), build.frontend.output)


def _outside(path: Path, written: str) -> Iterator[Mistake]:
    if ".." in written.split("/"):
        yield Mistake("spec.E215", path, f"{written} leads out of the project", "a path in the project, without ..")


def _folders(folders: dict[str, Folder]) -> Iterator[Mistake]:
    """A volume hides what the image has at its path, so none may lie over the project, nor two over one another."""
    mounted: dict[str, str] = {}
    for key, folder in folders.items():
        at = ("volumes", key, "path")
        if ".." in folder.path.split("/"):
            yield from _outside(at, folder.path)
            continue
        path = posixpath.normpath(folder.path)
        if path == ".":
            yield Mistake("spec.E215", at, "would hide the whole project", "a folder in it: var/data")
        elif (other := mounted.setdefault(path, key)) != key:
            yield Mistake("spec.E215", at, f"is volumes.{other} already", "a folder has one volume")
        if folder.temporary:
            for field, said in (("storageClass", folder.storage_class), ("accessMode", folder.access_mode)):
                if said:
                    message = "means nothing with temporary"
                    yield Mistake("spec.E216", ("volumes", key, field), message, "leave one of them out", at_key=True)


def _choices(spec: EnvironmentSpec, written: Value) -> Iterator[Mistake]:
    """Of several fields exactly one says what a thing is."""
    postgres = [("services", "postgres")]
    services = [("services", name) for name in spec.services.__struct_fields__ if name != "postgres"]
    backups = [("services", "postgres", "run", "backup", "to")]
    commands = [(section, key) for section in ("schedules", "jobs") for key in getattr(spec, section)]
    for paths, fields in (
        (postgres, ("run", "cloudnativepg", "external")),
        (services, ("run", "external")),
        (backups, ("volume", "bucket")),
        ([("media",)], ("volume", "bucket")),
        (commands, ("manage", "command")),
        ([("files", path) for path in spec.files], ("file", "configMap", "secret")),
        ([("network", "egress", index) for index, _ in enumerate(spec.network.egress or [])], ("host", "range")),
    ):
        for path in paths:
            yield from _one_of(written, path, fields)


def _one_of(written: Value, path: Path, fields: tuple[str, ...]) -> Iterator[Mistake]:
    part = written
    for key in path:
        match part, key:
            case dict(), str():
                part = part.get(key)
            case list(), int():
                part = part[key]
            case _:
                return
    if not isinstance(part, dict):
        return
    given = [field for field in fields if part.get(field) is not None]
    if len(given) != 1:
        message = f"has {' and '.join(given)}" if given else f"says neither {' nor '.join(fields)}"
        yield Mistake("spec.E220", path, message, "exactly one of them")


def _amounts(written: Value) -> Iterator[Mistake]:
    """No time and no room, and more than there is: only what is waited for may be nothing."""
    for title in limits.MOST:
        for place in places(title):
            for path, text in _at(written, place):
                if text is None or (path in _MAY_BE_NOTHING and not seconds(text)):
                    continue
                if why := limits.amount(title, text):
                    yield Mistake("spec.E207", path, why)
                elif path[-2:] == ("resources", "memory") and (why := limits.too_little(text)):
                    yield Mistake("spec.E207", path, why, "write 256Mi or 2Gi")


def _at(value: Value, place: Pattern, path: Path = ()) -> Iterator[tuple[Path, str | None]]:
    """What stands at a path of the model, and where."""
    if not place:
        yield path, value  # type: ignore[misc]  # the model has a text there
    elif isinstance(value, dict):
        for key in value if place[0] == "*" else [place[0]]:
            yield from _at(value.get(key), place[1:], (*path, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _at(entry, place[1:], (*path, index))


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
