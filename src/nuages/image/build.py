"""build(project, app, sink) -> Built: a Django project as an image, without a Dockerfile and without a change to the
project.

    base ─▶ dependencies (by lock) ─▶ ask the project for facts and static files ─▶ layers on top ─▶ archive

The slow parts are kept by the hash of all that decides them; what changes with each commit is put together in pure
Python. The same input gives the same digest, so an unchanged project rolls no pod.
"""

from __future__ import annotations

import errno
import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from nuages.app.build import FACTS_LABEL, Build
from nuages.app.components import App
from nuages.errors import BuildFailed, CommandFailed, MissingTool, Refused
from nuages.findings import Finding, Level, Place, errors
from nuages.host.command import run
from nuages.host.files import replace
from nuages.image import (
    dependencies,
    facts,
    frontend,
    frontends,
    ignore,
    layers,
    oci,
    own,
    provenance,
    prune,
    system,
    traces,
)
from nuages.image.additions import Addition
from nuages.image.dependencies import VENV, Environment
from nuages.image.packing import FORMAT
from nuages.progress import Sink, Step, step
from nuages.project.facts import Facts
from nuages.project.inspect import inspect
from nuages.project.requirements import Options
from nuages.render import access

USER = 1000
# Counted up when the same project gives other layers, or other facts.
RECIPE = 3
# What tools leave behind beside what they make.
LEFTOVERS = frozenset({"__pycache__", "node_modules", ".cache"})


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
                oci.archive(self.image, [self.build.reference, self.tagged], to)
            prune.archives(to.parent, self.name)
        return to


class _Made(msgspec.Struct, frozen=True):
    """What was made of one state of a project: its answers, and the layers in the store."""

    told: facts.Told
    layers: tuple[dependencies.Kept, ...]


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
        made = _made(found, app, environment, files, front=front, told=told, sink=sink)
        image, known = _assemble(app, environment, made, found, _digests(fronts))
        done = msgspec.structs.replace(known, reference=f"{app.image}@{image.digest}")
        built = Built(
            done,
            image,
            app.name,
            _findings(found, environment, made, selection),
            _materials(found, environment),
            fronts,
        )
        told.note = built.tag if told.note else f"{built.tag}, unchanged"
    return built


def _own(found: Facts, app: App, sink: Sink) -> Built:
    """The image of the project's own Dockerfile, completed with what a release needs to know and to run."""
    fronts = frontends.ensure(found.root, app, ignore.select(found.root).files, below=None, sink=sink)
    with step(sink, "image", expected=30) as told:
        made = own.make(found, app, told, sink)
        known = _known(
            made.told, revision(found.root), user=made.seat.user, folder=made.seat.folder, fronts=_digests(fronts)
        )
        known = msgspec.structs.replace(known, reads=_reads(found))
        image = oci.append(
            made.below,
            made.layers,
            settings={"User": f"{made.seat.user}", "WorkingDir": made.seat.folder},
            env=_variables(known),
            labels=_labels(app, known, provenance.source(found.root)),
        )
        done = msgspec.structs.replace(known, reference=f"{app.image}@{image.digest}")
        findings = tuple(_added(made.added, Place(str(app.build.dockerfile))))
        built = Built(done, image, app.name, findings, {str(app.build.dockerfile): made.digest}, fronts)
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
        return _made(found, app, environment, files, front=front, told=told, sink=sink).told


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


def revision(root: Path) -> str:
    """The commit that changed the project last, with "-dirty" where files differ from it; "" outside of git."""
    try:
        commit = run(["git", "-C", root, "log", "-1", "--format=%H", "--", "."]).strip()
        changed = commit and run(["git", "-C", root, "status", "--porcelain", "--", "."]).strip()
    except (MissingTool, CommandFailed):  # no git, no repository, or one without a commit
        return ""
    return commit + "-dirty" * bool(changed)


