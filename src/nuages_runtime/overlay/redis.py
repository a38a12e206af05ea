"""What keeps its data in the process, or on the developer's own Redis or Memcached: caches and channel layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nuages_runtime.overlay.change import ADDED, KEPT, REPLACED, Change, World, split

REDIS_CACHE = "django.core.cache.backends.redis.RedisCache"
REDIS_LAYER = "channels_redis.core.RedisChannelLayer"
_IN_PROCESS = ("locmem.LocMemCache", "layers.InMemoryChannelLayer")
HERE = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - compared, not bound
_WHY = "its Redis was on a developer's machine; now the one of REDIS_URL"
_DEVELOPMENT = ("memory", "redis", "rediss", "amqp", "pyamqp")


_MEMCACHED = {"pymemcache": "PyMemcacheCache", "pylibmc": "PyLibMCCache"}
_MEMCACHED_CACHE = "django.core.cache.backends.memcached"


def caches(world: World) -> Iterator[Change]:
    """The default cache and the channel layer in the services' stores: each process has a memory of its own, so what
    one keeps the others don't know. Where there is a Memcached, caching is what it is for.
    """
    url, memcached = world.variable("REDIS_URL"), world.variable("MEMCACHED_URL").partition("://")[2]
    own = world.own.get("CACHES")
    default = (own.get("default") if isinstance(own, Mapping) else None) or {}
    backend = str(default.get("BACKEND") or "")
    client = next((module for module in _MEMCACHED if world.installed(module)), None)
    if memcached and ("memcached" in backend.lower() or (client and _nowhere(backend))):
        yield _in_memcached(own if isinstance(own, Mapping) else {}, client or "pymemcache", memcached, world)
    elif url:
        yield from _caches(world, url)
    if url:
        yield from _layers(world, url)


def _nowhere(backend: str) -> bool:
    return not backend or backend.endswith(_IN_PROCESS)


def _in_memcached(declared: Mapping[str, Any], client: str, address: str, world: World) -> Change:
    """The default cache in Memcached; a project's own of that kind is led there from the developer's machine."""
    default = declared.get("default") or {}
    backend = str(default.get("BACKEND") or "")
    if _nowhere(backend):
        kept = {key: value for key, value in default.items() if key not in ("BACKEND", "LOCATION", "OPTIONS")}
        entry = {**kept, "BACKEND": f"{_MEMCACHED_CACHE}.{_MEMCACHED[client]}", "LOCATION": address}
        why = "was in each process's memory; now in the Memcached of MEMCACHED_URL"
        return Change("CACHES", REPLACED if default else ADDED, why, {**declared, "default": entry})
    location = default.get("LOCATION")
    places = [str(at) for at in (location if isinstance(location, list | tuple) else [location])]
    hosts = [place.rpartition(":")[0] or place for place in places]
    if all(host in HERE or world.of_compose(host) for host in hosts) and not any(world.said(at) for at in places):
        why = "its Memcached was on a developer's machine; now the one of MEMCACHED_URL"
        return Change("CACHES", REPLACED, why, {**declared, "default": {**default, "LOCATION": address}})
    return Change("CACHES", KEPT, f"the project's own {backend.rpartition('.')[2]}")


def _caches(world: World, url: str) -> Iterator[Change]:
    own = world.own.get("CACHES")
    declared = own if isinstance(own, Mapping) else {}
    default = declared.get("default") or {}
    backend = str(default.get("BACKEND") or "")
    location = default.get("LOCATION")
    places = location if isinstance(location, list | tuple) and location else [location]
    if backend and not backend.endswith(_IN_PROCESS):
        if all(isinstance(at, str) and _left_behind(at, world) and not world.said(at) for at in places):
            moved = {**declared, "default": {**default, "LOCATION": url}}
            yield Change("CACHES", REPLACED, _WHY, moved)
        else:
            yield Change("CACHES", KEPT, f"the project's own {backend.rpartition('.')[2]}")
    elif not world.installed("redis"):
        yield Change("CACHES", KEPT, "in each process's memory: the project's dependencies lack the redis client")
    else:
        kept = {key: value for key, value in default.items() if key not in ("BACKEND", "LOCATION", "OPTIONS")}
        entry = {**kept, "BACKEND": REDIS_CACHE, "LOCATION": url}
        why = "was in each process's memory; now in the Redis of REDIS_URL"
        yield Change("CACHES", REPLACED if default else ADDED, why, {**declared, "default": entry})


def _layers(world: World, url: str) -> Iterator[Change]:
    own = world.own.get("CHANNEL_LAYERS")
    default = own.get("default") if isinstance(own, Mapping) else None
    if not isinstance(own, Mapping) or not isinstance(default, Mapping):
        return
    backend, config = str(default.get("BACKEND") or ""), default.get("CONFIG") or {}
    hosts = config.get("hosts") if isinstance(config, Mapping) else None
    here = isinstance(hosts, list | tuple) and bool(hosts) and all(_on_this_machine(host, world) for host in hosts)
    if backend.endswith(_IN_PROCESS) and world.installed("channels_redis"):
        layer: dict[str, object] = {"BACKEND": REDIS_LAYER, "CONFIG": {"hosts": [url]}}
        why = "was in each process's memory; now in the Redis of REDIS_URL"
    elif here and not any(world.said(host) for host in hosts or ()):
        layer = {**default, "CONFIG": {**config, "hosts": [url]}}
        why = _WHY
    else:
        return
    yield Change("CHANNEL_LAYERS", REPLACED, why, {**own, "default": layer})


def development(url: str) -> bool:
    """Whether an address is one of this machine alone: memory://, redis://localhost:6379/0."""
    parts = split(url)
    return parts.scheme in _DEVELOPMENT and (parts.scheme == "memory" or (parts.hostname or "localhost") in HERE)


def _left_behind(url: str, world: World) -> bool:
    """Whether an address is one of this machine, or of a compose file."""
    parts = split(url)
    return development(url) or (parts.scheme in ("redis", "rediss") and world.of_compose(parts.hostname))


def _on_this_machine(host: object, world: World) -> bool:
    """A host of channels_redis: a URL, ("127.0.0.1", 6379), or {"address": URL}."""
    if isinstance(host, Mapping):
        host = host.get("address")
    if isinstance(host, list | tuple):
        return bool(host) and (host[0] in HERE or world.of_compose(host[0]))
    return isinstance(host, str) and _left_behind(host, world)
