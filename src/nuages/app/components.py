"""App: the spec resolved for one environment, with everything derived and nothing left to default."""

from __future__ import annotations

import msgspec

from nuages.app.connections import Processes, max_connections, processes, surge
from nuages.app.timing import Timing, timing
from nuages.spec import model
from nuages.spec.load import Spec
from nuages.spec.model import (
    BuildOptions,
    Databases,
    Django,
    EnvValue,
    Expose,
    Media,
    Migrations,
    PostgresRun,
    Resources,
    SecretSource,
)
from nuages.spec.units import bytes_of, millicores, seconds


class Web(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of process that answers HTTP."""

    key: str
    """Its key in the spec: `main`."""
    name: str
    """What its objects are called: `blog-web-main`."""
    replicas: int
    surge: int
    """How many pods more than `replicas` a rollout may start."""
    resources: Resources
    timing: Timing
    processes: Processes


class Postgres(msgspec.Struct, frozen=True, kw_only=True):
    """PostgreSQL run in the cluster."""

    name: str
    """What its objects are called, and the host name to reach it: `blog-postgres`."""
    run: PostgresRun
    max_connections: int


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
    migrations: Migrations
    postgres: Postgres | None
    databases: Databases
    media: Media | None
    expose: Expose | None
    env: dict[str, EnvValue]
    secrets: dict[str, SecretSource]

    @property
    def instance(self) -> str:
        """What tells this app's objects from those of its other environments."""
        return f"{self.name}-{self.environment}"

    @property
    def secret(self) -> str:
        """The Secret that is the source of its secret variables; each release reads an immutable copy of it."""
        return f"{self.name}-secrets"


def resolve(spec: Spec, environment: str) -> App:
    """The app as it is in one environment.

    Raises:
        UsageError: the spec declares no such environment.
    """
    declared = spec.environment(environment)
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
        migrations=declared.migrations,
        postgres=_postgres(declared),
        databases=declared.databases,
        media=declared.media,
        expose=declared.expose,
        env=declared.env,
        secrets=declared.secrets,
    )


def _web(declared: model.EnvironmentSpec, key: str, web: model.Web) -> Web:
    return Web(
        key=key,
        name=f"{declared.name}-web-{key}",
        replicas=web.replicas,
        surge=surge(web.replicas),
        resources=web.resources,
        timing=timing(seconds(web.request_timeout)),
        processes=processes(millicores(web.resources.cpu)),
    )


def _postgres(declared: model.EnvironmentSpec) -> Postgres | None:
    if declared.services.postgres is None:
        return None
    run = declared.services.postgres.run
    return Postgres(
        name=f"{declared.name}-postgres", run=run, max_connections=max_connections(bytes_of(run.resources.memory))
    )
