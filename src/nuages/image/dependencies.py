"""The slow part of an image, made once per lock: a virtual environment in /venv, kept as a folder and as layers.

    base ─▶ + Debian packages ─▶ + what the lock says ─▶ + what nuages adds     (each keyed by all that decides it)

The folder serves to run the project while it is built; the layers are what images are put together from.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from uv import find_uv_bin

from nuages.app.components import App
from nuages.errors import CommandFailed, MissingTool
from nuages.host.files import replace
from nuages.host.lock import locked
from nuages.image import (
    additions,
    blobs,
    container,
    cures,
    installation,
    layers,
    network,
    oci,
    providers,
    system,
    tarballs,
)
from nuages.image.additions import Addition
from nuages.image.container import Volume
from nuages.image.installation import Installation
from nuages.image.packing import FORMAT
from nuages.image.system import System
from nuages.progress import Sink, Step, step
from nuages.project import requirements
from nuages.project.facts import Facts
from nuages.project.requirements import Options

# Counted up when the way of building changes, so that nothing old is taken for new.
RECIPE = 3
ADDITIONS_RECIPE = 1
VENV = "/venv"
PROJECT = "/app"
OWN_FAILED = "own-package-failed"
# Enough for an extension that needs no library: tried by itself where nothing else is missing.
COMPILERS = ("g++", "gcc", "libc6-dev")


class _NeedsCompiler(Exception):
    """A package has no wheel, and its build misses a compiler and nothing else."""


class Environment(NamedTuple):
    """What a project's image stands on: a system image, and the virtual environment as folder and layers."""

    key: str
    system: System
    folder: Path
    layers: tuple[oci.Layer, ...]
    added: tuple[Addition, ...] = ()
    notes: tuple[str, ...] = ()
    """What went otherwise than the project says, and did not end the build."""
    left_out: tuple[str, ...] = ()
    """What is not installed, on purpose."""


class Kept(msgspec.Struct, frozen=True):
    """A layer as it is remembered: its bytes lie in the store, under their digest."""

    digest: str
    diff_id: str
    size: int
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, layer: oci.Layer, notes: Iterable[str] = ()) -> Kept:
        """Remember a layer that was stored."""
        return cls(layer.digest, layer.diff_id, layer.blob.size, tuple(notes))

    @property
    def stored(self) -> bool:
        """Whether its bytes are still in the store."""
        return (store() / self.digest.removeprefix("sha256:")).is_file()

    def layer(self) -> oci.Layer:
        """The layer, its bytes in the store."""
        blob = blobs.Blob(store() / self.digest.removeprefix("sha256:"), 0, self.size)
        return oci.Layer(self.digest, self.diff_id, blob)


def ensure(facts: Facts, app: App, files: Iterable[str], sink: Sink) -> Environment:
    """The environment of a project with these files, built where it is not in the cache yet.

    Raises:
        BuildFailed: a package could not be installed; the detail has its own words, the hint the likely cure.
        Refused: the file that says what to install can't be used.
    """
    below = system.ensure(app.django.python, app.build.packages, sink)
    wanted = installation.of(facts.root, app, system.python(below) or app.django.python)
    compilers = sorted({*app.build.build_packages, *(["git", "ca-certificates"] if wanted.git else [])})
    key = system.short_hash([below.image.digest, msgspec.to_builtins(wanted), compilers, RECIPE, FORMAT])
    lower, installed = home(key), _Work(below, facts, compilers, sink)
    with locked(lower.with_suffix(".lock"), sink, "the same dependencies"):
        kept = _kept(lower)
        if kept is None:
            system.need_space()
            system.builder(below, compilers, sink)  # before the step below, which would hide that it takes its time
        with step(sink, "dependencies", expected=60) as told:
            if kept is None:
                kept = installed.install(lower, wanted, files, told)
                told.note = f"{len(additions.distributions(lower / 'venv'))} packages from {_source(facts)}"
            else:
                told.note = f"cached, {_source(facts)} is unchanged"
    found = additions.distributions(lower / "venv")
    added = additions.wanted(app, found)
    own = installation.own_package(facts.root, _declared(facts.root, app)) and "-e ./." not in wanted.lines
    skipped = [f"{name} is left out: it has to be compiled, and no command starts it" for name in wanted.skipped]
    if not added and not own:
        return Environment(key, below, lower / "venv", (kept.layer(),), left_out=tuple(skipped))
    digest = installation.own_digest(facts.root, files) if own else []
    key = system.short_hash([key, [addition.line() for addition in added], own, digest, ADDITIONS_RECIPE])
    upper = home(key)
    with locked(upper.with_suffix(".lock"), sink, "the same additions"):
        above = _kept(upper)
        if above is None:
            with step(sink, "additions", expected=5) as told:
                above = installed.add(upper, lower, added, own=list(files) if own else [], told=told)
                told.note = ", ".join(addition.name for addition in added) or "the project's own package"
    return Environment(
        key, below, upper / "venv", (kept.layer(), above.layer()), tuple(added), above.notes, tuple(skipped)
    )


