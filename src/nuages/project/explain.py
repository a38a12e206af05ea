"""explain(app): what follows from a spec in one environment, each value with its rule and where that comes from.

The numbers are those of app/timing.py and app/connections.py; their reasons stand here, beside one another, in the
words of those pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nuages.app import connections as rules
from nuages.app import timing as times
from nuages.app.components import App, Web, Worker
from nuages.app.connections import budget
from nuages.project.facts import Facts
from nuages.render import access, environment, outside


class Line(NamedTuple):
    """One value: where it belongs in the spec's words, what it is, and why."""

    path: str
    value: str
    why: str


def explain(app: App, facts: Facts | None = None) -> list[Line]:
    """Every value that is not written in the spec but follows from it."""
    return [
        Line("namespace", app.namespace, "name-environment, unless the environment has a namespace of its own"),
        *_overlay(app),
        *(line for web in app.web.values() for line in _web(web)),
        *(line for worker in app.workers.values() for line in _worker(worker)),
        *_stores(app),
        *_variables(app, facts),
    ]


def chosen(lines: list[Line], path: str) -> list[Line]:
    """The lines of a path, and below it: web.main has web.main.timing.grace."""
    return [line for line in lines if line.path == path or line.path.startswith(f"{path}.")]


def _overlay(app: App) -> Iterator[Line]:
    parts = environment.overlay(app)
    why = "django.overlay: what may be added to the settings; each change is listed above"
    yield Line("django.overlay", parts or "off", why)


def _web(web: Web) -> Iterator[Line]:
    at, timing = f"web.{web.key}", web.timing
    yield Line(
        f"{at}.server", web.server or "its own command", f"the one for {web.interface}, unless the spec names one"
    )
    processes = web.processes
    yield Line(f"{at}.processes", str(processes.workers), "one for each core of resources.cpu, at least one")
    yield Line(
        f"{at}.threads",
        str(processes.threads),
        "a thread waits for the database most of the time: so many keep a process busy",
    )
    yield Line(f"{at}.surge", str(web.surge), "pods more than replicas in a rollout: a quarter, at least one")
    yield Line(f"{at}.connections", str(web.connections), "(replicas + surge) x processes x threads, at the worst")
    yield Line(
        f"{at}.timing.server",
        f"{timing.server} s",
        "requestTimeout + 1: a request that takes all its time still answers",
    )
    yield Line(
        f"{at}.timing.graceful", f"{timing.graceful} s", "requestTimeout: running requests end before the server does"
    )
    yield Line(
        f"{at}.timing.preStop", f"{timing.pre_stop} s", "until every proxy knows that the pod gets no more requests"
    )
    yield Line(
        f"{at}.timing.grace",
        f"{timing.grace} s",
        f"preStop {timing.pre_stop} + graceful {timing.graceful} + {times.MARGIN_SECONDS} for the server's own end",
    )
    yield Line(
        f"{at}.timing.startup",
        f"{timing.startup_period * timing.startup_failures} s",
        "settings, apps and models load slowly where little CPU is set aside",
    )
    yield Line(
        f"{at}.timing.readiness",
        f"{timing.readiness_period * timing.readiness_failures} s",
        "out of the endpoints when it can't answer for so long, back at the first answer",
    )
    yield Line(
        f"{at}.timing.liveness",
        f"{timing.liveness_period * timing.liveness_failures} s",
        "a restart only when it was stuck for longer than any request may take",
    )


def _worker(worker: Worker) -> Iterator[Line]:
    at, timing = f"workers.{worker.key}", worker.timing
    if worker.celery:
        pool = worker.celery.pool
        yield Line(
            f"{at}.concurrency", str(worker.pool.concurrency), f"{pool}: what resources.cpu allows, unless it is said"
        )
    yield Line(f"{at}.connections", str(worker.connections), "twice: new pods work while old ones finish their tasks")
    yield Line(
        f"{at}.timing.grace",
        f"{timing.grace} s",
        f"longestTask {timing.task} + {timing.soft} to give the last task back + {times.MARGIN_SECONDS}",
    )
    yield Line(f"{at}.timing.alive", f"{timing.alive} s", "its sign of life is younger than this, or its loop is stuck")


def _stores(app: App) -> Iterator[Line]:
    if app.max_connections is not None:
        wanted = budget([each.connections for each in app.connected], app.max_connections, app.passing)
        megabytes = rules.BYTES_PER_CONNECTION // 1024**2
        yield Line(
            "services.postgres.maxConnections",
            str(app.max_connections),
            f"half of its memory, {megabytes} MiB for each; {wanted.wanted} are wanted at the worst",
        )
    if app.redis:
        yield Line(
            "services.redis.maxMemory", f"{app.redis.max_memory // 1024**2} MiB", "what its memory leaves beside itself"
        )
        why = "workers take their tasks from it, so they outlive its pod" if app.redis.broker else "a cache may forget"
        yield Line("services.redis.storage", app.redis.storage or "none", why)


def _variables(app: App, facts: Facts | None) -> Iterator[Line]:
    """The variables that the project's pods get beside those that the spec declares."""
    told = {
        "NUAGES_HOSTS": (outside.hosts(app), "for ALLOWED_HOSTS: expose.hosts, and the Service's own name"),
        "NUAGES_ORIGINS": (outside.origins(app), "for CSRF_TRUSTED_ORIGINS: the hosts with their scheme"),
        "NUAGES_PROXY": (
            outside.proxy(app),
            "https, where TLS ends before the pod and the way in sets X-Forwarded-Proto",
        ),
    }
    for name, (value, why) in told.items():
        if value:
            yield Line(f"env.{name}", value, why)
    asked = [variable.name for variable in facts.variables] if facts else []
    for name, (value, why) in access.explained(app, asked).items():
        yield Line(f"env.{name}", value, why)
    for name, source in sorted(app.secrets.items()):
        made = "made in the cluster once" if source.generate else "set by `nuages secrets set`"
        yield Line(f"secrets.{name}", "", f"of Secret {source.secret}" if source.secret else made)
    for name in sorted(app.env):
        read = facts.variable(name) if facts else None
        if read:
            setting = f" for {read.setting}" if read.setting else ""
            yield Line(f"env.{name}", app.env[name].value or "", f"read in {read.place}{setting}")
