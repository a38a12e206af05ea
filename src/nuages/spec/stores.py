"""The spec's parts about what is kept: data stores, databases, volumes, buckets."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from nuages.spec.forms import (
    Address,
    BucketUrl,
    Cron,
    DataKey,
    Endpoint,
    FilesAddress,
    Key,
    MajorVersion,
    Memory,
    ObjectName,
    Part,
    ProjectPath,
)
from nuages.spec.processes import Resources
from nuages.spec.templates import Anonymise

AccessMode = Literal["ReadWriteOnce", "ReadWriteMany"]


class Bucket(Part, frozen=True, kw_only=True):
    """A bucket of an object store that speaks S3's API."""

    url: Annotated[BucketUrl, Meta(description="The bucket, and a folder in it.", examples=["s3://blog-media"])]
    secret: Annotated[
        ObjectName | None,
        Meta(
            description="A Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; left out, the pods' own identity "
            "opens it (serviceAccount.annotations).",
            examples=["blog-bucket"],
        ),
    ] = None
    endpoint: Annotated[
        Endpoint | None,
        Meta(description="The store's address; Amazon's, left out.", examples=["https://s3.example.com"]),
    ] = None
    region: Annotated[str | None, Meta(description="Its region.", examples=["eu-central-1"])] = None


class MediaBucket(Bucket, frozen=True, kw_only=True):
    """A bucket for uploads."""

    address: Annotated[
        FilesAddress | None,
        Meta(
            description="Where browsers ask for uploads: a path that the project itself serves, or what stands before "
            "the bucket. Left out, each page has addresses of the bucket that are signed for an hour.",
            examples=["/media/"],
        ),
    ] = None


class BackupTo(Part, frozen=True, kw_only=True):
    """Where backups go; exactly one of them."""

    volume: Annotated[Memory | None, Meta(description="A volume of this size.", examples=["20Gi"])] = None
    bucket: Annotated[Bucket | None, Meta(description="A bucket.", examples=[{"url": "s3://blog-backups"}])] = None


class Backup(Part, frozen=True, kw_only=True):
    """A dump at its time, of which some are kept."""

    cron: Annotated[Cron, Meta(description="When, in UTC.", examples=["0 2 * * *"])] = "0 2 * * *"
    keep: Annotated[Annotated[int, Meta(ge=1, le=1000)], Meta(description="How many are kept, the newest.")] = 14
    to: Annotated[BackupTo, Meta(description="Where they go.", examples=[{"volume": "20Gi"}])]


class External(Part, frozen=True, kw_only=True):
    """A data store that somebody else runs: nuages leads the app to it, and never changes it."""

    host: Annotated[Address, Meta(description="Its name, or its address.", examples=["db.internal"])]
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        Meta(description="Its port; the usual one, left out.", examples=[5433]),
    ] = None
    secret: Annotated[
        ObjectName | None, Meta(description="A Secret with its user and password.", examples=["blog-rds"])
    ] = None
    keys: Annotated[
        dict[Annotated[str, Meta(pattern="^(user|password|name)$", title="what a Secret tells")], DataKey],
        Meta(description="Under which keys, where they are called otherwise.", examples=[{"password": "pw"}]),
    ] = field(default_factory=dict)
    name: Annotated[
        str | None, Meta(description="The database or vhost; the app's name, left out.", examples=["blog"])
    ] = None
    tls: Annotated[
        Literal["disable", "require", "verify-full"],
        Meta(
            description="Whether what is said to it is encrypted, and whether it must prove who it is.",
            examples=["disable"],
        ),
    ] = "verify-full"
    authority: Annotated[
        ObjectName | None,
        Meta(
            description="A ConfigMap whose ca.crt signed its certificate; the image's own authorities, left out.",
            examples=["rds-ca"],
        ),
    ] = None


class MemcachedExternal(External, frozen=True, kw_only=True):
    """A Memcached that somebody else runs; Django's clients have neither TLS nor a password for it."""

    tls: Annotated[
        Literal["disable", "require", "verify-full"],
        Meta(description="Nothing that is said to it is encrypted.", examples=["disable"]),
    ] = "disable"


class PostgresResources(Resources, frozen=True, kw_only=True):
    """What PostgreSQL asks for; its connections and buffers are derived from its memory."""

    memory: Annotated[Memory, Meta(description="Memory; max_connections and buffers follow.", examples=["512Mi"])] = (
        "512Mi"
    )


