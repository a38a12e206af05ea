"""App: the spec resolved for one environment, with everything derived and nothing left to default."""

from __future__ import annotations

import math
import re

import msgspec

from nuages.app import buckets
from nuages.app.connections import COMMAND_CONNECTIONS, Pool, budget, max_connections, pool, processes, surge
from nuages.app.parts import (
    App,
    Beat,
    CloudNativePG,
    Frontend,
    Memcached,
    PgBouncer,
    Postgres,
    RabbitMQ,
    Redis,
    Scheduled,
    Volume,
    Web,
    Worker,
)
from nuages.app.scaling import at_first, at_most
from nuages.app.stores import secrets as opening
from nuages.app.timing import timing, worker_timing
from nuages.spec import files, model
from nuages.spec.load import Spec
from nuages.spec.units import bytes_of, millicores, seconds

__all__ = [
    "App",
    "Beat",
    "Frontend",
    "Memcached",
    "Postgres",
    "RabbitMQ",
    "Redis",
    "Scheduled",
    "Volume",
    "Web",
    "Worker",
    "resolve",
]

SERVERS = {"wsgi": "gunicorn", "asgi": "uvicorn"}
"""The server of a web that names none."""

PRODUCTION = re.compile(r"(^|-)(production|prod|prd|live)(-|$)")
"""Names of environments that are production, and so are confirmed by their name where the spec does not say."""

ROOT = "/"
BROKER_VARIABLE = "CELERY_BROKER_URL"
BROKER_STORAGE = "1Gi"


def resolve(spec: Spec, environment: str) -> App:
    """The app as it is in one environment.

    Raises:
        UsageError: the spec declares no such environment.
    """
    declared = spec.environment(environment)
    return _pooled(declared, _resolved(spec, environment, declared))


def _resolved(spec: Spec, environment: str, declared: model.EnvironmentSpec) -> App:
    return App(
        name=declared.name,
        environment=environment,
        namespace=declared.namespace or f"{declared.name}-{environment}",
        cluster=declared.cluster,
        image=declared.image,
        image_pull_secret=declared.image_pull_secret,
        django=declared.django,
        build=declared.build,
        web={key: _web(declared, key, web) for key, web in declared.web.items()},
        workers={key: _worker(declared, key, worker) for key, worker in declared.workers.items()},
        beat=_beat(declared),
        migrations=declared.migrations,
        postgres=_postgres(declared),
        pgbouncer=None,
        redis=_redis(declared),
        rabbitmq=_rabbitmq(declared),
        memcached=_memcached(declared),
        external=_external(declared),
        databases=declared.databases,
        pool=declared.pool,
        static=declared.static,
        media=declared.media.volume if declared.media else None,
        bucket=declared.media.bucket if declared.media else None,
        volumes={
            key: Volume(key=key, name=f"{declared.name}-volume-{key}", folder=folder)
            for key, folder in declared.volumes.items()
        },
        schedules={
            key: Scheduled(key=key, name=f"{declared.name}-schedule-{key}", schedule=schedule)
            for key, schedule in declared.schedules.items()
        },
        jobs=declared.jobs,
        frontends={
            key: Frontend(key=key, name=f"{declared.name}-frontend-{key}", frontend=frontend)
            for key, frontend in declared.frontends.items()
        },
        expose=declared.expose,
        env=declared.env,
        secrets=buckets.secrets(declared) | opening(declared),
        files=declared.files,
        account=declared.service_account,
        network=declared.network,
        placement=declared.placement,
        sidecars=declared.sidecars,
        init=declared.init,
        limits=declared.limits,
        access=declared.access,
        objects=declared.objects,
        inlined={file: spec.inlined[file] for _, file in files.named(declared) if file in spec.inlined},
        patches=declared.patches,
        canary=declared.canary,
        hooks=declared.hooks,
        observability=declared.observability,
        confirm=bool(PRODUCTION.search(environment)) if declared.confirm is None else declared.confirm,
        template=spec.template(environment),
        ttl=seconds(declared.ttl) if declared.ttl else None,
        seed=declared.seed or "",
        cloudnativepg=_cloudnativepg(declared),
    )


def _web(declared: model.EnvironmentSpec, key: str, web: model.Web) -> Web:
    return Web(
        key=key,
        name=f"{declared.name}-web-{key}",
        interface=web.interface,
        server="" if web.command else web.server or SERVERS[web.interface],
        command=web.command,
        port=web.port,
        routes=_routes(declared, key, web),
        replicas=at_first(web.replicas, web.autoscale),
        autoscale=web.autoscale,
        most=at_most(web.replicas, web.autoscale),
        surge=surge(at_most(web.replicas, web.autoscale)),
        resources=web.resources,
        timing=timing(seconds(web.request_timeout)),
        processes=processes(millicores(web.resources.cpu), declared.pool.size),
    )


