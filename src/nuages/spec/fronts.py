"""The spec's parts about what answers without Django: static files and front ends."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from nuages.spec.forms import Command, Cpu, Endpoint, Memory, ObjectName, Part, ProjectPath, Route
from nuages.spec.processes import Resources
from nuages.spec.stores import Bucket


class SmallResources(Resources, frozen=True, kw_only=True):
    """What an nginx asks for that serves files."""

    cpu: Annotated[Cpu, Meta(description="CPU that is set aside.", examples=["50m"])] = "50m"
    memory: Annotated[Memory, Meta(description="Memory, and at the same time the limit.", examples=["64Mi"])] = "64Mi"


class Nginx(Part, frozen=True, kw_only=True):
    """How nginx serves files."""

    config_map: Annotated[
        ObjectName | None,
        Meta(
            description="A ConfigMap whose default.conf stands in place of ours, without a rebuild.",
            examples=["spa-nginx"],
        ),
    ] = None


class StaticBucket(Bucket, frozen=True, kw_only=True):
    """A bucket for static files."""

    cdn: Annotated[
        Endpoint | None,
        Meta(description="What stands before it: pages name files below this.", examples=["https://cdn.example.com"]),
    ] = None


class Static(Part, frozen=True, kw_only=True):
    """Static files: who serves them, at most one of image, nginx and bucket; and those of earlier releases."""

    keep: Annotated[
        Annotated[int, Meta(ge=0, le=10)],
        Meta(
            description="Of so many earlier releases the files stay reachable that pages of theirs name; "
            "with 0 only a pod's own."
        ),
    ] = 3
    image: Annotated[
        dict[str, str] | None, Meta(description="The web's own pods (WhiteNoise): the default.", examples=[{}])
    ] = None
    nginx: Annotated[Nginx | None, Meta(description="An nginx beside them.", examples=[{}])] = None
    bucket: Annotated[
        StaticBucket | None,
        Meta(description="A bucket, perhaps behind a CDN.", examples=[{"url": "s3://blog-static"}]),
    ] = None


class FrontendApp(Part, frozen=True, kw_only=True):
    """A front end of its own, built by Node and served by nginx."""

    directory: Annotated[ProjectPath, Meta(description="The folder of package.json.", examples=["web"])]
    command: Annotated[
        Command,
        Meta(description="What builds it, after the packages are installed.", examples=[["npm", "run", "build"]]),
    ]
    output: Annotated[
        ProjectPath, Meta(description="The folder it writes, relative to its own.", examples=["dist/spa"])
    ]
    routes: Annotated[list[Route], Meta(min_length=1, description="The paths it answers.", examples=[["/app/"]])]
    replicas: Annotated[int, Meta(ge=0, le=1000, description="How many pods serve.", examples=[2])] = 1
    nginx: Annotated[Nginx, Meta(description="How nginx serves it.")] = Nginx()
    resources: Annotated[SmallResources, Meta(description="CPU and memory of each pod.")] = SmallResources()
