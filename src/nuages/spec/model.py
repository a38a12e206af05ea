"""What nuages.yaml may say, as structs in canonical form.

One source for everything: the JSON Schema is made from these (schema.py), so the editor's hovers, the docs and the
error messages all speak from the descriptions here. Shorthand (shorthand.py) is rewritten to this form before it is
validated. Fields carry their own rule (pattern, bounds) in their type; a rule about two fields is in rules.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from nuages.spec.units import CPU_PATTERN, DURATION_PATTERN, MEMORY_PATTERN

# RFC 1035 label: what the name of a Service may be; so short that the longest name made of it stays within a
# label's 63 characters (blog-migrate-default-expand-123456).
Name = Annotated[str, Meta(pattern=r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", title="a name")]
Key = Annotated[str, Meta(pattern=r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", title="a short name")]
NamespaceName = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", title="a namespace name")]
# What Kubernetes calls an object: RFC 1123 subdomain.
ObjectName = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$", title="an object name")]
# An ingress class, or a Gateway that may be in a namespace of its own.
ClassName = Annotated[
    str,
    Meta(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$",
        title="a class or a Gateway",
    ),
]
# What a shell, and so every entry point, can read.
Variable = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", title="an environment variable's name")]
# https://github.com/distribution/reference: repository without tag or digest; a port is not a tag.
Repository = Annotated[
    str,
    Meta(pattern=r"^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*$", title="an image repository"),
]
Host = Annotated[
    str,
    Meta(pattern=r"^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$", title="a host name"),
]
Duration = Annotated[str, Meta(pattern=DURATION_PATTERN, title="a duration")]
Memory = Annotated[str, Meta(pattern=MEMORY_PATTERN, title="an amount of memory")]
Cpu = Annotated[str, Meta(pattern=CPU_PATTERN, title="an amount of CPU")]
Module = Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$", title="a Python module")]
DebianPackage = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9+.-]+$", title="a Debian package")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=False):
    """What all parts share: values, camelCase in YAML, and no field that is not here."""


class Django(_Part, frozen=True, kw_only=True):
    """The project and how its code is reached."""

    root: Annotated[str, Meta(description="The folder of manage.py, relative to nuages.yaml.", examples=["."])] = "."
    settings: Annotated[
        Module | None,
        Meta(description="The settings module; left out, the one that manage.py names.", examples=["blog.settings"]),
    ] = None
    python: Annotated[
        Annotated[str, Meta(pattern=r"^3\.[0-9]+$", title="a Python version")],
        Meta(description="The Python of the image: 3.x, its newest patch.", examples=["3.13"]),
    ] = "3.13"
    overlay: Annotated[
        bool,
        Meta(description="Whether nuages may add to the settings what production needs; false leaves them alone."),
    ] = True


class BuildOptions(_Part, frozen=True, kw_only=True):
    """What the image needs beside the project and its Python dependencies."""

    packages: Annotated[
        list[DebianPackage], Meta(description="Debian packages at run time.", examples=[["libmagic1"]])
    ] = []
    build_packages: Annotated[
        list[DebianPackage],
        Meta(
            description="Debian packages for building dependencies only; not in the image.",
            examples=[["libpq-dev", "gcc"]],
        ),
    ] = []


class Resources(_Part, frozen=True, kw_only=True):
    """What a container asks for; its memory limit equals its request, and its CPU is not limited."""

    cpu: Annotated[
        Cpu, Meta(description="CPU that is set aside: 250m is a quarter of a core.", examples=["250m", "1"])
    ] = "100m"
    memory: Annotated[
        Memory, Meta(description="Memory, set aside and at the same time the limit.", examples=["256Mi"])
    ] = "256Mi"


class Web(_Part, frozen=True, kw_only=True):
    """A process that answers HTTP."""

    replicas: Annotated[int, Meta(ge=0, le=1000, description="How many pods serve.", examples=[3])] = 1
    request_timeout: Annotated[
        Duration,
        Meta(
            description="The longest a request may take; the time-outs of server, proxy and pod follow from it.",
            examples=["30s", "2m"],
        ),
    ] = "30s"
    resources: Annotated[Resources, Meta(description="CPU and memory of each pod.")] = Resources()


class MigrateResources(Resources, frozen=True, kw_only=True):
    """What the migrate Job asks for; data migrations are hungrier than requests."""

    memory: Annotated[
        Memory, Meta(description="Memory, set aside and at the same time the limit.", examples=["512Mi"])
    ] = "512Mi"


class Migrations(_Part, frozen=True, kw_only=True):
    """How the database is brought to what an image expects, before its pods start."""

    timeout: Annotated[Duration, Meta(description="The migrate Job is ended after this.", examples=["30m"])] = "30m"
    lock_timeout: Annotated[
        Duration,
        Meta(description="How long a statement may wait for a lock while the old version serves.", examples=["2s"]),
    ] = "2s"
    resources: Annotated[MigrateResources, Meta(description="CPU and memory of the migrate Job.")] = MigrateResources()


class PostgresResources(Resources, frozen=True, kw_only=True):
    """What PostgreSQL asks for; its connections and buffers are derived from its memory."""

    memory: Annotated[Memory, Meta(description="Memory; max_connections and buffers follow.", examples=["512Mi"])] = (
        "512Mi"
    )


class PostgresRun(_Part, frozen=True, kw_only=True):
    """A PostgreSQL in the cluster: one pod, one volume that no release ever deletes."""

    version: Annotated[
        Annotated[str, Meta(pattern=r"^[1-9][0-9]$", title="a major version")],
        Meta(description="Major version.", examples=["17"]),
    ] = "17"
    storage: Annotated[Memory, Meta(description="Size of its volume.", examples=["10Gi"])] = "10Gi"
    resources: Annotated[PostgresResources, Meta(description="CPU and memory.")] = PostgresResources()


class Postgres(_Part, frozen=True, kw_only=True):
    """PostgreSQL, run in the cluster."""

    run: Annotated[PostgresRun, Meta(description="Run it in the cluster.", examples=[{}])]


class Services(_Part, frozen=True, kw_only=True):
    """The data stores the app uses."""

    postgres: Annotated[Postgres | None, Meta(description="PostgreSQL.")] = None


class Database(_Part, frozen=True, kw_only=True):
    """One entry of Django's DATABASES."""

    service: Annotated[str, Meta(description="The service it lives in.", examples=["postgres"])]


