"""App: the spec resolved for one environment, with everything derived and nothing left to default."""

from __future__ import annotations

import msgspec

from nuages.app.connections import Processes
from nuages.app.timing import Timing
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