def home(key: str) -> Path:
    """Where an environment is kept."""
    return system.home() / f"dependencies-{key}"


def store() -> Path:
    """Where layers lie, each under its digest."""
    return system.home() / "layers"


class _Work(NamedTuple):
    """One project's environment while it is made: what it stands on, and which packages only building needs."""

    below: System
    facts: Facts
    compilers: list[str]
    sink: Sink

    def install(self, folder: Path, wanted: Installation, files: Iterable[str], told: Step) -> Kept:
        """Make folder/venv and its layer; what an attempt before left behind is thrown away.

        Wheels first: only where a package has none, and the spec names no build packages, a compiler is fetched.
        """
        try:
            return self._install(folder, wanted, files, told)
        except _NeedsCompiler:
            told.say("a package has to be compiled")
            return self._replace(compilers=[*COMPILERS])._install(folder, wanted, files, told)

    def _install(self, folder: Path, wanted: Installation, files: Iterable[str], told: Step) -> Kept:
        # Compilers are in a container of their own: the shared one stays as the image will be.
        name = system.builder(self.below, self.compilers, self.sink)
        with _fresh(folder) as environment:
            texts = {"requirements.txt": wanted.text(), "constraints.txt": "\n".join((*wanted.constraints, ""))}
            lines = [f"uv venv --quiet --allow-existing --python python3 {VENV}"]
            if wanted.lines:
                arguments = shlex.join(wanted.arguments)
                lines.append(
                    f"cd {PROJECT} && uv pip install --python {VENV}/bin/python {arguments}"
                    " -r /run/nuages/work/requirements.txt -c /run/nuages/work/constraints.txt"
                )
            lines.append(_compiled(f"{VENV}/lib"))
            staged = files if wanted.local else ()
            self._run(name, environment, lines, texts, names=wanted.variables, files=staged, told=told)
            told.say("packing")

            def needed(name: str) -> bool:
                """Sources of translations are read by nobody where they are compiled."""
                path = environment / name
                return not (name.endswith(".po") and path.with_suffix(".mo").exists())

            entries = tarballs.tree(environment, "venv", wanted=needed)
            layer = tarballs.layer([tarballs.Entry("venv"), *entries], store(), "dependencies")
            return _remember(folder, Kept.of(layer))

    def add(self, folder: Path, lower: Path, added: list[Addition], *, own: list[str], told: Step) -> Kept:
        """Make folder/venv of another environment and what is added to it; the layer has what differs."""
        name = system.working(self.below, self.sink)
        with _fresh(folder, lower / "venv") as environment:
            held = additions.distributions(environment)
            texts = {
                "constraints.txt": "\n".join((*additions.constraints(held, additions.pins(added)), "")),
                "held.txt": "\n".join((*additions.constraints(held), "")),
            }
            install = f"uv pip install --python {VENV}/bin/python"
            lines = [f"find {VENV}/lib -name '*.py' | sort > /tmp/before"]
            if own:
                # Its modules are found beside manage.py in any case, so that it can't be built ends nothing.
                lines.append(f"{install} --no-deps -e {PROJECT} || touch /run/nuages/work/{OWN_FAILED}")
            if added:
                exact = shlex.join(addition.line() for addition in added)
                near = shlex.join(addition.line() if addition.version else addition.name for addition in added)
                # Where the project's versions exclude ours, the newest that goes with them.
                lines.append(
                    f"{install} -c /run/nuages/work/constraints.txt {exact} ||"
                    f" {install} -c /run/nuages/work/held.txt {near}"
                )
            lines.append(f"find {VENV}/lib -name '*.py' | sort | comm -13 /tmp/before - > /tmp/new")
            lines.append(_compiled("-i /tmp/new"))
            failed = self._run(name, environment, lines, texts, names=[], files=own, told=told)
            entries = [
                entry
                for entry in tarballs.tree(environment, "venv")
                if _differs(entry, lower / "venv" / entry.path.removeprefix("venv/"))
            ]
            notes = [f"the project's own package could not be built: {failed}"] if failed else []
            return _remember(folder, Kept.of(tarballs.layer(entries, store(), "additions"), notes))

    def _run(
        self,
        name: str,
        environment: Path,
        lines: list[str],
        texts: Mapping[str, str],
        *,
        names: Iterable[str],
        files: Iterable[str],
        told: Step,
    ) -> str:
        """Run a shell script in a container that has the environment at /venv and the project at /app; answers why the
        project's own package could not be built, "" where it was or was not asked for.

        Raises:
            BuildFailed: it ended with an error.
        """
        cache = system.home() / "uv"
        cache.mkdir(parents=True, exist_ok=True)
        script = ["set -eu", ". /run/nuages/work/variables"]
        exported = network.variables(os.environ, names, tools=[network.PYTHON])
        heard: list[str] = []
        with tempfile.TemporaryDirectory() as temporary:
            work, stage = Path(temporary) / "work", Path(temporary) / "project"
            work.mkdir()
            stage.mkdir()
            layers.stage(self.facts.root, files, stage)
            (work / "variables").write_text(network.shell(exported))
            (work / "recipe").write_text("\n".join([*script, *lines, ""]))
            for file, text in texts.items():
                (work / file).write_text(text)
            volumes = [
                Volume(environment, VENV, writable=True),
                Volume(cache, "/run/nuages/cache", writable=True),
                Volume(work, "/run/nuages/work", writable=True),
                Volume(stage, PROJECT, writable=True),
                Volume(installer(), "/usr/local/bin/uv"),
                *network.volumes([network.PYTHON]),
            ]

            def say(line: str) -> None:
                clean = network.without_credentials(line)
                heard.append(clean)
                told.say(clean)

            try:
                program = ["sh", "/run/nuages/work/recipe"]
                container.inside(name, program, say, volumes=volumes, env=_SETTINGS)
            except CommandFailed as failed:
                # All that was heard: which package failed stands far above what its compiler says.
                told_all = "\n".join(heard) or network.without_credentials(failed.detail)
                missing = set(providers.needed(told_all))
                if missing and missing <= {"gcc", "g++", "libc6-dev"} and not self.compilers:
                    raise _NeedsCompiler from None
                raise cures.not_installed(told_all, app_python=system.python(self.below)) from None
            failed_own = (work / OWN_FAILED).exists()
        return cures.reason("\n".join(heard), 1) if failed_own else ""