class PostgresRun(Part, frozen=True, kw_only=True):
    """A PostgreSQL in the cluster: one pod, one volume that no release ever deletes."""

    version: Annotated[MajorVersion, Meta(description="Major version.", examples=["17"])] = "17"
    storage: Annotated[Memory, Meta(description="Size of its volume.", examples=["10Gi"])] = "10Gi"
    storage_class: Annotated[
        ObjectName | None,
        Meta(description="The cluster's storage class; its default, left out.", examples=["fast-ssd"]),
    ] = None
    resources: Annotated[PostgresResources, Meta(description="CPU and memory.")] = PostgresResources()
    backup: Annotated[
        Backup | None, Meta(description="Dumps at their time.", examples=[{"to": {"volume": "20Gi"}}])
    ] = None
    exporter: Annotated[bool, Meta(description="Have a pod beside it that tells Prometheus of it.")] = False


class Archive(Part, frozen=True, kw_only=True):
    """A copy of all files at its time, and every change from then on: back to any moment of these days."""

    cron: Annotated[Cron, Meta(description="When, in UTC.", examples=["0 2 * * *"])] = "0 2 * * *"
    days: Annotated[Annotated[int, Meta(ge=1, le=3650)], Meta(description="How many days back.", examples=[30])] = 14
    bucket: Annotated[Bucket, Meta(description="Where they go.", examples=[{"url": "s3://blog-backups"}])]


class CloudNativePG(Part, frozen=True, kw_only=True):
    """A PostgreSQL that CloudNativePG's operator runs: several instances, of which another one takes over."""

    version: Annotated[MajorVersion, Meta(description="Major version.", examples=["17"])] = "17"
    instances: Annotated[
        Annotated[int, Meta(ge=1, le=9)], Meta(description="How many, the one that is written to among them.")
    ] = 3
    storage: Annotated[Memory, Meta(description="Size of each one's volume.", examples=["10Gi"])] = "10Gi"
    storage_class: Annotated[
        ObjectName | None,
        Meta(description="The cluster's storage class; its default, left out.", examples=["fast-ssd"]),
    ] = None
    resources: Annotated[PostgresResources, Meta(description="CPU and memory of each.")] = PostgresResources()
    backup: Annotated[
        Archive | None,
        Meta(description="The operator's own backups.", examples=[{"bucket": {"url": "s3://blog-backups"}}]),
    ] = None


class Postgres(Part, frozen=True, kw_only=True):
    """PostgreSQL; exactly one of them."""

    run: Annotated[PostgresRun | None, Meta(description="Run it in the cluster.", examples=[{}])] = None
    cloudnativepg: Annotated[
        CloudNativePG | None,
        Meta(description="CloudNativePG's operator runs it, where the cluster has that.", examples=[{"instances": 3}]),
    ] = None
    external: Annotated[External | None, Meta(description="It is elsewhere.", examples=[{"host": "db.internal"}])] = (
        None
    )


class RedisResources(Resources, frozen=True, kw_only=True):
    """What Redis asks for; how much it may hold is derived from its memory."""

    memory: Annotated[Memory, Meta(description="Memory; how much it may hold follows.", examples=["128Mi"])] = "128Mi"


class RedisRun(Part, frozen=True, kw_only=True):
    """A Redis in the cluster: one pod. Where workers take their tasks from it, what it holds is on a volume."""

    engine: Annotated[Literal["redis", "valkey"], Meta(description="Redis, or Valkey, which speaks as it does.")] = (
        "redis"
    )
    version: Annotated[MajorVersion, Meta(description="Major version.", examples=["8"])] = "8"
    storage: Annotated[
        Memory | None,
        Meta(
            description="Size of its volume; left out, 1Gi where workers take tasks from it, else it has none.",
            examples=["1Gi"],
        ),
    ] = None
    resources: Annotated[RedisResources, Meta(description="CPU and memory.")] = RedisResources()
    exporter: Annotated[bool, Meta(description="Have a pod beside it that tells Prometheus of it.")] = False


class Redis(Part, frozen=True, kw_only=True):
    """Redis, or Valkey; exactly one of them."""

    run: Annotated[RedisRun | None, Meta(description="Run it in the cluster.", examples=[{}])] = None
    external: Annotated[
        External | None, Meta(description="It is elsewhere.", examples=[{"host": "redis.internal"}])
    ] = None


class RabbitMQResources(Resources, frozen=True, kw_only=True):
    """What RabbitMQ asks for; from when on it takes no more messages is derived from its memory."""

    memory: Annotated[Memory, Meta(description="Memory; its high watermark follows.", examples=["512Mi"])] = "512Mi"


