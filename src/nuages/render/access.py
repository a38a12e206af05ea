"""How the project's processes reach its services: by variables, in which a password only ever stands by reference.

https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/: a variable may
name those before it as $(NAME), and the kubelet puts their values in. What is generated has URL-safe characters only.
What somebody else chose may have any: each release's copy of the secrets holds it also as a URL writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

import msgspec

from nuages.app import stores
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.app.stores import Reached
from nuages.render import authority
from nuages.render.labels import WEB, WORKER
from nuages.render.release import Release

# Redis' databases: Django's cache is cleared by FLUSHDB, which must not reach the tasks. What a set beside the serving
# release sends has one of its own, so that no worker is given a task that only the other release knows.
CACHE, TASKS, TRIAL = "0", "1", "2"

SCHEMES = {"postgres": "postgres", "redis": "redis", "rabbitmq": "amqp", "memcached": "memcached"}
_ENCRYPTED = {"redis": "rediss", "rabbitmq": "amqps"}
_REFERENCE = re.compile(r"\$\((\w+)\)")

_POSTGRES = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "name"}
# What projects call the parts of an address, and what Kubernetes called them for Services of the old days (service
# links, https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables): each is told to those
# that read it.
CONVENTIONS: dict[str, tuple[str, str]] = {
    **{
        f"{prefix}_{part}": ("postgres", key)
        for prefix in ("POSTGRES", "POSTGRESQL", "DB", "DATABASE", "SQL")
        for part, key in _POSTGRES.items()
    },
    **dict.fromkeys(("POSTGRES_DB", "POSTGRES_DATABASE", "DB_DATABASE", "SQL_DATABASE"), ("postgres", "name")),
    **{f"PG{part}": ("postgres", key) for part, key in _POSTGRES.items() if part != "NAME"},
    "PGDATABASE": ("postgres", "name"),
    "POSTGRES_URL": ("postgres", "url"),
    **{f"REDIS_{part}": ("redis", part.lower()) for part in ("HOST", "PORT", "PASSWORD")},
    **{f"RABBITMQ_{part}": ("rabbitmq", part.lower()) for part in ("HOST", "PORT", "USER", "PASSWORD", "NAME")},
    "RABBITMQ_VHOST": ("rabbitmq", "name"),
    "RABBITMQ_DEFAULT_USER": ("rabbitmq", "user"),
    "RABBITMQ_DEFAULT_PASS": ("rabbitmq", "password"),
    "RABBITMQ_DEFAULT_VHOST": ("rabbitmq", "name"),
    "AMQP_URL": ("rabbitmq", "url"),
    "BROKER_URL": ("broker", "url"),
    **{f"MEMCACHED_{part}": ("memcached", part.lower()) for part in ("HOST", "PORT")},
    "MEMCACHED_LOCATION": ("memcached", "address"),
    **{f"{service.upper()}_SERVICE_{part}": (service, part.lower())
       for service in stores.SERVICES for part in ("HOST", "PORT")},
}  # fmt: skip


def services(app: App, release: Release, component: str = "") -> list[Object]:
    """The variables that lead to services: what opens them first, then what is made of that.

    Webs and workers are led to PgBouncer, where there is one; who may need what outlives a transaction is not.
    What the spec declares itself, in `env` or `secrets`, is not set here a second time.
    """
    asked = {name: (source.service, source.key or "") for name, source in sorted(app.env.items()) if source.service}
    read = _read(release.build.reads)
    wanted = {name: leads for name, leads in {**_automatic(app), **read}.items() if not app.declares(name)} | asked
    by = pooled(app, component)
    told_of = {name: told(app, service, key, by) for name, (service, key) in wanted.items()}
    # One that would only repeat another under the name it has anyway is that one.
    values = {name: value for name, value in told_of.items() if value and value != f"$({name})"}
    referred = {name for value in told_of.values() for name in _REFERENCE.findall(value or "")}
    opening = {name: source for name, source in _opening(app).items() if name in referred}
    alone = {name: opening[value[2:-1]] for name, value in values.items() if value[2:-1] in opening}
    return [
        *({"name": name, "valueFrom": source} for name, source in opening.items()),
        *({"name": name, "value": value} for name, value in values.items() if name not in alone),
        *({"name": name, "valueFrom": source} for name, source in alone.items()),
    ]


def pooled(app: App, component: str) -> Reached | None:
    """How a component reaches PostgreSQL by PgBouncer; None where it goes straight."""
    store = stores.reached(app, "postgres")
    if app.pgbouncer is None or store is None or component not in (WEB, WORKER):
        return None
    return msgspec.structs.replace(store, host=app.pgbouncer.name)


def told(app: App, service: str, key: str, pooled: Reached | None = None) -> str | None:
    """What a variable says of a service; what is secret in it is the name of a variable that has it.

    None where there is nothing to say: no such service, or nobody whom it asks for a password.
    """
    if service == "broker":
        return _broker(app)
    store = pooled if pooled and service == pooled.service else stores.reached(app, service)
    if store is None:
        return None
    match key:
        case "host":
            return store.host
        case "port":
            return str(store.port)
        case "user":
            # The user that a password alone stands for (https://redis.io/docs/latest/commands/auth/).
            return _reference(app, store, "user") or store.user or ("default" if service == "redis" else None)
        case "password":
            return _reference(app, store, "password")
        case "name":
            return _reference(app, store, "name") or store.name
        case "address":
            return _address(app, store)
    return _url(app, store, _part(app, store, "name"))


def quoted(app: App, values: Mapping[str, bytes]) -> dict[str, bytes]:
    """What a release's copy of the secrets holds beside them: what opens others' services, as a URL writes it."""
    return {
        f"{variable}{stores.IN_URL}": quote(values[variable], safe="").encode()
        for store in stores.external(app)
        for variable in (stores.variable(store.service, what) for what in store.keys)
        if variable in values
    }


def _automatic(app: App) -> dict[str, tuple[str, str]]:
    """What every project with such a service is told."""
    made = {}
    if app.databases.default:
        made["DATABASE_URL"] = ("postgres", "url")
    made |= {"REDIS_URL": ("redis", "url"), "RABBITMQ_URL": ("rabbitmq", "url"), "MEMCACHED_URL": ("memcached", "url")}
    return made | ({"CELERY_BROKER_URL": ("broker", "url")} if app.celery else {})


def _broker(app: App) -> str | None:
    """Where tasks go: to RabbitMQ, which is made for them, and where there is none to Redis, beside the cache."""
    if store := stores.reached(app, "rabbitmq"):
        return _url(app, store, _part(app, store, "name"))
    store = stores.reached(app, "redis")
    return _url(app, store, _tasks(store)) if store else None


def _tasks(store: Reached) -> str:
    """The database of the tasks: the one after that of the cache."""
    return str(int(store.name) + 1) if store.name and store.name.isdecimal() else TASKS


def _address(app: App, store: Reached) -> str:
    """A URL without what it is called there."""
    user, password = _part(app, store, "user"), _part(app, store, "password")
    who = f"{user}:{password}@" if user or password else ""
    scheme = SCHEMES[store.service] if store.tls == "disable" else _ENCRYPTED.get(store.service, SCHEMES[store.service])
    host = f"[{store.host}]" if ":" in store.host else store.host
    return f"{host}:{store.port}" if store.service == "memcached" else f"{scheme}://{who}{host}:{store.port}"


def _url(app: App, store: Reached, name: str) -> str:
    if store.service == "memcached":
        return f"memcached://{_address(app, store)}"
    query = authority.query(store)
    return f"{_address(app, store)}/{name}" + (f"?{query}" if query else "")


def _part(app: App, store: Reached, what: str) -> str:
    """user, password or name in a URL."""
    if reference := _reference(app, store, what, suffix=stores.IN_URL if store.external else ""):
        return reference
    return quote({"user": store.user, "name": store.name or ""}.get(what, ""), safe="")


def _reference(app: App, store: Reached, what: str, *, suffix: str = "") -> str | None:
    """The variable in which the Secret's value is; None where the Secret does not have it."""
    if what not in store.keys:
        return None
    # What others keep comes with the release's copy of all secrets.
    variable = stores.variable(store.service, what) if store.external else _variable(app, store.service, what)
    return f"$({variable}{suffix})"


