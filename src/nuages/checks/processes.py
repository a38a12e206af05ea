"""Findings about the processes of an app: what they serve, where their tasks come from, how they are reached."""

from __future__ import annotations

import itertools
import re

from nuages.app import stores
from nuages.app.brokers import broker
from nuages.app.build import Build
from nuages.app.components import App
from nuages.findings import Finding, Level, Place
from nuages.render.environment import METRICS_PORT
from nuages.render.jobs import migrates
from nuages.render.release import Release

# A variable by which a project may tell Celery of a broker, whatever it calls it.
_BROKER = re.compile(r"BROKER|AMQP|RABBIT|REDIS|SQS")
# Redis gives a task to a second worker when nobody has said within this time that it is done
# (https://docs.celeryq.dev/en/stable/getting-started/backends-and-brokers/redis.html#visibility-timeout).
VISIBILITY_SECONDS = 3600
# What `celery` takes before its command, each with a value (https://docs.celeryq.dev/en/stable/reference/cli.html).
_NAMED = {"-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config", "--workdir"}


def check(app: App, build: Build | None) -> list[Finding]:
    """Every finding about webs, workers and beat; paths are those of the spec."""
    return [
        *_broker(app),
        *_beats(app),
        *_long_tasks(app),
        *_measured(app),
        *_ports(app),
        *_reached(app),
        *_migrated(app),
        *_called(app, build),
        *_kept(app, build),
    ]


def _broker(app: App) -> list[Finding]:
    """Tasks come from somewhere; where nothing says so, Celery would ask for RabbitMQ on its own pod for ever."""
    there = {"redis", "rabbitmq"} & {*stores.declared(app)}
    if not app.celery or there or any(_BROKER.search(name) for name in [*app.env, *app.secrets]):
        return []
    celery = [f"workers.{key}.celery" for key, worker in app.workers.items() if worker.celery]
    message = "no broker: nothing says where its tasks come from"
    hint = "services: {redis: {run: {}}} or {rabbitmq: {run: {}}}, or CELERY_BROKER_URL below env or secrets"
    return [Finding("app.E107", Level.ERROR, message, Place(path=[*celery, "beat.celery"][0]), hint)]


def _beats(app: App) -> list[Finding]:
    """Each of two sends every task at its time: `beat`, or a worker whose command is one, or has one in it (`-B`).

    A rollout of workers starts new pods beside old ones, so even one of those is two for a while.
    https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html#starting-the-scheduler
    """
    return [
        Finding(
            "app.E144",
            Level.ERROR,
            "a beat in a worker: each task would be sent twice beside another one, and while a release rolls",
            Place(path=f"workers.{key}.command"),
            f"beat: {{celery: {_app(worker.command)}}}, of which there is exactly one, and a worker without; "
            "what -S names is CELERY_BEAT_SCHEDULER in the settings",
        )
        for key, worker in app.workers.items()
        if worker.command and _beats_too(worker.command)
    ]


def _beats_too(command: list[str]) -> bool:
    """Whether it is Celery's beat, or a worker of Celery's with one in it; also below `sh -c`. RedBeat's are as many as
    one likes: only the one that has the lock sends.
    """
    words = [word for part in command for word in part.split()]
    starts = [index for index, word in enumerate(words) if word.rpartition("/")[2] == "celery"]
    after = words[starts[0] + 1 :] if starts else []
    if any("redbeat" in word.lower() for word in after):
        return False
    said = [word for before, word in itertools.pairwise(["", *after]) if before not in _NAMED]
    # What comes behind the first are names: of queues, of the worker itself.
    told = next((word for word in said if word in ("beat", "worker")), "")
    return told == "beat" or (told == "worker" and bool({"-B", "--beat"} & {*after}))


def _app(command: list[str]) -> str:
    """What stands behind -A, for the hint."""
    words = [word for part in command for word in part.split()]
    named = [after for before, after in itertools.pairwise(words) if before in ("-A", "--app")]
    named += [word.partition("=")[2] for word in words if word.startswith("--app=")]
    return named[0] if named else "blog"


