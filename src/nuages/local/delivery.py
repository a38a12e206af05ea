"""From a project to images where a cluster finds them: loaded into one of this machine, pushed for every other."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError
from nuages.image import base, driver, oci, publish, registry
from nuages.image.build import Built, build
from nuages.local import cluster, images
from nuages.local.info import ClusterInfo, of_context
from nuages.progress import Sink, step
from nuages.render.manifest import services


def deliver(project: Path, app: App, context: str, sink: Sink) -> Built:
    """Build the project's image and bring it to where the cluster of a context gets it.

    A cluster of this machine is given the image, and those of its services; any other pulls: the project's image from
    `image`, where it is pushed to, and those of its services from their official names.

    Raises:
        BuildFailed: the image could not be built.
        PushFailed: the registry did not take it; asked before the build whether it knows us.
    """
    if (info := of_context(context)) is None:
        publish.sign_in(app.image, sink)
        built = build(project, app, sink)
        publish.publish(project, app, built, (), sink)
        return built
    if (controller := _controller(app)) and controller not in info.addons:
        info = cluster.up(info.name, addons=(controller,), sink=sink)
    built = build(project, app, sink)
    _load(info, app, built, sink)
    return built


def deliver_driver(app: App, context: str, sink: Sink) -> str:
    """Bring nuages' own image to where the cluster of a context gets it, as the app's; answers its reference.

    Raises:
        MissingTool: what is installed here does not run in a cluster.
        PushFailed: the registry did not take it.
    """
    image = driver.image(sink)
    reference, tag = f"{app.image}@{image.digest}", f"nuages-{image.digest.removeprefix('sha256:')[:12]}"
    if (info := of_context(context)) is None:
        registry.push(image, app.image, [tag], sink)
    elif not info.ours:
        with tempfile.TemporaryDirectory(prefix="nuages-") as folder:
            archive = oci.archive(image, [reference, f"{app.image}:{tag}"], Path(folder) / "nuages.tar")
            cluster.load(info.name, [archive], sink)
    elif reference not in images.names(info.containerd):
        with step(sink, "load nuages", expected=3) as told:
            count = images.load_image(info.containerd, image, [reference, f"{app.image}:{tag}"])
            told.note = f"{count} {'layer' if count == 1 else 'layers'}"
    return reference


def load(app: App, built: Built, sink: Sink) -> None:
    """Give this machine's cluster a built image, and those of its services.

    Raises:
        ClusterError: there is none, or it has no node.
    """
    _load(cluster.running(cluster.DEFAULT), app, built, sink)


def _load(info: ClusterInfo, app: App, built: Built, sink: Sink) -> None:
    """Give a cluster of this machine what it does not have."""
    if info.api_only:
        raise ClusterError(f"cluster {info.name} has no node that images could be loaded into")
    wanted = _images(services(app))
    if not info.ours:
        cluster.load(info.name, [built.archive, *(base.archive(reference, sink) for reference in wanted)], sink)
        return
    there = images.names(info.containerd)
    if missing := [base.archive(reference, sink) for reference in sorted(wanted - there)]:
        cluster.load(info.name, missing, sink)
    if built.build.reference not in there:
        with step(sink, "load", expected=1) as told:
            count = images.load_image(info.containerd, built.image, [built.build.reference, built.tagged])
            told.note = f"{count} {'layer' if count == 1 else 'layers'}"


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
