"""From a project to images where a cluster finds them: loaded into one of this machine, pushed for every other."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nuages.app.build import Build
from nuages.app.components import App
from nuages.errors import ClusterError
from nuages.image import base, driver, layout, publish, registry
from nuages.image.build import Built, build
from nuages.local import cluster, images
from nuages.local.info import DEFAULT, ClusterInfo, of_context
from nuages.progress import Sink, step
from nuages.project import match
from nuages.render.manifest import render, services
from nuages.render.release import Release


def deliver(project: Path, app: App, context: str, sink: Sink) -> Built:
    """Build the project's image and bring it to where the cluster of a context gets it.

    A cluster of this machine is given the image, those of its front ends, and the official ones that its objects name;
    any other pulls: the project's own from `image`, where they are pushed to, and the others from their official names.

    Raises:
        Refused: the settings would not load in the app's pods.
        BuildFailed: the image could not be built.
        PushFailed: the registry did not take it; asked before the build whether it knows us.
    """
    match.settled(project, app)
    if (info := of_context(context)) is None:
        publish.sign_in(app.image, sink)
        built = build(project, app, sink)
        publish.publish(project, app, built, (), sink)
        return built
    if missing := _addons(app) - set(info.addons):
        info = cluster.up(info.name, addons=missing, sink=sink)
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
            archive = layout.archive(image, [reference, f"{app.image}:{tag}"], Path(folder) / "nuages.tar")
            cluster.load(info.name, [archive], sink)
    elif reference not in images.names(info.containerd):
        with step(sink, "load nuages", expected=3) as told:
            count = images.load_image(info.containerd, image, [reference, f"{app.image}:{tag}"])
            told.note = f"{count} {'layer' if count == 1 else 'layers'}"
    return reference


def deliver_services(app: App, context: str, sink: Sink) -> None:
    """Bring the images of the app's data stores to a cluster of this machine; any other pulls them by their names.

    Raises:
        MissingTool: one can neither be pulled nor made here.
    """
    if (info := of_context(context)) is None or info.api_only:
        return
    there = images.names(info.containerd) if info.ours else set()
    if missing := [base.archive(name, sink) for name in sorted(_images(services(app)) - there)]:
        cluster.load(info.name, missing, sink)


def load(app: App, built: Built, sink: Sink) -> None:
    """Give this machine's cluster a built image, and the others that its objects name.

    Raises:
        ClusterError: there is none, or it has no node.
    """
    _load(cluster.running(DEFAULT), app, built, sink)


def _load(info: ClusterInfo, app: App, built: Built, sink: Sink) -> None:
    """Give a cluster of this machine what it does not have."""
    if info.api_only:
        raise ClusterError(f"cluster {info.name} has no node that images could be loaded into")
    wanted = _official(app, built.build)
    own = [
        (built.image, [built.build.reference, built.tagged]),
        *((front.image, front.names) for front in built.fronts),
    ]
    if not info.ours:
        fronts = [front.archive for front in built.fronts]
        cluster.load(info.name, [built.archive, *fronts, *(base.archive(name, sink) for name in wanted)], sink)
        return
    there = images.names(info.containerd)
    if missing := [base.archive(reference, sink) for reference in sorted(wanted - there)]:
        cluster.load(info.name, missing, sink)
    if fresh := [(image, names) for image, names in own if names[0] not in there]:
        with step(sink, "load", expected=len(fresh)) as told:
            count = sum(images.load_image(info.containerd, image, names) for image, names in fresh)
            told.note = f"{count} {'layer' if count == 1 else 'layers'}"


def _addons(app: App) -> set[str]:
    """The add-ons that a way in needs, where they are ours: each is built when a spec first asks for it."""
    through = app.expose if app.expose and app.expose.kind in ("ingress", "gateway") else None
    if through is None:
        return set()
    controller = {"traefik"} if through.class_ in ("traefik", "traefik/traefik") else set()
    return controller | ({"cert-manager"} if through.tls and through.tls.issuer == "local" else set())


def _official(app: App, build: Build) -> set[str]:
    """The official images that the app's objects name, by their full names: what its services run, and whatever else
    of them can be had here. An image that somebody else's registry has is pulled by the cluster.
    """
    stores = _images(services(app))
    every = _images(render(app, Release(number=1, template=1, build=build)).objects)
    return stores | {name for name in every if name.removeprefix(base.LIBRARY) in base.RECIPES}


def _images(content: object) -> set[str]:
    """The images of every container in an object, wherever its kind has its pods."""
    if isinstance(content, list):
        return {image for each in content for image in _images(each)}
    if not isinstance(content, dict):
        return set()
    pods = [*(content.get("containers") or ()), *(content.get("initContainers") or ())]
    named = {base.full_name(each["image"]) for each in pods if isinstance(each, dict) and "image" in each}
    return named | {image for each in content.values() for image in _images(each)}
