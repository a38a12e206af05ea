"""How large and how small things may be, how old, and where not: what the cluster would refuse, or never start."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from nuages.spec.model import EnvironmentSpec
from nuages.spec.units import bytes_of, millicores, seconds
from nuages.spec.validate import Mistake

LONGEST_NAME = 63
"""Of a label of DNS, and so of a Service: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4"""

LEAST_MEMORY = 6 * 1024**2
"""What a container needs to start at all: its runtime is in the same cgroup for a moment, and is killed with less."""

MOST = {
    "a duration": (seconds, 3660 * 86400, "ten years"),
    "an amount of memory": (bytes_of, 2**50, "1Pi"),
    "an amount of CPU": (millicores, 1_000_000, "a thousand cores"),
}
"""Beyond it a number was mistyped; far beyond it, the API server takes none (probes count in 32 bits)."""

OLDEST = {"postgres": 13, "redis": 6, "valkey": 7, "rabbitmq": 3}
"""The first that has what nuages relies on: scram for all, users by ACL, an image at all."""

OLDEST_PYTHON = 10
"""Of Python 3: what nuages_runtime runs on."""


def broken(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Every rule about them that a spec breaks."""
    yield from _versions(spec)
    yield from _own(spec)


def amount(title: str, text: str) -> str:
    """What is wrong with an amount; "" where nothing is."""
    of, most, named = MOST[title]
    if not of(text):
        return "must be more than nothing"
    return f"is more than {named}" if of(text) > most else ""


def too_little(text: str) -> str:
    """What is wrong with a container's memory; "" where nothing is."""
    if 0 < bytes_of(text) < LEAST_MEMORY:
        return f"is less than any container starts with ({LEAST_MEMORY // 1024**2}Mi)"
    return ""


def _versions(spec: EnvironmentSpec) -> Iterator[Mistake]:
    python = int(spec.django.python.partition(".")[2])
    if python < OLDEST_PYTHON and spec.build.dockerfile is None:
        message = f"{spec.django.python} is older than what runs beside the project (3.{OLDEST_PYTHON})"
        yield Mistake("spec.E273", ("django", "python"), message, 'write "3.13"')
    services = spec.services
    postgres, redis, rabbitmq = services.postgres, services.redis, services.rabbitmq
    engine = redis.run.engine if redis and redis.run else "redis"
    for service, way, name, run in (
        ("postgres", "run", "postgres", postgres.run if postgres else None),
        ("postgres", "cloudnativepg", "postgres", postgres.cloudnativepg if postgres else None),
        ("redis", "run", engine, redis.run if redis else None),
        ("rabbitmq", "run", "rabbitmq", rabbitmq.run if rabbitmq else None),
    ):
        if run and int(run.version) < OLDEST[name]:
            message = f"{name} {run.version} is older than nuages can run"
            yield Mistake("spec.E273", ("services", service, way, "version"), message, f"{OLDEST[name]} or later")


def _own(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Who is elsewhere is not in the pod itself, but for a proxy that a sidecar is: beside a migrate Job there is none,
    and only a patch puts one there.
    """
    for name in spec.services.__struct_fields__:
        store = getattr(spec.services, name)
        beside = spec.patches or (spec.sidecars and name != "postgres")
        if store and store.external and _loops(store.external.host) and not beside:
            message = f"{store.external.host} is each pod itself, where nothing answers"
            hint = "the name by which pods reach it; a proxy to it has a Deployment and a Service of its own (objects)"
            yield Mistake("spec.E274", ("services", name, "external", "host"), message, hint)


def _loops(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
