"""What nuages.yaml may say, as structs in canonical form.

One source for everything: the JSON Schema is made from these (schema.py), so the editor's hovers, the docs and the
error messages all speak from the descriptions here. Shorthand (shorthand.py) is rewritten to this form before it is
validated. Fields carry their own rule (pattern, bounds) in their type; a rule about two fields is in rules.py.
Parts of a subject of their own are beside: the project in source.py, processes in processes.py, what is kept in
stores.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from nuages.spec.exposing import Expose, Tls
from nuages.spec.forms import (
    ContainerPath,
    DataKey,
    Duration,
    Key,
    Name,
    NamespaceName,
    ObjectName,
    Part,
    ProjectPath,
    Repository,
    Variable,
)
from nuages.spec.fronts import FrontendApp, Nginx, Static, StaticBucket
from nuages.spec.processes import (
    Autoscale,
    Beat,
    BeatCelery,
    ConnectionPool,
    Job,
    Migrations,
    PgBouncer,
    Resources,
    Schedule,
    Web,
    Worker,
    WorkerCelery,
    WorkerTasks,
)
from nuages.spec.releases import Canary, Checks, Hook, Hooks, Webhook
from nuages.spec.source import BuildOptions, Dependencies, Django, Frontend, Overlay
from nuages.spec.stores import (
    Archive,
    Backup,
    Bucket,
    CloudNativePG,
    Database,
    Databases,
    External,
    Folder,
    Media,
    MediaBucket,
    Memcached,
    MemcachedRun,
    Postgres,
    PostgresRun,
    RabbitMQ,
    RabbitMQRun,
    Redis,
    RedisRun,
    Services,
    Volume,
)
from nuages.spec.templates import Anonymise
from nuages.spec.walls import (
    Access,
    Egress,
    Extra,
    FileSource,
    Limits,
    Network,
    Patch,
    Placement,
    ServiceAccount,
    Toleration,
)

__all__ = [
    "Access",
    "Anonymise",
    "Archive",
    "Autoscale",
    "Backup",
    "Beat",
    "BeatCelery",
    "Bucket",
    "BuildOptions",
    "Canary",
    "Checks",
    "CloudNativePG",
    "ConnectionPool",
    "Database",
    "Databases",
    "Declaration",
    "Dependencies",
    "Django",
    "Egress",
    "EnvValue",
    "EnvironmentSpec",
    "Expose",
    "External",
    "Extra",
    "FileSource",
    "Folder",
    "Frontend",
    "FrontendApp",
    "Hook",
    "Hooks",
    "Job",
    "Limits",
    "Media",
    "MediaBucket",
    "Memcached",
    "MemcachedRun",
    "Migrations",
    "Network",
    "Nginx",
    "Observability",
    "Overlay",
    "Patch",
    "PgBouncer",
    "Placement",
    "Postgres",
    "PostgresRun",
    "RabbitMQ",
    "RabbitMQRun",
    "Redis",
    "RedisRun",
    "Resources",
    "Schedule",
    "SecretSource",
    "ServiceAccount",
    "Services",
    "Static",
    "StaticBucket",
    "Tls",
    "Toleration",
    "Volume",
    "Web",
    "Webhook",
    "Worker",
    "WorkerCelery",
    "WorkerTasks",
]


class EnvValue(Part, frozen=True, kw_only=True):
    """One environment variable: a value, a key of a ConfigMap that somebody else keeps, or how a service is reached."""

    value: Annotated[str | None, Meta(description="The value, not a secret one.", examples=["orange"])] = None
    config_map: Annotated[
        ObjectName | None, Meta(description="A ConfigMap in the app's namespace.", examples=["flags"])
    ] = None
    service: Annotated[
        str | None, Meta(description="A service that the spec declares: postgres, redis, …", examples=["postgres"])
    ] = None
    key: Annotated[
        DataKey | None,
        Meta(
            description="The key in that ConfigMap; or of a service: host, port, user, password, name, url, or address "
            "(the url without the name).",
            examples=["host"],
        ),
    ] = None


class SecretSource(Part, frozen=True, kw_only=True):
    """Where a secret variable comes from; never its value."""

    generate: Annotated[bool, Meta(description="Made in the cluster once, and kept.")] = False
    secret: Annotated[
        ObjectName | None, Meta(description="A Secret that somebody else keeps.", examples=["blog-sentry"])
    ] = None
    key: Annotated[DataKey | None, Meta(description="The key in that Secret.", examples=["dsn"])] = None


class Observability(Part, frozen=True, kw_only=True):
    """What the app tells of itself."""

    metrics: Annotated[bool, Meta(description="Metrics for Prometheus, on a port of their own (9464).")] = True
    logs: Annotated[Literal["json", "text"], Meta(description="The form of a log's lines.")] = "json"


class Declaration(Part, frozen=True, kw_only=True):
    """All that nuages.yaml says, the environments' patches applied or not."""

    api_version: Annotated[Literal["nuages/v1"], Meta(description="The version of this file's form.")] = "nuages/v1"
    name: Annotated[Name, Meta(description="The app's name; its objects are named after it.", examples=["blog"])]
    image: Annotated[
        Repository,
        Meta(
            description="Where its images go: a repository, without a tag.", examples=["registry.example.com/acme/blog"]
        ),
    ]
    image_pull_secret: Annotated[
        ObjectName | None, Meta(description="A Secret that opens the registry.", examples=["registry-login"])
    ] = None
    django: Annotated[Django, Meta(description="The project and how its code is reached.")] = Django()
    build: Annotated[BuildOptions, Meta(description="What the image needs beside the project.")] = BuildOptions()
    web: Annotated[
        dict[Key, Web],
        Meta(
            min_length=1,
            description="Processes that answer HTTP.",
            examples=[{"main": {"replicas": 3}}],
            extra_json_schema={"default": {"main": {}}},
        ),
    ] = field(default_factory=lambda: {"main": Web()})
    workers: Annotated[
        dict[Key, Worker],
        Meta(
            description="Processes that do what requests leave for later.",
            examples=[{"default": {"celery": {"app": "blog"}}}],
        ),
    ] = field(default_factory=dict)
    beat: Annotated[Beat | None, Meta(description="What sends tasks at their time: exactly one pod.")] = None
    schedules: Annotated[
        dict[Key, Schedule],
        Meta(
            description="Commands at their time.",
            examples=[{"clearsessions": {"manage": ["clearsessions"], "cron": "0 3 * * *"}}],
        ),
    ] = field(default_factory=dict)
    jobs: Annotated[
        dict[Key, Job],
        Meta(
            description="Commands on demand: `nuages run NAME`.", examples=[{"seed": {"manage": ["loaddata", "demo"]}}]
        ),
    ] = field(default_factory=dict)
    migrations: Annotated[Migrations, Meta(description="How the database follows the code.")] = Migrations()
    services: Annotated[Services, Meta(description="The data stores the app uses.")] = Services()
    databases: Annotated[Databases, Meta(description="Django's DATABASES: alias to service.")] = Databases()
    pool: Annotated[ConnectionPool, Meta(description="Connections to the database.")] = ConnectionPool()
    static: Annotated[Static, Meta(description="Static files: who serves them, and for how long.")] = Static()
    media: Annotated[Media | None, Meta(description="Where uploads live.")] = None
    volumes: Annotated[
        dict[Key, Folder],
        Meta(description="Folders that the project writes to.", examples=[{"data": {"path": "data"}}]),
    ] = field(default_factory=dict)
    frontends: Annotated[
        dict[Key, FrontendApp],
        Meta(
            description="Front ends that Node builds and nginx serves.",
            examples=[
                {
                    "spa": {
                        "directory": "web",
                        "command": ["npm", "run", "build"],
                        "output": "dist/spa",
                        "routes": ["/app/"],
                    }
                }
            ],
        ),
    ] = field(default_factory=dict)
    expose: Annotated[Expose | None, Meta(description="How the outside reaches the app.")] = None
    env: Annotated[
        dict[Variable, EnvValue],
        Meta(
            description="Environment variables; nothing secret.",
            examples=[{"COLOR": "orange", "DB_HOST": {"service": "postgres", "key": "host"}}],
        ),
    ] = field(default_factory=dict)
    secrets: Annotated[
        dict[Variable, SecretSource],
        Meta(
            description="Secret environment variables: names only.",
            examples=[{"SECRET_KEY": {"generate": True}, "SENTRY_DSN": {}}],
        ),
    ] = field(default_factory=dict)
    files: Annotated[
        dict[ContainerPath, FileSource],
        Meta(
            description="Files that are put into the project's containers.",
            examples=[{"/etc/newrelic.ini": {"file": "deploy/newrelic.ini"}}],
        ),
    ] = field(default_factory=dict)
    service_account: Annotated[ServiceAccount, Meta(description="The account of the project's pods.")] = (
        ServiceAccount()
    )
    network: Annotated[Network, Meta(description="Whom the project talks to outside.")] = Network()
    placement: Annotated[Placement, Meta(description="On which nodes the pods go.")] = Placement()
    sidecars: Annotated[
        dict[Key, Extra],
        Meta(
            description="Containers beside the project's.", examples=[{"agent": {"image": "registry.example.com/a:1"}}]
        ),
    ] = field(default_factory=dict)
    init: Annotated[
        dict[Key, Extra],
        Meta(
            description="Containers that end before it starts.",
            examples=[{"wait": {"image": "registry.example.com/a:1"}}],
        ),
    ] = field(default_factory=dict)
    limits: Annotated[
        Limits | None, Meta(description="What the whole environment may take.", examples=[{"cpu": "8"}])
    ] = None
    access: Annotated[
        Access, Meta(description="Who may do what in the namespace.", examples=[{"developers": ["web-team"]}])
    ] = Access()
    objects: Annotated[
        list[ProjectPath],
        Meta(description="Files of objects that are applied with the app's.", examples=[["deploy/extra.yaml"]]),
    ] = field(default_factory=list)
    patches: Annotated[
        list[Patch],
        Meta(
            description="What is to be otherwise on objects that nuages renders.",
            examples=[
                [
                    {
                        "target": {"kind": "Deployment", "name": "blog-web-main"},
                        "patch": {"metadata": {"labels": {"team": "web"}}},
                    }
                ]
            ],
        ),
    ] = field(default_factory=list)
    canary: Annotated[Canary, Meta(description="How `nuages deploy --canary` goes on, and what it bears.")] = Canary()
    hooks: Annotated[Hooks, Meta(description="What is done beside the phases of a release.")] = Hooks()
    observability: Annotated[Observability, Meta(description="What the app tells of itself.")] = Observability()


class EnvironmentSpec(Declaration, frozen=True, kw_only=True):
    """A declaration with one environment's patch applied; these make sense there only."""

    cluster: Annotated[
        str | None, Meta(description="The kubeconfig context this environment belongs to.", examples=["production"])
    ] = None
    namespace: Annotated[
        NamespaceName | None,
        Meta(description="Its namespace; name-environment, left out.", examples=["blog-production"]),
    ] = None
    confirm: Annotated[
        bool | None,
        Meta(
            description="Whether what changes it asks for its name first, unless --yes; left out, production does.",
            examples=[True],
        ),
    ] = None
    template: Annotated[
        bool, Meta(description="No environment itself: `nuages env up NAME` makes them from it, as many as are wanted.")
    ] = False
    ttl: Annotated[
        Duration | None, Meta(description="Of a template: how long such an environment lives.", examples=["72h"])
    ] = None
    seed: Annotated[
        Key | None,
        Meta(description="Of a template: the one of `jobs` that fills its database, once.", examples=["demo-data"]),
    ] = None