def _opening(app: App) -> dict[str, Object]:
    """Of each variable that an address may name where its value lies: in the Secret of the service in the cluster."""
    return {
        _variable(app, service, what): {"secretKeyRef": {"name": store.secret, "key": key}}
        for service in stores.inside(app)
        if (store := stores.reached(app, service))
        for what, key in store.keys.items()
    }


def _variable(app: App, service: str, what: str) -> str:
    """POSTGRES_PASSWORD; another name where the spec has something of its own under it."""
    name = f"{service.upper()}_{what.upper()}"
    return f"NUAGES_{name}" if app.declares(name) else name


def explained(app: App, reads: Iterable[str]) -> dict[str, tuple[str, str]]:
    """What is told of services, for `nuages explain`: per variable what it leads to, and why it is there."""
    said = {}
    for name, (service, key) in {**_automatic(app), **_read(reads)}.items():
        if app.declares(name) or told(app, service, key) is None:
            continue
        of = ("rabbitmq" if stores.reached(app, "rabbitmq") else "redis") if service == "broker" else service
        why = {"DATABASE_URL": "databases.default; its password is in a Secret only"}.get(
            name, "every project's name for it; its password is in a Secret only"
        )
        why = f"the settings read it: {key} of {of}" if name in reads else why
        database = f", database {_database(app, name)}" if of == "redis" and key == "url" else ""
        said[name] = (f"services.{of}{database}", why)
    return said


def _database(app: App, name: str) -> str:
    store = stores.reached(app, "redis")
    return _tasks(store) if store and name == "CELERY_BROKER_URL" else (store and store.name) or CACHE


def _read(reads: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Of the variables that settings read those that a service is meant by."""
    return {name: CONVENTIONS[name] for name in reads if name in CONVENTIONS}
