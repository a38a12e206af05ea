"""The spec's parts about processes: webs, workers, beat, and the migrate Job."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from nuages.spec.forms import CeleryApp, Command, Cpu, Duration, Memory, MigrationName, Part, Queue, Route

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


class Worker(Part, frozen=True, kw_only=True):
    """A process that does what requests leave for later: a Celery worker, or a command."""

    celery: Annotated[WorkerCelery | None, Meta(description="A Celery worker.", examples=[{"app": "blog"}])] = None
    command: Annotated[
        Command | None,
        Meta(description="A worker that is not Celery's.", examples=[["python", "manage.py", "qcluster"]]),
    ] = None
    replicas: Annotated[int, Meta(ge=0, le=1000, description="How many pods work.", examples=[2])] = 1
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