def _routes(declared: model.EnvironmentSpec, key: str, web: model.Web) -> list[str]:
    """The longest first, as they are matched. What is not said goes to the first web that says nothing, once."""
    if web.routes is not None:
        return sorted(web.routes, key=lambda route: (-len(route.rstrip("/")), route))
    taken = any(ROOT in (other.routes or []) for other in declared.web.values())
    silent = next(name for name, other in declared.web.items() if other.routes is None)
    return [ROOT] if key == silent and not taken else []


def _worker(declared: model.EnvironmentSpec, key: str, worker: model.Worker) -> Worker:
    celery = worker.celery
    return Worker(
        key=key,
        name=f"{declared.name}-worker-{key}",
        celery=celery,
        tasks=worker.tasks,
        command=worker.command,
        replicas=at_first(worker.replicas, worker.autoscale),
        autoscale=worker.autoscale,
        most=at_most(worker.replicas, worker.autoscale),
        resources=worker.resources,
        timing=worker_timing(seconds(worker.longest_task)),
        pool=pool(celery.pool, celery.concurrency, millicores(worker.resources.cpu))
        if celery
        else Pool(concurrency=1, per_process=COMMAND_CONNECTIONS, connections=COMMAND_CONNECTIONS),
    )


def _beat(declared: model.EnvironmentSpec) -> Beat | None:
    if declared.beat is None:
        return None
    return Beat(
        name=f"{declared.name}-beat",
        app=declared.beat.celery.app,
        resources=declared.beat.resources,
        timing=worker_timing(0),
    )


def _postgres(declared: model.EnvironmentSpec) -> Postgres | None:
    if declared.services.postgres is None or (run := declared.services.postgres.run) is None:
        return None
    return Postgres(
        name=f"{declared.name}-postgres", run=run, max_connections=max_connections(bytes_of(run.resources.memory))
    )


def _cloudnativepg(declared: model.EnvironmentSpec) -> CloudNativePG | None:
    if declared.services.postgres is None or (run := declared.services.postgres.cloudnativepg) is None:
        return None
    return CloudNativePG(
        name=f"{declared.name}-db", run=run, max_connections=max_connections(bytes_of(run.resources.memory))
    )


def _pooled(declared: model.EnvironmentSpec, app: App) -> App:
    """With its PgBouncer, where it has one: as many connections as all others leave."""
    if (run := declared.pool.pgbouncer) is None or app.postgres is None:
        return app
    more = run.replicas  # one that ends keeps its connections until whoever has one of it has gone
    others = budget([app.beat.connections] if app.beat else [], app.postgres.max_connections, app.passing)
    left = (others.available - others.wanted) // (run.replicas + more)
    behind = sum(component.connections for component in app.replicated)
    pooler = PgBouncer(
        name=f"{app.name}-pgbouncer",
        run=run,
        replicas=run.replicas,
        surge=more,
        each=run.connections or left,
        clients=max(100, math.ceil(behind / 100) * 100),
    )
    return msgspec.structs.replace(app, pgbouncer=pooler)


def _redis(declared: model.EnvironmentSpec) -> Redis | None:
    if declared.services.redis is None or (run := declared.services.redis.run) is None:
        return None
    broker = _brokers(declared)
    storage = run.storage or (BROKER_STORAGE if broker else None)
    memory = bytes_of(run.resources.memory)
    return Redis(
        name=f"{declared.name}-redis",
        run=run,
        broker=broker,
        storage=storage,
        # https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/: rewriting its log forks, and the
        # child shares memory only while nothing is written. Clients' buffers and fragmentation take the rest.
        max_memory=memory // 2 if storage else memory * 3 // 4,
    )


def _rabbitmq(declared: model.EnvironmentSpec) -> RabbitMQ | None:
    if declared.services.rabbitmq is None or (run := declared.services.rabbitmq.run) is None:
        return None
    return RabbitMQ(name=f"{declared.name}-rabbitmq", run=run)


def _memcached(declared: model.EnvironmentSpec) -> Memcached | None:
    if declared.services.memcached is None or (run := declared.services.memcached.run) is None:
        return None
    return Memcached(name=f"{declared.name}-memcached", run=run)


def _external(declared: model.EnvironmentSpec) -> dict[str, model.External]:
    services = declared.services
    stores = {
        "postgres": services.postgres,
        "redis": services.redis,
        "rabbitmq": services.rabbitmq,
        "memcached": services.memcached,
    }
    return {key: store.external for key, store in stores.items() if store and store.external}


def _brokers(declared: model.EnvironmentSpec) -> bool:
    """Whether tasks lie in it: not where Celery is told of another broker, and nothing else works."""
    if any(worker.command for worker in declared.workers.values()):
        return True
    celery = declared.services.rabbitmq is None and (declared.beat is not None or bool(declared.workers))
    told = declared.env.get(BROKER_VARIABLE)
    elsewhere = BROKER_VARIABLE in declared.secrets or (told is not None and told.service != "redis")
    return celery and not elsewhere