class Databases(_Part, frozen=True, kw_only=True):
    """Django's DATABASES."""

    default: Annotated[Database | None, Meta(description="The alias every model uses by default.")] = None


class Volume(_Part, frozen=True, kw_only=True):
    """A volume for uploads."""

    size: Annotated[Memory, Meta(description="Its size.", examples=["5Gi"])]
    storage_class: Annotated[
        ObjectName | None, Meta(description="The cluster's storage class; its default, left out.")
    ] = None
    access_mode: Annotated[
        Literal["ReadWriteOnce", "ReadWriteMany"],
        Meta(description="ReadWriteMany lets pods on several nodes write; more than one replica needs it."),
    ] = "ReadWriteMany"


class Media(_Part, frozen=True, kw_only=True):
    """Where uploads live."""

    volume: Annotated[Volume, Meta(description="A volume, mounted at MEDIA_ROOT.", examples=[{"size": "5Gi"}])]


class Tls(_Part, frozen=True, kw_only=True):
    """Where TLS ends; exactly one of them."""

    issuer: Annotated[
        ObjectName | None, Meta(description="A cert-manager ClusterIssuer.", examples=["letsencrypt"])
    ] = None
    secret: Annotated[ObjectName | None, Meta(description="A Secret of type kubernetes.io/tls.")] = None
    terminated: Annotated[Literal["loadBalancer"] | None, Meta(description="Before the cluster.")] = None
    none: Annotated[dict[str, str] | None, Meta(description="Plain HTTP, on purpose: write `none: {}`.")] = None


class Expose(_Part, frozen=True, kw_only=True):
    """How the outside reaches the app."""

    kind: Annotated[
        Literal["ingress", "gateway", "loadBalancer", "nodePort"],
        Meta(description="What lets requests in."),
    ] = "ingress"
    hosts: Annotated[list[Host], Meta(description="The names it answers to.", examples=[["blog.example.com"]])] = []
    class_: Annotated[
        ClassName | None,
        Meta(
            description="The ingress class, left out the cluster's default; or the Gateway, as name or namespace/name.",
            examples=["traefik"],
        ),
    ] = msgspec.field(default=None, name="class")
    node_port: Annotated[
        Annotated[int, Meta(ge=30000, le=32767)] | None,
        Meta(
            description="With kind nodePort: the port on every node; the cluster's choice, left out.", examples=[30005]
        ),
    ] = None
    tls: Annotated[Tls | None, Meta(description="Where TLS ends.")] = None


class EnvValue(_Part, frozen=True, kw_only=True):
    """One environment variable: a value, or a key of a ConfigMap that somebody else keeps."""

    value: Annotated[str | None, Meta(description="The value, not a secret one.")] = None
    config_map: Annotated[ObjectName | None, Meta(description="A ConfigMap in the app's namespace.")] = None
    key: Annotated[str | None, Meta(description="The key in that ConfigMap.")] = None


class SecretSource(_Part, frozen=True, kw_only=True):
    """Where a secret variable comes from; never its value."""

    generate: Annotated[bool, Meta(description="Made in the cluster once, and kept.")] = False
    secret: Annotated[ObjectName | None, Meta(description="A Secret that somebody else keeps.")] = None
    key: Annotated[str | None, Meta(description="The key in that Secret.")] = None


class Declaration(_Part, frozen=True, kw_only=True):
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
    web: Annotated[dict[Key, Web], Meta(min_length=1, description="Processes that answer HTTP.")] = msgspec.field(
        default_factory=lambda: {"main": Web()}
    )
    migrations: Annotated[Migrations, Meta(description="How the database follows the code.")] = Migrations()
    services: Annotated[Services, Meta(description="The data stores the app uses.")] = Services()
    databases: Annotated[Databases, Meta(description="Django's DATABASES: alias to service.")] = Databases()
    media: Annotated[Media | None, Meta(description="Where uploads live.")] = None
    expose: Annotated[Expose | None, Meta(description="How the outside reaches the app.")] = None
    env: Annotated[dict[Variable, EnvValue], Meta(description="Environment variables; nothing secret.")] = {}
    secrets: Annotated[dict[Variable, SecretSource], Meta(description="Secret environment variables: names only.")] = {}


class EnvironmentSpec(Declaration, frozen=True, kw_only=True):
    """A declaration with one environment's patch applied; these two make sense there only."""

    cluster: Annotated[str | None, Meta(description="The kubeconfig context this environment belongs to.")] = None
    namespace: Annotated[NamespaceName | None, Meta(description="Its namespace; name-environment, left out.")] = None
