"""Task queues whose server is the developer's own machine: Celery, RQ, Huey, Django Q."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping

from nuages_runtime.overlay.change import ADDED, REPLACED, Change, World, split
from nuages_runtime.overlay.redis import HERE, development

_WHY = "its Redis was on localhost; now the services' one"
_PLACE = ("HOST", "PORT", "DB", "USERNAME", "PASSWORD", "SSL", "USE_REDIS_CACHE")


def queues(world: World) -> Iterator[Change]:
    """Each library's own setting, where it names localhost. What names another server is the project's choice."""
    yield from _celery(world)
    if url := _tasks(world):
        for setting, moved in (("RQ_QUEUES", _rq), ("HUEY", _huey), ("Q_CLUSTER", _django_q)):
            own = world.own.get(setting)
            if isinstance(own, Mapping) and (value := moved(own, url)) is not None:
                yield Change(setting, REPLACED, _WHY, value)


def _celery(world: World) -> Iterator[Change]:
    """Whatever the namespace: every setting that ends with BROKER_URL or RESULT_BACKEND.

    Celery itself reads CELERY_BROKER_URL and CELERY_RESULT_BACKEND before any setting, so what is absent needs nothing.
    """
    broker = world.variable("CELERY_BROKER_URL")
    results = world.variable("CELERY_RESULT_BACKEND") or _tasks(world)
    for setting, own in sorted(world.own.items()):
        for ending, url in (("BROKER_URL", broker), ("RESULT_BACKEND", results)):
            if setting.endswith(ending) and url and isinstance(own, str) and not world.said(own):
                if development(own):
                    yield Change(setting, REPLACED, "pointed at localhost", url)
                elif own and own != url and ending == "BROKER_URL":
                    yield Change(setting, REPLACED, "Celery itself reads CELERY_BROKER_URL first", url)
    yield from _encrypted(world, broker)


def _encrypted(world: World, broker: str) -> Iterator[Change]:
    """How Celery proves whom it talks to at RabbitMQ, of which an address can say nothing.

    https://docs.celeryq.dev/en/stable/userguide/configuration.html#broker-use-ssl, in the project's own namespace.
    """
    said = world.variable("NUAGES_BROKER_TLS")
    if not said or not broker.startswith("amqps"):
        return
    spaces = {name.removesuffix("BROKER_URL") for name in world.own if name.endswith("BROKER_URL")} or {"CELERY_"}
    strict = {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": said, "server_hostname": split(broker).hostname}
    for setting in sorted(f"{space}BROKER_USE_SSL" for space in spaces):
        if setting not in world.own:
            value = {"cert_reqs": ssl.CERT_NONE} if said == "require" else strict
            yield Change(setting, ADDED, "services.rabbitmq.external.tls", value)


def _tasks(world: World) -> str:
    """Where tasks and their results go: beside the cache, not into its database, for clearing a cache empties that."""
    broker = world.variable("CELERY_BROKER_URL")
    if broker.startswith("redis"):
        return broker
    url = world.variable("REDIS_URL")
    parts = split(url)
    return parts._replace(path="/1").geturl() if parts.scheme and parts.path in ("", "/", "/0") else url


def _rq(own: Mapping[str, object], url: str) -> dict[str, object] | None:
    """RQ_QUEUES = {"default": {"HOST": "localhost", "PORT": 6379, "DB": 0}}, or a URL."""
    here = {
        name: queue
        for name, queue in own.items()
        if isinstance(queue, Mapping) and (queue.get("HOST") in HERE or development(str(queue.get("URL") or "none:")))
    }
    moved = {
        name: {key: queue[key] for key in queue if key not in _PLACE} | {"URL": url} for name, queue in here.items()
    }
    return {**own, **moved} if moved else None


def _huey(own: Mapping[str, object], url: str) -> dict[str, object] | None:
    """HUEY = {"connection": {"host": "localhost", "port": 6379}}; without any, its Redis is on localhost too."""
    connection = own.get("connection") or {}
    kind = str(own.get("huey_class") or own.get("backend_class") or "huey.RedisHuey")
    if "Redis" not in kind or not isinstance(connection, Mapping) or own.get("url"):
        return None
    said = connection.get("url") or connection.get("host") or "localhost"
    if said not in HERE and not development(str(said)):
        return None
    kept = {key: value for key, value in connection.items() if key.upper() not in _PLACE}
    return {**own, "connection": {**kept, "url": url}}


def _django_q(own: Mapping[str, object], url: str) -> dict[str, object] | None:
    """Q_CLUSTER = {"redis": {"host": "127.0.0.1", "port": 6379}}, or a URL; its other brokers are other keys."""
    redis = own.get("redis")
    host = redis.get("host", "localhost") if isinstance(redis, Mapping) else None
    here = host in HERE if isinstance(redis, Mapping) else isinstance(redis, str) and development(redis)
    return {**own, "redis": url} if here else None
