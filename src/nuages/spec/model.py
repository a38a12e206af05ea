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

from nuages.spec.forms import ClassName, Host, Key, Name, NamespaceName, ObjectName, Part, Repository, Variable
from nuages.spec.processes import Beat, BeatCelery, Migrations, Resources, Web, Worker, WorkerCelery
from nuages.spec.releases import Canary, Checks, Hook, Hooks, Static, Webhook
from nuages.spec.source import BuildOptions, Dependencies, Django, Frontend, Overlay
from nuages.spec.stores import (
    Database,
    Databases,
    Folder,
    Media,
    Postgres,
    PostgresRun,
    Redis,
    RedisRun,
    Services,
    Volume,
)

__all__ = [
    "Beat",
    "BeatCelery",
    "BuildOptions",
    "Canary",
    "Checks",
    "Database",
    "Databases",
    "Declaration",
    "Dependencies",
    "Django",
    "EnvValue",
    "EnvironmentSpec",
    "Expose",
    "Folder",
    "Frontend",
    "Hook",
    "Hooks",
    "Media",
    "Migrations",
    "Observability",
    "Overlay",
    "Postgres",
    "PostgresRun",
    "Redis",
    "RedisRun",
    "Resources",
    "SecretSource",
    "Services",
    "Static",
    "Tls",
    "Volume",
    "Web",
    "Webhook",
    "Worker",
    "WorkerCelery",
]


class Tls(Part, frozen=True, kw_only=True):
    """Where TLS ends; exactly one of them."""

    issuer: Annotated[
        ObjectName | None, Meta(description="A cert-manager ClusterIssuer.", examples=["letsencrypt"])
    ] = None
    secret: Annotated[ObjectName | None, Meta(description="A Secret of type kubernetes.io/tls.")] = None
    terminated: Annotated[Literal["loadBalancer"] | None, Meta(description="Before the cluster.")] = None
    none: Annotated[dict[str, str] | None, Meta(description="Plain HTTP, on purpose: write `none: {}`.")] = None


class Expose(Part, frozen=True, kw_only=True):
    """How the outside reaches the app."""

    kind: Annotated[
        Literal["ingress", "gateway", "loadBalancer", "nodePort"],
        Meta(description="What lets requests in."),
    ] = "ingress"
    hosts: Annotated[list[Host], Meta(description="The names it answers to.", examples=[["blog.example.com"]])] = field(
        default_factory=list
    )
    class_: Annotated[
        ClassName | None,
        Meta(
            description="The ingress class, left out the cluster's default; or the Gateway, as name or namespace/name.",
            examples=["traefik"],
        ),
    ] = field(default=None, name="class")
    node_port: Annotated[
        Annotated[int, Meta(ge=30000, le=32767)] | None,
        Meta(
            description="With kind nodePort: the port on every node; the cluster's choice, left out.", examples=[30005]
        ),
    ] = None
    tls: Annotated[Tls | None, Meta(description="Where TLS ends.")] = None


class EnvValue(Part, frozen=True, kw_only=True):
    """One environment variable: a value, a key of a ConfigMap that somebody else keeps, or how a service is reached."""

    value: Annotated[str | None, Meta(description="The value, not a secret one.")] = None
    config_map: Annotated[ObjectName | None, Meta(description="A ConfigMap in the app's namespace.")] = None
    service: Annotated[
        str | None, Meta(description="A service that the spec declares: postgres or redis.", examples=["postgres"])
    ] = None
    key: Annotated[
        str | None,
        Meta(
            description="The key in that ConfigMap; or of a service: host, port, user, password, name, url, or address "
            "(the url without the name).",
            examples=["host"],
        ),
    ] = None


class SecretSource(Part, frozen=True, kw_only=True):
    """Where a secret variable comes from; never its value."""

    generate: Annotated[bool, Meta(description="Made in the cluster once, and kept.")] = False
    secret: Annotated[ObjectName | None, Meta(description="A Secret that somebody else keeps.")] = None
    key: Annotated[str | None, Meta(description="The key in that Secret.")] = None


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
    image_pull_secret: Annotated[ObjectName | None, Meta(description="A Secret that opens the registry.")] = None
    django: Annotated[Django, Meta(description="The project and how its code is reached.")] = Django()
    build: Annotated[BuildOptions, Meta(description="What the image needs beside the project.")] = BuildOptions()
    web: Annotated[dict[Key, Web], Meta(min_length=1, description="Processes that answer HTTP.")] = field(
        default_factory=lambda: {"main": Web()}
    )
    workers: Annotated[
        dict[Key, Worker],
        Meta(
            description="Processes that do what requests leave for later.",
            examples=[{"default": {"celery": {"app": "blog"}}}],
        ),
    ] = field(default_factory=dict)
    beat: Annotated[Beat | None, Meta(description="What sends tasks at their time: exactly one pod.")] = None
    migrations: Annotated[Migrations, Meta(description="How the database follows the code.")] = Migrations()
    services: Annotated[Services, Meta(description="The data stores the app uses.")] = Services()
    databases: Annotated[Databases, Meta(description="Django's DATABASES: alias to service.")] = Databases()
    static: Annotated[Static, Meta(description="Static files across releases.")] = Static()
    media: Annotated[Media | None, Meta(description="Where uploads live.")] = None
    volumes: Annotated[
        dict[Key, Folder],
        Meta(description="Folders that the project writes to.", examples=[{"data": {"path": "data"}}]),
    ] = field(default_factory=dict)
    expose: Annotated[Expose | None, Meta(description="How the outside reaches the app.")] = None
    env: Annotated[dict[Variable, EnvValue], Meta(description="Environment variables; nothing secret.")] = field(
        default_factory=dict
    )
    secrets: Annotated[dict[Variable, SecretSource], Meta(description="Secret environment variables: names only.")] = (
        field(default_factory=dict)
    )
    canary: Annotated[Canary, Meta(description="How `nuages deploy --canary` goes on, and what it bears.")] = Canary()
    hooks: Annotated[Hooks, Meta(description="What is done beside the phases of a release.")] = Hooks()
    observability: Annotated[Observability, Meta(description="What the app tells of itself.")] = Observability()


class EnvironmentSpec(Declaration, frozen=True, kw_only=True):
    """A declaration with one environment's patch applied; these two make sense there only."""

    cluster: Annotated[str | None, Meta(description="The kubeconfig context this environment belongs to.")] = None
    namespace: Annotated[NamespaceName | None, Meta(description="Its namespace; name-environment, left out.")] = None