# What the build of a package from a repository would ask git for, and there is none.
_SETTINGS = {
    "UV_CACHE_DIR": "/run/nuages/cache",
    "UV_LINK_MODE": "copy",
    "UV_NO_PROGRESS": "1",
    "UV_NO_CONFIG": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "SETUPTOOLS_SCM_PRETEND_VERSION": "0",
    "POETRY_DYNAMIC_VERSIONING_BYPASS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


def installer() -> Path:
    """Uv's own program: it installs into any Python and needs none itself.

    Raises:
        MissingTool: it is not there.
    """
    try:
        return Path(find_uv_bin())
    except FileNotFoundError as error:
        raise MissingTool("uv is not installed beside nuages", hint="pip install uv") from error


def _compiled(what: str) -> str:
    """Byte code that nobody checks: hashes would be read at each start, and times are all 0 in a layer."""
    return f"{VENV}/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash {what} || true"


def _declared(root: Path, app: App) -> requirements.Declared | None:
    wanted = app.build.dependencies
    return requirements.locate(root, Options(wanted.file or "", tuple(wanted.extras), tuple(wanted.groups)))


def _source(facts: Facts) -> str:
    return facts.dependencies.files[-1] if facts.dependencies else "the project"


def _kept(folder: Path) -> Kept | None:
    """What an earlier build left in a folder, if it left all of it; that it is used again is noted."""
    path = folder / "layer.json"
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Kept)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    path.touch()
    return kept if kept.stored else None


def _remember(folder: Path, kept: Kept) -> Kept:
    replace(folder / "layer.json", msgspec.json.encode(kept).decode())
    return kept


@contextmanager
def _fresh(folder: Path, below: Path | None = None) -> Iterator[Path]:
    """An environment's folder, empty or with another one's files as links; gone again where the body fails."""
    environment = folder / "venv"
    (folder / "layer.json").unlink(missing_ok=True)  # it says that all of the folder is there
    shutil.rmtree(environment, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if below is None:
            environment.mkdir()
        else:
            # Links: nothing that is there is written to, since every version is held.
            shutil.copytree(below, environment, symlinks=True, copy_function=_link)
        yield environment
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _link(source: str, target: str) -> None:
    if Path(source).is_symlink():
        Path(target).symlink_to(Path(source).readlink())
    else:
        os.link(source, target)


def _differs(entry: tarballs.Entry, below: Path) -> bool:
    """Whether an entry is not in the layer below as it is."""
    if entry.target is not None:
        return not below.is_symlink() or str(below.readlink()) != entry.target
    if entry.source is None:
        return not below.is_dir()
    if not below.is_file() or not isinstance(entry.source, Path):
        return True
    return not entry.source.samefile(below) and entry.source.read_bytes() != below.read_bytes()
