"""Data stores: what their numbers follow from, and where each is, in the cluster or elsewhere."""

from __future__ import annotations

import math

import msgspec

from nuages.app.parts import App, CloudNativePG, Memcached, Postgres, RabbitMQ, Redis
from nuages.spec.model import EnvironmentSpec, External, SecretSource
from nuages.spec.units import bytes_of

SERVICES = ("postgres", "redis", "rabbitmq", "memcached")
"""What a data store is called in the spec, in the order in which they are rendered."""

IN_URL = "_URL"
"""Behind a variable's name: its value as a URL writes it."""

PORTS = {"postgres": 5432, "redis": 6379, "rabbitmq": 5672, "memcached": 11211}
# https://www.rabbitmq.com/docs/ssl: AMQP over TLS has a port of its own; what the others add TLS to stays on theirs.
TLS_PORTS = PORTS | {"rabbitmq": 5671}

EXPORTERS = {"postgres": 9187, "redis": 9121}
"""Where the exporters of those that have one answer, as they do unasked."""

# https://www.rabbitmq.com/docs/memory#memory-threshold: 60% since RabbitMQ 4; the rest is for what paging takes.
_WATERMARK = 0.6
# https://www.rabbitmq.com/docs/production-checklist#resource-limits-disk: never so full that nothing can be written.
_DISK_RESERVE = 0.2
# https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout: a consumer that holds a message longer loses its
# channel; half an hour by default. Celery holds a task with an ETA, or with acks_late, that long.
_SHORTEST_CONSUMER_TIMEOUT = 24 * 3600
# https://github.com/memcached/memcached/wiki/ConfiguringServer: what connections and its hash table take beside items.
_OF_MEMORY = 0.75
# Of Memcached (-c), as of its own default.
MEMCACHED_CLIENTS = 1024

# https://cloudnative-pg.io/docs/current/applications: its operator's Secret says where as well, and who.
_TOLD = {"user", "username", "dbname", "host", "port"}

Run = Postgres | Redis | RabbitMQ | Memcached


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """How one data store is reached, wherever it is. Nothing secret: values lie below the keys of a Secret."""

    service: str
    """Its key in the spec."""
    host: str
    port: int
    name: str | None
    """The database, or the vhost; None where the Secret has it."""
    secret: str | None
    """The Secret with what opens it; None where nothing does."""
    keys: dict[str, str]
    """Of user, password and name those that lie in the Secret, and below which key."""
    user: str
    """Who it is opened for, where the Secret does not say."""
    tls: str = "disable"
    """disable, require or verify-full."""
    authority: str | None = None
    """What has, in its ca.crt, who signed its certificate: a ConfigMap, or"""
    vouched_by: str = "ConfigMap"
    """a Secret."""
    external: bool = False


def running(app: App) -> dict[str, Run]:
    """The data stores that run in the cluster, by their key in the spec."""
    stores = {"postgres": app.postgres, "redis": app.redis, "rabbitmq": app.rabbitmq, "memcached": app.memcached}
    return {service: store for service, store in stores.items() if store}


def exported(app: App) -> list[str]:
    """Those beside which a pod tells Prometheus of them."""
    asked = {"postgres": app.postgres and app.postgres.run.exporter, "redis": app.redis and app.redis.run.exporter}
    return [service for service in EXPORTERS if asked[service]]


def inside(app: App) -> list[str]:
    """Those that run in the cluster for this app alone, by whomever: what opens them stays in the Secret it is in."""
    return [service for service in SERVICES if service in running(app) or (service == "postgres" and app.cloudnativepg)]


def declared(app: App) -> list[str]:
    """All data stores of the app, run or external."""
    return [service for service in SERVICES if service in inside(app) or service in app.external]


def reached(app: App, service: str) -> Reached | None:
    """How one is reached; None where the app has none of it."""
    if external := app.external.get(service):
        return _external(app, service, external)
    if service == "postgres" and app.cloudnativepg:
        return _operated(app, app.cloudnativepg)
    store = running(app).get(service)
    return _run(app, service, store.name) if store else None


def external(app: App) -> list[Reached]:
    """Those that somebody else runs."""
    return [_external(app, service, app.external[service]) for service in SERVICES if service in app.external]


