"""The spec's parts about what is kept: data stores, databases, volumes."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from nuages.spec.forms import MajorVersion, Memory, ObjectName, Part, ProjectPath
from nuages.spec.processes import Resources

AccessMode = Literal["ReadWriteOnce", "ReadWriteMany"]


class PostgresResources(Resources, frozen=True, kw_only=True):
    """What PostgreSQL asks for; its connections and buffers are derived from its memory."""

    memory: Annotated[Memory, Meta(description="Memory; max_connections and buffers follow.", examples=["512Mi"])] = (
        "512Mi"
    )


class PostgresRun(Part, frozen=True, kw_only=True):
    """A PostgreSQL in the cluster: one pod, one volume that no release ever deletes."""

    version: Annotated[MajorVersion, Meta(description="Major version.", examples=["17"])] = "17"
    storage: Annotated[Memory, Meta(description="Size of its volume.", examples=["10Gi"])] = "10Gi"
    resources: Annotated[PostgresResources, Meta(description="CPU and memory.")] = PostgresResources()


class Postgres(Part, frozen=True, kw_only=True):
    """PostgreSQL, run in the cluster."""

    run: Annotated[PostgresRun, Meta(description="Run it in the cluster.", examples=[{}])]


class RedisResources(Resources, frozen=True, kw_only=True):
    """What Redis asks for; how much it may hold is derived from its memory."""

    memory: Annotated[Memory, Meta(description="Memory; how much it may hold follows.", examples=["128Mi"])] = "128Mi"


class RedisRun(Part, frozen=True, kw_only=True):
    """A Redis in the cluster: one pod. Where workers take their tasks from it, what it holds is on a volume."""

    version: Annotated[MajorVersion, Meta(description="Major version.", examples=["8"])] = "8"
    storage: Annotated[
        Memory | None,
        Meta(
            description="Size of its volume; left out, 1Gi where workers take tasks from it, else it has none.",
            examples=["1Gi"],
        ),
    ] = None
    resources: Annotated[RedisResources, Meta(description="CPU and memory.")] = RedisResources()


class Redis(Part, frozen=True, kw_only=True):
    """Redis, run in the cluster."""

    run: Annotated[RedisRun, Meta(description="Run it in the cluster.", examples=[{}])]


class Services(Part, frozen=True, kw_only=True):
    """The data stores the app uses."""

    postgres: Annotated[Postgres | None, Meta(description="PostgreSQL.")] = None
    redis: Annotated[Redis | None, Meta(description="Redis.")] = None


class Database(Part, frozen=True, kw_only=True):
    """One entry of Django's DATABASES."""

    service: Annotated[str, Meta(description="The service it lives in.", examples=["postgres"])]


class Databases(Part, frozen=True, kw_only=True):
    """Django's DATABASES."""

    default: Annotated[Database | None, Meta(description="The alias every model uses by default.")] = None


class Volume(Part, frozen=True, kw_only=True):
    """A volume for uploads."""

    size: Annotated[Memory, Meta(description="Its size.", examples=["5Gi"])]
    storage_class: Annotated[
        ObjectName | None, Meta(description="The cluster's storage class; its default, left out.")
    ] = None
    access_mode: Annotated[
        AccessMode,
        Meta(description="ReadWriteMany lets pods on several nodes write; more than one replica needs it."),
    ] = "ReadWriteMany"


class Media(Part, frozen=True, kw_only=True):
    """Where uploads live."""

    volume: Annotated[Volume, Meta(description="A volume, mounted at MEDIA_ROOT.", examples=[{"size": "5Gi"}])]


class Folder(Part, frozen=True, kw_only=True):
    """A folder that the project writes to: kept on a volume, or each pod's own for as long as it lives."""

    path: Annotated[ProjectPath, Meta(description="The folder, relative to the project's root.", examples=["data"])]
    temporary: Annotated[bool, Meta(description="Each pod has its own, and it ends with the pod.")] = False
    size: Annotated[Memory, Meta(description="Its size.", examples=["5Gi"])] = "1Gi"
    storage_class: Annotated[
        ObjectName | None, Meta(description="The cluster's storage class; its default, left out.")
    ] = None
    access_mode: Annotated[
        AccessMode | None,
        Meta(description="ReadWriteMany, left out: pods on several nodes write; more than one pod needs it."),
    ] = None