def _made(
    found: Facts,
    app: App,
    environment: Environment,
    files: Sequence[str],
    *,
    front: Path | None,
    told: Step,
    sink: Sink,
) -> _Made:
    """What is made of the project's present state, with what Node built in the folder `front`; from the cache where
    that state was seen before.
    """
    env = facts.variables(found, app)
    options = app.build
    below, tools = environment.system, options.build_packages
    folders = sorted(volume.folder.path for volume in app.volumes.values())
    inputs = [env, options.commands, str(front.parent.name) if front else "", folders]
    kept = _state(environment, inputs, found.root, files)
    if before := _before(kept):
        return before
    name = system.working(environment.system, sink)
    with tempfile.TemporaryDirectory(prefix="nuages-") as temporary:
        stage, out = Path(temporary) / "project", Path(temporary) / "out"
        for each in (stage, out, out / "static", out / "bytecode"):
            each.mkdir()
        layers.stage(found.root, files, stage)
        # Named by what is built, should somebody have saved a file since the question above.
        kept = _state(environment, inputs, stage, files)
        for folder in folders:  # mounted where the project runs, and looked for when it is loaded
            layers.make(stage, folder)
        if front:
            layers.lay(front, stage)
        if options.commands:
            builder = system.builder(below, tools, sink)
            facts.run(environment, builder, options.commands, stage=stage, env=env, told=told)
        changed = bool(front or options.commands)
        fresh = layers.written(stage, found.root, files, LEFTOVERS) if changed else ()
        everything = sorted({*files, *fresh})
        trace = traces.Trace.of([environment.key, *inputs, RECIPE, FORMAT], stage, files) if not changed else None
        if trace and (held := trace.holding()):
            facts.compiled(environment, name, stage=stage, out=out, told=told)
            answer, static = held.told, held.static
        else:
            answer = facts.ask(environment, name, stage=stage, out=out, env=env, told=told)
            static = _static(answer, out)
            if trace:
                trace.keep(answer, static)
        made = _Made(answer, tuple(_layers(answer, environment, stage, out, everything, static=static)))
    replace(kept, msgspec.json.encode(made).decode())
    prune.unused(system.home())
    system.prune()
    told.note = "made anew"
    return made


def _before(kept: Path) -> _Made | None:
    """What was made of the same state before, if all of it is there; that it is used again is noted."""
    try:
        made = msgspec.json.decode(kept.read_bytes(), type=_Made)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    if not all(layer.stored for layer in made.layers):
        return None
    kept.touch()
    return made


def _static(told: facts.Told, out: Path) -> dependencies.Kept | None:
    """The layer of the static files that were collected; None where none were."""
    if told.static_root is None or told.static_skipped:
        return None
    entries = layers.static(out / "static", told.static_root)
    return dependencies.Kept.of(oci.layer(entries, dependencies.store(), "static files"))


def _frontend(found: Facts, app: App, environment: Environment, files: Sequence[str], sink: Sink) -> Path | None:
    """What Node builds for the project, and the build packages that its commands need, before all that follows."""
    wanted, tools = app.build.frontend, app.build.build_packages
    if app.build.commands:
        system.builder(environment.system, tools, sink)
    if wanted is None:
        return None
    return frontend.ensure(found.root, wanted, files, below=environment.system, tools=tools, sink=sink)


def _state(environment: Environment, inputs: Sequence[object], root: Path, files: Sequence[str]) -> Path:
    """Where is kept what is made of a project in this state: named by all that decides it."""
    runtime = facts.runtime_folder()
    content = [*layers.digests(root, files), *layers.digests(runtime, ignore.select(runtime).files)]
    return system.home() / "projects" / f"{system.short_hash([environment.key, *inputs, content, RECIPE, FORMAT])}.json"


def _layers(
    told: facts.Told,
    environment: Environment,
    stage: Path,
    out: Path,
    files: Sequence[str],
    *,
    static: dependencies.Kept | None,
) -> Iterator[dependencies.Kept]:
    """The layers above the dependencies, those that change least first."""
    into, store = facts.WORKING_DIR.strip("/"), dependencies.store()
    packages = layers.site_packages(environment.folder, VENV)
    collected = told.static_root if not told.static_skipped else None
    runtime = facts.runtime_folder()
    compiled = layers.bytecode(out / "bytecode", f"{facts.LIBRARY}/{runtime.name}", f"{packages}/{runtime.name}")
    yield dependencies.Kept.of(oci.layer([*layers.runtime(runtime, packages), *compiled], store, "nuages_runtime"))
    if static is not None:
        yield static
    own_files = layers.project(stage, files, into, without=(collected, told.media_root))
    yield dependencies.Kept.of(oci.layer([*own_files, *layers.bytecode(out / "bytecode", into)], store, "project"))


def _digests(fronts: Iterable[frontends.Front]) -> dict[str, str]:
    return {front.key: front.image.digest for front in fronts}


