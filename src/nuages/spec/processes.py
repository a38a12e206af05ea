"""The spec's parts about processes: webs, workers, beat, and the migrate Job."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from nuages.spec.forms import CeleryApp, Command, Cpu, Cron, Duration, Memory, MigrationName, Part, Queue, Route

Interface = Literal["wsgi", "asgi"]
Server = Literal["gunicorn", "uvicorn", "granian"]
Pool = Literal["prefork", "threads", "gevent", "solo"]


class Resources(Part, frozen=True, kw_only=True):
    """What a container asks for; its memory limit equals its request, and its CPU is not limited."""

    cpu: Annotated[
        Cpu, Meta(description="CPU that is set aside: 250m is a quarter of a core.", examples=["250m", "1"])
    ] = "100m"
    memory: Annotated[
        Memory, Meta(description="Memory, set aside and at the same time the limit.", examples=["256Mi"])
    ] = "256Mi"


class Autoscale(Part, frozen=True, kw_only=True):
    """How many pods there are, by what they have to do."""

    min: Annotated[Annotated[int, Meta(ge=0, le=1000)], Meta(description="Never fewer.")] = 1
    max: Annotated[Annotated[int, Meta(ge=1, le=1000)], Meta(description="Never more.", examples=[10])]
    cpu: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | None,
        Meta(description="Percent of the CPU request that each pod should use on average.", examples=[70]),
    ] = None
    memory: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | None,
        Meta(description="Percent of the memory request that each pod should use on average.", examples=[80]),
    ] = None
    requests_per_second: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(
            description="Of a web: requests that each pod should answer; needs an adapter for pods' metrics.",
            examples=[50],
        ),
    ] = None
    queue_length: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Of a Celery worker: waiting tasks for each pod; needs KEDA.", examples=[50]),
    ] = None


class Web(Part, frozen=True, kw_only=True):
    """A process that answers HTTP."""

    interface: Annotated[Interface, Meta(description="How the server calls the project.")] = "wsgi"
    server: Annotated[
        Server | None, Meta(description="The server; left out, gunicorn for wsgi and uvicorn for asgi.")
    ] = None
    command: Annotated[
        Command | None,
        Meta(
            description="What serves, in place of a server of ours; it listens on `port` of all addresses.",
            examples=[["daphne", "-e", "tcp:8000", "blog.asgi:application"]],
        ),
    ] = None
    port: Annotated[int, Meta(ge=1024, le=65535, description="The port it listens on inside its pod.")] = 8000
    routes: Annotated[
        list[Route] | None,
        Meta(
            description="The paths it answers, with all below them; left out, everything for the first web and nothing "
            "from outside for the others.",
            examples=[["/"]],
        ),
    ] = None
    replicas: Annotated[int, Meta(ge=0, le=1000, description="How many pods serve.", examples=[3])] = 1
    autoscale: Annotated[
        Autoscale | None,
        Meta(description="As many pods as there is to do, in place of replicas.", examples=[{"max": 10, "cpu": 70}]),
    ] = None
    request_timeout: Annotated[
        Duration,
        Meta(
            description="The longest a request may take; the time-outs of server, proxy and pod follow from it.",
            examples=["30s", "2m"],
        ),
    ] = "30s"
    resources: Annotated[Resources, Meta(description="CPU and memory of each pod.")] = Resources()


class WorkerCelery(Part, frozen=True, kw_only=True):
    """A Celery worker."""

    app: Annotated[CeleryApp, Meta(description="The Celery app, as `celery -A` takes it.", examples=["blog"])]
    queues: Annotated[
        list[Queue], Meta(description="The queues it takes tasks from; left out, the app's own.", examples=[["celery"]])
    ] = field(default_factory=list)
    pool: Annotated[Pool, Meta(description="How it runs tasks side by side.")] = "prefork"
    concurrency: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | None,
        Meta(description="How many tasks at once in each pod; left out, what the CPU allows.", examples=[4]),
    ] = None


class WorkerTasks(Part, frozen=True, kw_only=True):
    """The database worker of django.tasks: `db_worker` of django-tasks-db, or of django-tasks before that."""

    queues: Annotated[
        list[Queue],
        Meta(description="The queues it takes tasks from, or `*`; left out, `default`.", examples=[["default"]]),
    ] = field(default_factory=list)
    backend: Annotated[
        str | None,
        Meta(description="The backend, by its name in TASKS; left out, `default`.", examples=["default"]),
    ] = None


class Worker(Part, frozen=True, kw_only=True):
    """A process that does what requests leave for later: a Celery worker, django.tasks' own, or a command."""

    celery: Annotated[WorkerCelery | None, Meta(description="A Celery worker.", examples=[{"app": "blog"}])] = None
    tasks: Annotated[
        WorkerTasks | None,
        Meta(description="The database worker of django.tasks: tasks are rows.", examples=[{"queues": ["default"]}]),
    ] = None
    command: Annotated[
        Command | None,
        Meta(description="A worker of another kind.", examples=[["python", "manage.py", "qcluster"]]),
    ] = None
    replicas: Annotated[int, Meta(ge=0, le=1000, description="How many pods work.", examples=[2])] = 1
    autoscale: Annotated[
        Autoscale | None,
        Meta(
            description="As many pods as there is to do, in place of replicas.",
            examples=[{"max": 8, "queueLength": 50}],
        ),
    ] = None
    longest_task: Annotated[
        Duration,
        Meta(
            description="The longest a task may take; a pod that is to end gets this time to finish its tasks.",
            examples=["10m"],
        ),
    ] = "10m"
    resources: Annotated[Resources, Meta(description="CPU and memory of each pod.")] = Resources()


