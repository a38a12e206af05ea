"""Findings about the folders that a project writes to: who can have them at once, and what they would hide."""

from __future__ import annotations

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.parts import Volume
from nuages.findings import Finding, Level, Place
from nuages.render.release import Release
from nuages.render.storage import place


def check(app: App, build: Build | None) -> list[Finding]:
    """Every finding about `volumes`; paths are those of the spec."""
    return [
        finding
        for volume in app.volumes.values()
        for finding in [*_one_node(app, volume), *_hidden(app, volume, build)]
    ]


def kept(app: App, build: Build, path: str) -> bool:
    """Whether a folder of the container is on a volume that the spec names."""
    return any(not volume.folder.temporary and _within(path, _place(volume, build)) for volume in app.volumes.values())


def _one_node(app: App, volume: Volume) -> list[Finding]:
    """As for uploads: what one node has, pods on several can't, and a new pod can't start beside the old one."""
    if not volume.one_node:
        return []
    where = Place(path=f"volumes.{volume.key}.accessMode")
    pods = sum(component.most for component in app.replicated) + (1 if app.beat else 0)
    if pods > 1:
        message = f"ReadWriteOnce is one node's, and {pods} pods of webs, workers and beat have it"
        return [Finding("app.E114", Level.ERROR, message, where, "ReadWriteMany, or one pod")]
    message = "with ReadWriteOnce a release stops the old pod before the new one starts"
    return [Finding("app.W115", Level.WARNING, message, where, "ReadWriteMany rolls out without a gap")]


def _hidden(app: App, volume: Volume, build: Build | None) -> list[Finding]:
    """A volume is empty at first: what the image has at its path is not seen any more."""
    if build is None:
        return []
    path = _place(volume, build)
    where = Place(path=f"volumes.{volume.key}.path")
    if build.static_root and _within(build.static_root, path):
        message = f"would hide the static files of the image, which are in {build.static_root}"
        return [Finding("app.E116", Level.ERROR, message, where, "another folder, or another STATIC_ROOT")]
    if app.media and build.media_root and _within(path, build.media_root):
        message = f"is the project's MEDIA_ROOT, {build.media_root}, or below it"
        return [
            Finding("app.E117", Level.ERROR, message, where, "uploads have a volume of their own: leave this one out")
        ]
    return []


def _place(volume: Volume, build: Build) -> str:
    return place(Release(number=1, template=1, build=build), volume)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
