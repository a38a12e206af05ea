"""From a project to images where a local cluster finds them: built, made or pulled, and loaded where missing."""

from __future__ import annotations

from pathlib import Path

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Refused
from nuages.image import base
from nuages.image.build import build
from nuages.local import cluster, images
from nuages.local.info import ClusterInfo, read
from nuages.progress import Sink
from nuages.render.postgres import postgres

PREFIX = "nuages-"


def deliver(project: Path, app: App, context: str, sink: Sink) -> Build:
    """Build the project's image and load it, and those of its services, into the local cluster of a context.

    Raises:
        Refused: the context is not that of a cluster on this machine.
        BuildFailed: the image could not be built.
    """
    info = _local(context)
    built = build(project, app, sink)
    there = images.names(info.containerd)
    wanted = {built.build.reference: built.archive}
    for reference in _images(postgres(app)):
        if reference not in there:
            wanted[reference] = base.archive(reference, sink)
    missing = [archive for reference, archive in wanted.items() if reference not in there]
    if missing:
        cluster.load(info.name, missing, sink)
    return built.build


def _local(context: str) -> ClusterInfo:
    info = read(context.removeprefix(PREFIX)) if context.startswith(PREFIX) else None
    if info is None:
        raise Refused(
            f"{context} is not a cluster of this machine, so an image built here does not reach it",
            hint="push the image to its registry; nuages does so from 0.2 on",
        )
    return info


def _images(objects: list[Object]) -> set[str]:
    return {
        container["image"]
        for item in objects
        for container in item.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
    }