def variable(service: str, what: str) -> str:
    """The secret variable with what opens a service that somebody else runs: NUAGES_POSTGRES_PASSWORD."""
    return f"NUAGES_{service.upper()}_{what.upper()}"


def public(key: str) -> bool:
    """Whether what lies in a Secret under this key is said everywhere: who logs in, and to which database. It is often
    the app's own name, which nobody could read about if it were hidden.
    """
    told = {variable(service, what) for service in SERVICES for what in ("user", "name")}
    return key in _TOLD or key.removesuffix(IN_URL) in told


def secrets(declared: EnvironmentSpec) -> dict[str, SecretSource]:
    """What opens other people's services, as secret variables: so each release has its own copy of it, pods roll when
    it changes, and what is missing is found before anything is touched.
    """
    services = {name: getattr(declared.services, name) for name in SERVICES}
    return {
        variable(service, what): SecretSource(secret=store.external.secret, key=key)
        for service, store in services.items()
        if store and store.external and store.external.secret
        for what, key in _keys(service, store.external).items()
    }


def _run(app: App, service: str, host: str) -> Reached:
    keys = {
        # A rotation makes a second user: which of the two is to be used says the Secret.
        "postgres": {"user": "user", "password": "password"},
        "redis": {"password": "password"},
        # KEDA is told by reference only, and wants both (https://keda.sh/docs/latest/scalers/rabbitmq-queue/).
        "rabbitmq": {"user": "user", "password": "password"},
    }.get(service, {})
    return Reached(
        service=service,
        host=host,
        port=PORTS[service],
        name={"redis": "0", "memcached": ""}.get(service, app.name),
        secret=host if keys else None,
        keys=keys,
        user={"redis": "", "memcached": ""}.get(service, "app"),
    )


def _operated(app: App, store: CloudNativePG) -> Reached:
    """What its operator writes, and where: https://cloudnative-pg.io/docs/current/applications.

    Its certificate names the Service alone too; it and what opens it are there once the first instance is.
    """
    return Reached(
        service="postgres",
        host=store.host,
        port=PORTS["postgres"],
        name=app.name,
        secret=store.secret,
        keys={"user": "username", "password": "password"},
        user="app",
        tls="verify-full",
        authority=store.authority,
        vouched_by="Secret",
    )


def _external(app: App, service: str, external: External) -> Reached:
    name = external.name or {"redis": "0", "memcached": ""}.get(service, app.name)
    ports = PORTS if external.tls == "disable" else TLS_PORTS
    return Reached(
        service=service,
        host=external.host,
        port=external.port or ports[service],
        name=None if "name" in external.keys else name,
        secret=external.secret,
        keys=_keys(service, external) if external.secret else {},
        user="",
        tls=external.tls,
        authority=external.authority,
        external=True,
    )


def _keys(service: str, external: External) -> dict[str, str]:
    """A Secret has user and password; Redis asks for a user only where the spec says below which key it stands."""
    usual = {"postgres": ("user", "password"), "rabbitmq": ("user", "password"), "redis": ("password",)}
    return {what: what for what in usual.get(service, ())} | external.keys


def watermark(store: RabbitMQ) -> int:
    """From how many bytes of memory on RabbitMQ takes no more messages until some are worked off."""
    return int(bytes_of(store.run.resources.memory) * _WATERMARK)


def disk_reserve(store: RabbitMQ) -> int:
    """At how many bytes left on its volume it does the same."""
    return int(bytes_of(store.run.storage) * _DISK_RESERVE)


def consumer_timeout(app: App) -> int:
    """How many seconds a worker may hold a task: a day, and at least twice the longest one."""
    longest = max((worker.timing.task for worker in app.workers.values()), default=0)
    return math.ceil(max(_SHORTEST_CONSUMER_TIMEOUT, 2 * longest))


def megabytes(store: Memcached) -> int:
    """How much Memcached may hold."""
    return max(1, int(bytes_of(store.run.resources.memory) * _OF_MEMORY) // 1024**2)


def opens(app: App, name: str) -> str | None:
    """The service of somebody else that a secret variable opens; None where it is another one."""
    return next(
        (store.service for store in external(app) for what in store.keys if variable(store.service, what) == name), None
    )