class BeatCelery(Part, frozen=True, kw_only=True):
    """Celery's beat."""

    app: Annotated[CeleryApp, Meta(description="The Celery app, as `celery -A` takes it.", examples=["blog"])]


class Beat(Part, frozen=True, kw_only=True):
    """What sends tasks at their time: exactly one pod."""

    celery: Annotated[BeatCelery, Meta(description="Celery's beat.", examples=[{"app": "blog"}])]
    resources: Annotated[Resources, Meta(description="CPU and memory of its pod.")] = Resources()


class Schedule(Part, frozen=True, kw_only=True):
    """A command at its time, in a pod of its own; exactly one of manage and command."""

    cron: Annotated[Cron, Meta(description="When.", examples=["0 3 * * *"])]
    manage: Annotated[Command | None, Meta(description="A manage.py command.", examples=[["clearsessions"]])] = None
    command: Annotated[Command | None, Meta(description="Any command.", examples=[["python", "report.py"]])] = None
    time_zone: Annotated[str, Meta(description="In which the time is meant.", examples=["Europe/Berlin"])] = "Etc/UTC"
    overlap: Annotated[
        Literal["forbid", "allow", "replace"],
        Meta(description="What happens where the one before still runs."),
    ] = "forbid"
    suspended: Annotated[bool, Meta(description="Not for the time being.")] = False
    starting_deadline: Annotated[
        Duration,
        Meta(
            description="How late it may still start, where the cluster was away at its time or the one before ran on.",
            examples=["10m"],
        ),
    ] = "1h"
    history: Annotated[
        Annotated[int, Meta(ge=0, le=100)],
        Meta(description="How many of those that ended stay to be read: so many that went well, so many that failed."),
    ] = 3
    timeout: Annotated[Duration, Meta(description="It is ended after this.", examples=["1h"])] = "1h"
    retries: Annotated[Annotated[int, Meta(ge=0, le=20)], Meta(description="How often it is tried again.")] = 0
    resources: Annotated[Resources, Meta(description="CPU and memory of its pod.")] = Resources()


class Job(Part, frozen=True, kw_only=True):
    """A command on demand, in a pod of its own: `nuages run NAME`; exactly one of manage and command."""

    manage: Annotated[Command | None, Meta(description="A manage.py command.", examples=[["loaddata", "demo"]])] = None
    command: Annotated[Command | None, Meta(description="Any command.", examples=[["python", "import.py"]])] = None
    timeout: Annotated[Duration, Meta(description="It is ended after this.", examples=["1h"])] = "1h"
    resources: Annotated[Resources, Meta(description="CPU and memory of its pod.")] = Resources()


class PgBouncerResources(Resources, frozen=True, kw_only=True):
    """What each pod of PgBouncer asks for."""

    cpu: Annotated[Cpu, Meta(description="CPU that is set aside.", examples=["50m"])] = "50m"
    memory: Annotated[Memory, Meta(description="Memory; a thousand clients take 2Mi.", examples=["64Mi"])] = "64Mi"


class PgBouncer(Part, frozen=True, kw_only=True):
    """A pooler before PostgreSQL in the cluster: webs and workers share its connections, transaction by transaction."""

    connections: Annotated[
        Annotated[int, Meta(ge=1, le=500)] | None,
        Meta(
            description="How many connections each of its pods opens to PostgreSQL at most; left out, what all others "
            "leave of max_connections, shared out.",
            examples=[20],
        ),
    ] = None
    replicas: Annotated[Annotated[int, Meta(ge=1, le=20)], Meta(description="How many pods.", examples=[2])] = 2
    resources: Annotated[PgBouncerResources, Meta(description="CPU and memory.")] = PgBouncerResources()


class ConnectionPool(Part, frozen=True, kw_only=True):
    """How the project's webs keep connections to the database."""

    pgbouncer: Annotated[
        PgBouncer | None,
        Meta(description="Let webs and workers share connections, transaction by transaction.", examples=[{}]),
    ] = None

    size: Annotated[
        Annotated[int, Meta(ge=1, le=100)] | None,
        Meta(
            description="How many connections each process of a web opens at most, and so how many requests it answers "
            "at a time; left out, 4.",
            examples=[4],
        ),
    ] = None


class MigrateResources(Resources, frozen=True, kw_only=True):
    """What the migrate Job asks for; data migrations are hungrier than requests."""

    memory: Annotated[
        Memory, Meta(description="Memory, set aside and at the same time the limit.", examples=["512Mi"])
    ] = "512Mi"


class Migrations(Part, frozen=True, kw_only=True):
    """How the database is brought to what an image expects, before its pods start."""

    contract: Annotated[
        Literal["next-release", "after-rollout", "manual"],
        Meta(description="When what migrations take away really goes, so that going back stays possible until then."),
    ] = "next-release"
    settle: Annotated[
        Duration,
        Meta(description="With contract after-rollout: how long the new version serves before.", examples=["1h"]),
    ] = "0s"
    classes: Annotated[
        dict[MigrationName, Literal["expand", "backfill", "contract", "unsafe"]],
        Meta(
            description="What a migration does to running code, where it can't be known: of RunPython and RunSQL.",
            examples=[{"blog.0005_fill_slugs": "backfill"}],
        ),
    ] = field(default_factory=dict)
    timeout: Annotated[Duration, Meta(description="The migrate Job is ended after this.", examples=["30m"])] = "30m"
    lock_timeout: Annotated[
        Duration,
        Meta(description="How long a statement may wait for a lock while the old version serves.", examples=["2s"]),
    ] = "2s"
    resources: Annotated[MigrateResources, Meta(description="CPU and memory of the migrate Job.")] = MigrateResources()
