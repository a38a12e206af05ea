"""From a project to images where a local cluster finds them: built, made or pulled, and loaded where missing."""

from __future__ import annotations

from pathlib import Path

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Refused
from nuages.image import base
from nuages.image.build import Built, build
from nuages.local import cluster, images
from nuages.local.info import ClusterInfo, read
from nuages.local.places import names
from nuages.progress import Sink
from nuages.render.postgres import postgres


def deliver(project: Path, app: App, context: str, sink: Sink) -> Built:
    """Build the project's image and load it, and those of its services, into the local cluster of a context.

    Raises:
        Refused: the context is not that of a cluster on this machine.
        BuildFailed: the image could not be built.
    """
    if (info := _local(context)) is None:
        raise Refused(
            f"{context} is not a cluster that `nuages cluster up` made here, so an image built here does not reach it",
            hint="nuages cluster up, or deploy what serves already with --no-build; registries come with 0.2",
        )
    if (controller := _controller(app)) and controller not in info.addons:
        info = cluster.up(info.name, addons=(controller,), sink=sink)
    built = build(project, app, sink)
    wanted = {built.build.reference: built.archive}
    there = images.names(info.containerd) if info.ours else set()
    for reference in _images(postgres(app)) - there:
        wanted[reference] = base.archive(reference, sink)
    if missing := [archive for reference, archive in wanted.items() if reference not in there]:
        cluster.load(info.name, missing, sink)
    return built


def ingress_port(context: str) -> int | None:
    """The port of this machine where the ingress controller of a local cluster answers; None where there is none."""
    info = _local(context)
    return info.http_port if info else None


def _local(context: str) -> ClusterInfo | None:
    """The cluster of this machine that a context leads to; None where it leads elsewhere."""
    return next((info for info in filter(None, map(read, names())) if info.context == context), None)


def _controller(app: App) -> str | None:
    """The add-on that a way in needs, where it is one of ours: it is built when a spec first asks for it."""
    through = app.expose if app.expose and app.expose.kind in ("ingress", "gateway") else None
    return "traefik" if through and through.class_ in ("traefik", "traefik/traefik") else None


def _images(objects: list[Object]) -> set[str]:
    return {
        container["image"]
        for item in objects
        for container in item.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
    }