def _assemble(
    app: App, environment: Environment, made: _Made, found: Facts, fronts: dict[str, str]
) -> tuple[oci.Image, Build]:
    """The image, and what its label says; its reference is known only afterwards."""
    root = found.root
    known = _known(made.told, revision(root), user=USER, folder=facts.WORKING_DIR, fronts=fronts)
    known = msgspec.structs.replace(known, reads=_reads(found))
    below = environment.system.image
    path = dict(pair.partition("=")[::2] for pair in below.settings.get("Env") or ()).get("PATH", "/usr/bin:/bin")
    image = oci.append(
        below,
        [*environment.layers, *(kept.layer() for kept in made.layers)],
        settings={
            "User": f"{USER}:{USER}",
            "WorkingDir": facts.WORKING_DIR,
            "Cmd": ["python", "-m", "nuages_runtime.serve"],
            "ExposedPorts": {"8000/tcp": {}},
        },
        env={
            "PATH": f"{VENV}/bin:{path}",
            "VIRTUAL_ENV": VENV,
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            # The root file system is read-only, and libraries look for a home to write into.
            "HOME": "/tmp",  # noqa: S108 - a container's own
            **_variables(known),
        },
        labels=_labels(app, known, provenance.source(root)),
    )
    return image, known


def _known(told: facts.Told, commit: str, *, user: int, folder: str, fronts: dict[str, str]) -> Build:
    """What the label says of an image; its reference is known only afterwards."""
    return Build(
        reference="",
        wsgi=told.wsgi,
        asgi=told.asgi,
        settings=told.settings,
        static_url=told.static_url or "",
        django=told.django,
        python=told.python,
        engines=told.engines,
        migrations=told.migrations,
        tasks=told.tasks,
        gates=told.gates,
        static_root=told.static_root,
        static_tree=told.static_tree,
        static_hashed=told.static_hashed,
        media_root=told.media_root,
        frontends=fronts,
        user=user,
        working_dir=folder,
        revision=commit,
    )


def _reads(found: Facts) -> tuple[str, ...]:
    """The variables with the parts of a service's address that the settings ask for."""
    return tuple(sorted({variable.name for variable in found.variables} & access.CONVENTIONS.keys()))


def _variables(known: Build) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": known.settings,
        "NUAGES_WSGI": known.wsgi,
        **({"NUAGES_ASGI": known.asgi} if known.asgi else {}),
    }


def _labels(app: App, known: Build, source: str) -> dict[str, str]:
    """The facts, and what any tool reads: https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md."""
    return {
        FACTS_LABEL: facts.label(known),
        "org.opencontainers.image.title": app.name,
        **({"org.opencontainers.image.revision": known.revision} if known.revision else {}),
        **({"org.opencontainers.image.source": source} if source else {}),
    }


def _findings(found: Facts, environment: Environment, made: _Made, selection: ignore.Selection) -> tuple[Finding, ...]:
    """What a person should know of how the image came to be."""
    declared = Place(found.dependencies.files[-1] if found.dependencies else "")
    findings = list(_added(environment.added, declared))
    findings += [Finding("image.W101", Level.WARNING, note, declared) for note in environment.notes]
    findings += [Finding("image.I102", Level.INFO, note, declared) for note in environment.left_out]
    if made.told.static_missing:
        listed = ", ".join(made.told.static_missing[:5]) + (" …" if len(made.told.static_missing) > 5 else "")
        findings.append(Finding("image.W103", Level.WARNING, f"static files refer to what nobody has: {listed}"))
    if made.told.static_skipped:
        findings.append(
            Finding("project.W103", Level.WARNING, f"static files are not collected: {made.told.static_skipped}")
        )
    if selection.left_out:
        findings.append(Finding("project.I104", Level.INFO, f"not in the image: {', '.join(selection.left_out)}"))
    return tuple(findings)


def _added(added: Iterable[Addition], declared: Place) -> Iterator[Finding]:
    for why, names in _by_reason(added).items():
        listed = f"{', '.join(names)} {'was' if len(names) == 1 else 'were'} added"
        driver = any(name.startswith("psycopg") for name in names)
        hint = "" if not driver else "add psycopg[binary] to the dependencies, so that its version is yours"
        level, known = (Level.WARNING, "project.W101") if driver else (Level.INFO, "project.I102")
        yield Finding(known, level, f"{listed} {why}", declared, hint)


def _by_reason(added: Iterable[Addition]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for addition in added:
        found.setdefault(addition.why, []).append(addition.line())
    return found
