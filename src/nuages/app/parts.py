"""The parts of an App, everything derived and nothing left to default; components.py makes them of a spec."""

from __future__ import annotations

import msgspec

from nuages.app.connections import (
    BACKUP_CONNECTIONS,
    BEAT_CONNECTIONS,
    CLIENTS_PER_THREAD,
    CLIENTS_PER_WORKER,
    EXPORTER_CONNECTIONS,
    OPERATOR_CONNECTIONS,
    SCHEDULE_CONNECTIONS,
    Pool,
    Processes,
)
from nuages.app.timing import Timing, WorkerTiming
from nuages.spec import model
from nuages.spec.model import (
    Access,
    Autoscale,
    BuildOptions,
    Canary,
    ConnectionPool,
    Databases,
    Django,
    EnvValue,
    Expose,
    External,
    Extra,
    FileSource,
    Folder,
    FrontendApp,
    Hooks,
    Job,
    Limits,
    MediaBucket,
    MemcachedRun,
    Migrations,
    Network,
    Observability,
    Patch,
    Placement,
    PostgresRun,
    RabbitMQRun,
    RedisRun,
    Resources,
    Schedule,
    SecretSource,
    ServiceAccount,
    Static,
    WorkerCelery,
    WorkerTasks,
)


class Web(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of process that answers HTTP."""

    key: str
    """Its key in the spec: `main`."""
    name: str
    """What its objects are called: `blog-web-main`."""
    interface: str
    """wsgi or asgi."""
    server: str
    """gunicorn, uvicorn or granian; "" where a command serves."""
    command: list[str] | None
    """What serves in place of the runtime; then nobody answers the runtime's probes."""
    port: int
    routes: list[str]
    """The paths that lead to it from outside, longest first; none where it is for the inside only."""
    replicas: int
    """How many pods; where something scales it, how many it begins with."""
    autoscale: Autoscale | None = None
    most: int
    """How many pods there may be, the surge of a rollout apart."""
    surge: int
    """How many pods more than there are a rollout may start."""
    resources: Resources
    timing: Timing
    processes: Processes

    @property
    def connections(self) -> int:
        """The most that it opens to the database, in the middle of a rollout."""
        return (self.most + self.surge) * self.processes.workers * self.processes.threads

    @property
    def clients(self) -> int:
        """The most that it opens to Redis, in the middle of a rollout."""
        return CLIENTS_PER_THREAD * self.connections


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of process that does what requests leave for later: Celery's, django.tasks', or a command."""

    key: str
    name: str
    """What its objects are called: `blog-worker-default`."""
    celery: WorkerCelery | None
    tasks: WorkerTasks | None = None
    command: list[str] | None
    replicas: int
    """How many pods; where something scales it, how many it begins with."""
    autoscale: Autoscale | None = None
    most: int
    """How many pods there may be, while no rollout is under way."""
    resources: Resources
    timing: WorkerTiming
    pool: Pool

    @property
    def connections(self) -> int:
        """The most that it opens to the database: new pods work while all old ones finish their tasks."""
        return 2 * self.most * self.pool.connections

    @property
    def clients(self) -> int:
        """The most that it opens to Redis, while all old pods finish their tasks."""
        return CLIENTS_PER_THREAD * self.connections + CLIENTS_PER_WORKER * 2 * self.most


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """What sends tasks at their time: one pod."""

    name: str
    app: str
    """The Celery app, as `celery -A` takes it."""
    resources: Resources
    timing: WorkerTiming

    connections: int = BEAT_CONNECTIONS


class Postgres(msgspec.Struct, frozen=True, kw_only=True):
    """PostgreSQL run in the cluster."""

    name: str
    """What its objects are called, and the host name to reach it: `blog-postgres`."""
    run: PostgresRun
    max_connections: int


class CloudNativePG(msgspec.Struct, frozen=True, kw_only=True):
    """PostgreSQL that CloudNativePG's operator runs in the cluster."""

    name: str
    """What its Cluster is called: `blog-db`. The operator's own objects begin with it, none of which is ours."""
    run: model.CloudNativePG
    max_connections: int
    """Of each of its instances."""

    @property
    def host(self) -> str:
        """The Service that leads to the instance that is written to."""
        return f"{self.name}-rw"

    @property
    def secret(self) -> str:
        """The Secret with what opens it, which the operator writes."""
        return f"{self.name}-app"

    @property
    def authority(self) -> str:
        """The Secret with who vouches for it, which the operator writes as well."""
        return f"{self.name}-ca"


class PgBouncer(msgspec.Struct, frozen=True, kw_only=True):
    """PgBouncer before it."""

    name: str
    """What its objects are called, and the host name to reach it: `blog-pgbouncer`."""
    run: model.PgBouncer
    replicas: int
    surge: int
    """How many there may be more while they are rolled, those that end among them."""
    each: int
    """How many connections each of its pods opens to PostgreSQL; below 1 where none is left for it."""
    clients: int
    """How many sessions each of its pods lets in: all there may be, should it be the only one."""

    @property
    def connections(self) -> int:
        """The most that it opens to the database, in the middle of a rollout."""
        return (self.replicas + self.surge) * self.each


class Redis(msgspec.Struct, frozen=True, kw_only=True):
    """Redis run in the cluster."""

    name: str
    """What its objects are called, and the host name to reach it: `blog-redis`."""
    run: RedisRun
    broker: bool
    """Whether workers take their tasks from it: then it forgets nothing that has no end of its own."""
    storage: str | None
    """The size of its volume; None where it is a cache and what it holds may go."""
    max_memory: int
    """How much it may hold, in bytes."""


class RabbitMQ(msgspec.Struct, frozen=True, kw_only=True):
    """RabbitMQ run in the cluster."""

    name: str
    """What its objects are called, and the host name to reach it: `blog-rabbitmq`."""
    run: RabbitMQRun


class Memcached(msgspec.Struct, frozen=True, kw_only=True):
    """Memcached run in the cluster."""

    name: str
    """What its objects are called, and the host name to reach it: `blog-memcached`."""
    run: MemcachedRun


class Frontend(msgspec.Struct, frozen=True, kw_only=True):
    """A front end that Node builds and nginx serves."""

    key: str
    name: str
    """What its objects are called: `blog-frontend-spa`."""
    frontend: FrontendApp


class Scheduled(msgspec.Struct, frozen=True, kw_only=True):
    """A command at its time."""

    key: str
    name: str
    """What its CronJob is called: `blog-schedule-clearsessions`."""
    schedule: Schedule


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of the project that is written to."""

    key: str
    name: str
    """What its claim is called: `blog-volume-data`."""
    folder: Folder

    @property
    def one_node(self) -> bool:
        """Whether only the pods of one node can have it at once."""
        return not self.folder.temporary and self.folder.access_mode == "ReadWriteOnce"


def spoken(environment: str) -> str:
    """How a command that is hinted at names an environment: ` -e staging`; nothing for `local`, which goes unsaid."""
    return "" if environment == "local" else f" -e {environment}"


class App(msgspec.Struct, frozen=True, kw_only=True):
    """One app in one environment."""

    name: str
    environment: str
    namespace: str
    cluster: str | None
    """The kubeconfig context the environment is bound to; None where the user's current one is meant."""
    image: str
    """The repository; a release adds the digest."""
    image_pull_secret: str | None
    django: Django
    build: BuildOptions
    web: dict[str, Web]
    workers: dict[str, Worker]
    beat: Beat | None
    migrations: Migrations
    postgres: Postgres | None
    pgbouncer: PgBouncer | None
    redis: Redis | None
    rabbitmq: RabbitMQ | None
    memcached: Memcached | None
    external: dict[str, External]
    """The services that somebody else runs, by their key in the spec: postgres, redis, rabbitmq, memcached."""
    databases: Databases
    pool: ConnectionPool
    static: Static
    media: model.Volume | None
    """Where uploads live: a volume, or"""
    bucket: MediaBucket | None
    """a bucket."""
    volumes: dict[str, Volume]
    schedules: dict[str, Scheduled]
    jobs: dict[str, Job]
    """Commands on demand."""
    frontends: dict[str, Frontend]
    expose: Expose | None
    env: dict[str, EnvValue]
    secrets: dict[str, SecretSource]
    files: dict[str, FileSource]
    account: ServiceAccount
    network: Network
    placement: Placement
    sidecars: dict[str, Extra]
    init: dict[str, Extra]
    limits: Limits | None
    access: Access
    objects: list[str]
    """Files of objects that are applied with the app's, relative to the project's root."""
    inlined: dict[str, str] = {}
    """What stands in files beside the spec, by their paths there."""
    patches: list[Patch]
    canary: Canary
    hooks: Hooks
    observability: Observability
    confirm: bool = False
    """Whether what changes it asks for its name first."""
    template: str = ""
    """Which template the environment is made from; most are made from none."""
    ttl: float | None = None
    """How many seconds it lives, where it is made from one."""
    seed: str = ""
    """The job that fills its database, once."""
    cloudnativepg: CloudNativePG | None = None
    """The PostgreSQL that an operator runs; then `postgres` is None."""

    @property
    def max_connections(self) -> int | None:
        """How many sessions PostgreSQL lets in; None where nobody here can tell."""
        store = self.postgres or self.cloudnativepg
        return store.max_connections if store else None

    @property
    def memory(self) -> str:
        """Where the spec says how much memory PostgreSQL has, from which its connections follow."""
        return f"services.postgres.{'cloudnativepg' if self.cloudnativepg else 'run'}.resources.memory"

    @property
    def instance(self) -> str:
        """What tells this app's objects from those of its other environments."""
        return f"{self.name}-{self.environment}"

    @property
    def secret(self) -> str:
        """The Secret that is the source of its secret variables; each release reads an immutable copy of it."""
        return f"{self.name}-secrets"

    @property
    def replicated(self) -> list[Web | Worker]:
        """The components of which there may be several pods, webs first."""
        return [*self.web.values(), *self.workers.values()]

    @property
    def connected(self) -> list[Web | Worker | Beat | PgBouncer]:
        """Whose connections to the database are always there: where there is a pooler, it stands for all behind it."""
        behind = [self.pgbouncer] if self.pgbouncer else self.replicated
        return [*behind, *([self.beat] if self.beat else [])]

    @property
    def passing(self) -> int:
        """The most connections of what comes and goes: what runs at its time, a backup, who asks for metrics."""
        run = self.postgres.run if self.postgres else PostgresRun()
        beside = (BACKUP_CONNECTIONS if run.backup else 0) + (EXPORTER_CONNECTIONS if run.exporter else 0)
        beside += OPERATOR_CONNECTIONS if self.cloudnativepg else 0
        return SCHEDULE_CONNECTIONS * len(self.schedules) + beside

    @property
    def celery(self) -> bool:
        """Whether a component of it is Celery's."""
        return self.beat is not None or any(worker.celery for worker in self.workers.values())

    def declares(self, variable: str) -> bool:
        """Whether the spec has a variable, plain or secret: then nothing else sets it."""
        return variable in self.env or variable in self.secrets
