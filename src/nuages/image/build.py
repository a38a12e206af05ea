"""build(project, app, sink) -> Built: a Django project as an image, without a Dockerfile and without a change to the
project.

    base ─▶ dependencies (by lock) ─▶ ask the project for facts and static files ─▶ layers on top ─▶ archive

The slow parts are kept by the hash of all that decides them; what changes with each commit is put together in pure
Python. The same input gives the same digest, so an unchanged project rolls no pod.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from nuages.app.build import Build
from nuages.app.components import App
from nuages.errors import BuildFailed, Refused
from nuages.findings import Finding, Place, errors
from nuages.image import (
    assembly,
    dependencies,
    facts,
    frontend,
    frontends,
    ignore,
    layout,
    made,
    oci,
    own,
    prune,
    remarks,
    system,
)
from nuages.image.dependencies import Environment
from nuages.progress import Sink, step
from nuages.project.facts import Facts
from nuages.project.inspect import inspect
from nuages.project.requirements import Options


@contextmanager
def _room() -> Iterator[None]:
    """What is written finds room, or the build ends in one line.

    Raises:
        BuildFailed: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        hint = "free some space and build again; nothing half-made was kept"
        raise BuildFailed("the disk is full", place=str(error.filename or system.home()), hint=hint) from error


class Built(NamedTuple):
    """A built image: what it is, its content, and what is worth knowing about how it came to be.

    `materials` are what was read: name or URI -> sha256 in hex. `fronts` are the images of its front ends.
    """

    build: Build
    image: oci.Image
    name: str
    findings: tuple[Finding, ...] = ()
    materials: Mapping[str, str] = {}
    fronts: tuple[frontends.Front, ...] = ()

    @property
    def tag(self) -> str:
        """What an image is called if nobody says more: the beginning of its digest."""
        return self.image.digest.removeprefix("sha256:")[:12]

    @property
    def tagged(self) -> str:
        """`repository:tag`."""
        return f"{self.build.reference.partition('@')[0]}:{self.tag}"

    @property
    def archive(self) -> Path:
        """An archive of the image, for `docker load` and other programs; only they need one."""
        to = system.home() / "images" / f"{self.name}-{self.tag}.tar"
        if not to.is_file():
            with _room():
                layout.archive(self.image, [self.build.reference, self.tagged], to)
            prune.archives(to.parent, self.name)
        return to


@_room()
def build(project: Path, app: App, sink: Sink) -> Built:
    """Build the image of the project in a folder, as far as it is not built already.

    Raises:
        BuildFailed: dependencies that do not install, a project that does not load; with its own words.
        MissingTool: buildah or uv is not there.
        UsageError: there is no Django project.
    """
    found = inspected(project, app)
    if app.build.dockerfile:
        return _own(found, app, sink)
    selection = ignore.select(found.root)
    files = frontends.without(selection.files, app)
    environment = dependencies.ensure(found, app, files, sink)
    front = _frontend(found, app, environment, files, sink)
    fronts = frontends.ensure(found.root, app, selection.files, below=environment.system, sink=sink)
    with step(sink, "image", expected=3) as told:
        state = made.ensure(found, app, environment, files, front=front, told=told, sink=sink)
        image, known = assembly.ours(app, found, environment, state, fronts)
        findings = remarks.of_build(found, environment, state, selection)
        built = Built(known, image, app.name, findings, _materials(found, environment), fronts)
        told.note = built.tag if told.note else f"{built.tag}, unchanged"
    return built


def _own(found: Facts, app: App, sink: Sink) -> Built:
    """The image of the project's own Dockerfile, completed with what a release needs to know and to run."""
    fronts = frontends.ensure(found.root, app, ignore.select(found.root).files, below=None, sink=sink)
    with step(sink, "image", expected=30) as told:
        completed = own.make(found, app, told, sink)
        image, known = assembly.theirs(app, found, completed, fronts)
        file = str(app.build.dockerfile)
        findings = tuple(remarks.added(completed.added, Place(file)))
        built = Built(known, image, app.name, findings, {file: completed.digest}, fronts)
        told.note = built.tag
    return built


@_room()
def loaded(project: Path, app: App, sink: Sink) -> facts.Told:
    """What the project says of itself once it is loaded in its image, which is not put together; see `build`."""
    found = inspected(project, app)
    selection = ignore.select(found.root)
    files = frontends.without(selection.files, app)
    environment = dependencies.ensure(found, app, files, sink)
    front = _frontend(found, app, environment, files, sink)
    with step(sink, "load", expected=3) as told:
        return made.ensure(found, app, environment, files, front=front, told=told, sink=sink).told


def inspected(project: Path, app: App) -> Facts:
    """The project as its files tell it, under the settings and dependencies that the spec names.

    Raises:
        Refused: it can't be deployed as it is.
    """
    wanted = app.build.dependencies
    options = Options(wanted.file or "", tuple(wanted.extras), tuple(wanted.groups))
    found = inspect(project / app.django.root, app.django.settings, options)
    if problems := errors(list(found.problems)):
        raise Refused(problems[0].message, findings=problems, place=str(problems[0].place), hint=problems[0].hint)
    return found


def _materials(found: Facts, environment: Environment) -> dict[str, str]:
    """What provenance names: the files that say what is installed, and the image below."""
    declared = found.dependencies.files if found.dependencies else ()
    read = {name: hashlib.sha256((found.root / name).read_bytes()).hexdigest() for name in declared}
    below = environment.system
    return {**read, f"oci:{below.reference}": below.image.digest.removeprefix("sha256:")}


def _frontend(found: Facts, app: App, environment: Environment, files: Sequence[str], sink: Sink) -> Path | None:
    """What Node builds for the project, and the build packages that its commands need, before all that follows."""
    wanted, tools = app.build.frontend, app.build.build_packages
    if app.build.commands:
        system.builder(environment.system, tools, sink)
    if wanted is None:
        return None
    return frontend.ensure(found.root, wanted, files, below=environment.system, tools=tools, sink=sink)