def _long_tasks(app: App) -> list[Finding]:
    return [
        Finding(
            "app.W108",
            Level.WARNING,
            f"Redis gives a task of more than {VISIBILITY_SECONDS // 60} minutes to a second worker too",
            Place(path=f"workers.{key}.longestTask"),
            "shorter tasks, or Celery's broker_transport_options = {'visibility_timeout': …} above it",
        )
        for key, worker in app.workers.items()
        if worker.celery and app.redis and app.redis.broker and worker.timing.task > VISIBILITY_SECONDS
    ]


def _measured(app: App) -> list[Finding]:
    """KEDA asks the broker itself how many tasks wait, so it must be known where that is and what opens it."""
    if broker(app) is not None:
        return []
    return [
        Finding(
            "app.E130",
            Level.ERROR,
            "nothing says where its queue is: the broker is in a variable of the project's own",
            Place(path=f"workers.{key}.autoscale.queueLength"),
            "services.redis or services.rabbitmq, run or external; or autoscale by cpu",
        )
        for key, worker in app.workers.items()
        if worker.autoscale and worker.autoscale.queue_length is not None
    ]


def _ports(app: App) -> list[Finding]:
    return [
        Finding(
            "app.E109",
            Level.ERROR,
            f"port {METRICS_PORT} is the one of the metrics",
            Place(path=f"web.{key}.port"),
            "another port, or observability: {metrics: false}",
        )
        for key, web in app.web.items()
        if web.port == METRICS_PORT and web.command is None and app.observability.metrics
    ]


def _reached(app: App) -> list[Finding]:
    """A load balancer and a node's port know no paths: they lead to the web that answers "/", and to no other."""
    if app.expose is None or app.expose.kind not in ("loadBalancer", "nodePort"):
        return []
    hint = "kind: ingress or gateway"
    if not any("/" in web.routes for web in app.web.values()):
        message = f'{app.expose.kind} leads to the web that answers "/", and none does'
        return [Finding("app.E110", Level.ERROR, message, Place(path="expose.kind"), f'routes: ["/"], or {hint}')]
    return [
        Finding(
            "app.W111",
            Level.WARNING,
            f"{route} is not reached from outside: {app.expose.kind} knows no paths",
            Place(path=f"web.{key}.routes"),
            hint,
        )
        for key, web in app.web.items()
        for route in web.routes
        if "/" not in web.routes
    ]


def _migrated(app: App) -> list[Finding]:
    if app.max_connections is None or app.databases.default is not None:
        return []
    message = "no database lives in it: there is no DATABASE_URL, and nothing migrates"
    place = Place(path="services.postgres")
    return [Finding("app.W112", Level.WARNING, message, place, "databases: {default: postgres}")]


def _kept(app: App, build: Build | None) -> list[Finding]:
    """SQLite is a file, and the root of a pod is read-only: no table would ever be made, and no pod be ready."""
    if build is None or build.engines.get("default") != "sqlite" or not build.migrations:
        return []
    if migrates(app, Release(number=1, template=1, build=build)):
        return []
    message = "the project's database is a file in the image, which no pod can write to"
    hint = "services: {postgres: {run: {}}} and databases: {default: postgres}, or its folder below volumes"
    return [Finding("app.E119", Level.ERROR, message, Place(path="databases"), hint)]


def _called(app: App, build: Build | None) -> list[Finding]:
    """A server needs an application of its interface in the project."""
    if build is None:
        return []
    known = {"wsgi": build.wsgi, "asgi": build.asgi}
    return [
        Finding(
            "app.E113",
            Level.ERROR,
            f"the project has no {web.interface.upper()} application",
            Place(path=f"web.{key}.interface"),
            next((f"interface: {other}" for other, there in known.items() if there), "a command that serves it"),
        )
        for key, web in app.web.items()
        if web.command is None and not known[web.interface]
    ]