class RabbitMQRun(Part, frozen=True, kw_only=True):
    """A RabbitMQ in the cluster: one node of a name that stays, one volume that no release ever deletes."""

    version: Annotated[MajorVersion, Meta(description="Major version.", examples=["4"])] = "4"
    storage: Annotated[Memory, Meta(description="Size of its volume.", examples=["2Gi"])] = "2Gi"
    resources: Annotated[RabbitMQResources, Meta(description="CPU and memory.")] = RabbitMQResources()


class RabbitMQ(Part, frozen=True, kw_only=True):
    """RabbitMQ; exactly one of them."""

    run: Annotated[RabbitMQRun | None, Meta(description="Run it in the cluster.", examples=[{}])] = None
    external: Annotated[External | None, Meta(description="It is elsewhere.", examples=[{"host": "mq.internal"}])] = (
        None
    )


class MemcachedResources(Resources, frozen=True, kw_only=True):
    """What Memcached asks for; how much it may hold is derived from its memory."""

    memory: Annotated[Memory, Meta(description="Memory; how much it may hold follows.", examples=["128Mi"])] = "128Mi"


class MemcachedRun(Part, frozen=True, kw_only=True):
    """A Memcached in the cluster: one pod, and nothing is kept of what it holds."""

    version: Annotated[MajorVersion, Meta(description="Major version.", examples=["1"])] = "1"
    resources: Annotated[MemcachedResources, Meta(description="CPU and memory.")] = MemcachedResources()


class Memcached(Part, frozen=True, kw_only=True):
    """Memcached; exactly one of them."""

    run: Annotated[MemcachedRun | None, Meta(description="Run it in the cluster.", examples=[{}])] = None
    external: Annotated[
        MemcachedExternal | None, Meta(description="It is elsewhere.", examples=[{"host": "cache.internal"}])
    ] = None


class Services(Part, frozen=True, kw_only=True):
    """The data stores the app uses."""

    postgres: Annotated[Postgres | None, Meta(description="PostgreSQL.")] = None
    redis: Annotated[Redis | None, Meta(description="Redis.")] = None
    rabbitmq: Annotated[RabbitMQ | None, Meta(description="RabbitMQ.")] = None
    memcached: Annotated[Memcached | None, Meta(description="Memcached.")] = None


class Database(Part, frozen=True, kw_only=True):
    """One entry of Django's DATABASES."""

    service: Annotated[str, Meta(description="The service it lives in.", examples=["postgres"])]
    clone_from: Annotated[
        Key | None,
        Meta(
            description="The environment whose database `nuages db copy` brings; one of a template begins with it.",
            examples=["staging"],
        ),
    ] = None
    anonymise: Annotated[
        Anonymise | None,
        Meta(
            description="What is done to that copy before it leaves there.", examples=[{"sql": "deploy/anonymise.sql"}]
        ),
    ] = None


class Databases(Part, frozen=True, kw_only=True):
    """Django's DATABASES."""

    default: Annotated[Database | None, Meta(description="The alias every model uses by default.")] = None


class Volume(Part, frozen=True, kw_only=True):
    """A volume for uploads."""

    size: Annotated[Memory, Meta(description="Its size.", examples=["5Gi"])]
    storage_class: Annotated[
        ObjectName | None, Meta(description="The cluster's storage class; its default, left out.", examples=["nfs"])
    ] = None
    access_mode: Annotated[
        AccessMode,
        Meta(description="ReadWriteMany lets pods on several nodes write; more than one replica needs it."),
    ] = "ReadWriteMany"


class Media(Part, frozen=True, kw_only=True):
    """Where uploads live; exactly one of them."""

    volume: Annotated[
        Volume | None, Meta(description="A volume, mounted at MEDIA_ROOT.", examples=[{"size": "5Gi"}])
    ] = None
    bucket: Annotated[MediaBucket | None, Meta(description="A bucket.", examples=[{"url": "s3://blog-media"}])] = None


class Folder(Part, frozen=True, kw_only=True):
    """A folder that the project writes to: kept on a volume, or each pod's own for as long as it lives."""

    path: Annotated[ProjectPath, Meta(description="The folder, relative to the project's root.", examples=["data"])]
    temporary: Annotated[bool, Meta(description="Each pod has its own, and it ends with the pod.")] = False
    size: Annotated[Memory, Meta(description="Its size.", examples=["5Gi"])] = "1Gi"
    storage_class: Annotated[
        ObjectName | None, Meta(description="The cluster's storage class; its default, left out.", examples=["nfs"])
    ] = None
    access_mode: Annotated[
        AccessMode | None,
        Meta(description="ReadWriteMany, left out: pods on several nodes write; more than one pod needs it."),
    ] = None
