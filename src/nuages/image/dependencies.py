"""The slow part of an image, made once per lock: a virtual environment in /venv, kept as a folder and as a layer.

    base ─▶ + Debian packages ─▶ + /venv     (each keyed by all that decides its content)

The folder serves to run the project while it is built; the layer is what images are put together from.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import msgspec
from uv import find_uv_bin

from nuages.app.components import App
from nuages.errors import BuildFailed, CommandFailed, MissingTool
from nuages.host.lock import locked
from nuages.image import container, cures, oci, system
from nuages.image.container import Volume
from nuages.image.system import System
from nuages.progress import Sink, Step, step
from nuages.project.facts import Facts

# Counted up when the way of building changes, so that nothing old is taken for new.
RECIPE = 1
VENV = "/venv"
# Put in where the project brings none; its own version always wins.
SERVER = "gunicorn==27.0.1"
DRIVER = "psycopg[binary]==3.3.9"
# How this machine reaches its package index; a credential may be in any of them, so they travel in a file, never in
# argv.
_INDEX = re.compile(r"^(PIP|UV)_|^(https?|no|all)_proxy$", re.IGNORECASE)
_NOT_INDEX = re.compile(
    r"^(PIP|UV)_(CERT|FIND_LINKS|CACHE_DIR|PYTHON|PROJECT|TOOL|TARGET|PREFIX|PUBLISH|REQUIRE_VIRTUALENV)"
)
# Where Debian and Python look for certificates, and what the machine's own bundle is called by other tools.
_CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Environment(NamedTuple):
    """What a project's image stands on: a system image, and the virtual environment as folder and layer."""

    key: str
    system: System
    folder: Path
    layer: oci.Layer


def ensure(facts: Facts, app: App, sink: Sink) -> Environment:
    """The environment of a project, built where it is not in the cache yet.

    Raises:
        BuildFailed: a package could not be installed; the detail has its own words, the hint the likely cure.
    """
    declared = facts.dependencies
    if declared is None:
        raise BuildFailed(
            f"{facts.root} says nowhere what to install",
            hint="write a requirements.txt; from Poetry: poetry export, from Pipenv: pipenv requirements",
        )
    below = system.ensure(app.django.python, app.build.packages, sink)
    key = system.short_hash([below.image.digest, recipe(facts, app), *_contents(facts.root, declared.files), RECIPE])
    folder = system.home() / f"dependencies-{key}"
    with locked(folder.with_suffix(".lock"), sink, "the same dependencies"):
        kept = _kept(folder)
        if kept is None:
            with step(sink, "dependencies", expected=60) as told:
                # Compilers go into a container of their own: the shared one stays as the image will be.
                alone = system.apart(below, sink) if app.build.build_packages else None
                with alone or nullcontext(system.working(below, sink)) as name:
                    _install(folder, name, facts, app, told)
                told.note = f"{len(declared.packages)} packages from {declared.files[-1]}"
            kept = msgspec.json.decode((folder / "layer.json").read_bytes(), type=Kept)
    return Environment(key, below, folder / "venv", kept.layer())


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """What an installer must know of this machine to reach its package index, in uv's words too."""
    found = {name: value for name, value in environ.items() if _INDEX.match(name) and not _NOT_INDEX.match(name)}
    for old, new in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_EXTRA_INDEX_URL", "UV_INDEX")):
        if old in found:
            found.setdefault(new, found[old])
    if trusted(environ):
        found["SSL_CERT_FILE"] = CERTIFICATES
    return found


def trusted(environ: Mapping[str, str]) -> Path | None:
    """The certificates that this machine trusts: behind an inspecting proxy the image's own do not do."""
    named = [environ[name] for name in _CERTIFICATES if environ.get(name)]
    return next((Path(file) for file in (*named, SYSTEM_CERTIFICATES) if Path(file).is_file()), None)


CERTIFICATES = "/run/nuages/certificates.pem"
SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # Debian's package ca-certificates


def recipe(facts: Facts, app: App) -> str:
    """The shell script that makes /venv, run inside a container of the system image."""
    declared = facts.dependencies
    lines = ["set -eu", ". /run/nuages/work/variables"]
    if app.build.build_packages:
        lines += ["apt-get update -q >&2", system.apt(app.build.build_packages)]
    lines += [f"uv venv --quiet --allow-existing --python python3 {VENV}", "cd /run/nuages/project"]
    if declared is not None and declared.kind == "uv.lock":
        lines += [
            "uv export --quiet --frozen --no-dev --no-emit-project --no-header > /tmp/requirements.txt",
            "uv pip sync --python /venv/bin/python --require-hashes /tmp/requirements.txt",
        ]
    elif declared is not None:
        lines.append(f"uv pip install --python {VENV}/bin/python -r {shlex.quote(declared.files[0])}")
    lines.append(_unless("gunicorn", SERVER))
    if app.postgres is not None:
        lines.append(_unless("psycopg", DRIVER, "psycopg2"))
    # Checked hashes would be read at each start, and times are all 0 in a layer: the image never changes, so nothing is
    # checked.
    lines.append(f"{VENV}/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash {VENV}/lib || true")
    return "\n".join(lines) + "\n"


def _unless(module: str, requirement: str, other: str = "") -> str:
    tried = " || ".join(f"{VENV}/bin/python -Bc 'import {name}' 2>/dev/null" for name in (module, other) if name)
    return f"{tried} || uv pip install --python {VENV}/bin/python '{requirement}'"


def store() -> Path:
    """Where layers lie, each under its digest."""
    return system.home() / "layers"


class Kept(msgspec.Struct, frozen=True):
    """A layer as it is remembered: its bytes lie in the store, under their digest."""

    digest: str
    diff_id: str
    size: int

    @classmethod
    def of(cls, layer: oci.Layer) -> Kept:
        """Remember a layer that was stored."""
        return cls(layer.digest, layer.diff_id, layer.blob.size)

    @property
    def stored(self) -> bool:
        """Whether its bytes are still in the store."""
        return (store() / self.digest.removeprefix("sha256:")).is_file()

    def layer(self) -> oci.Layer:
        """The layer, its bytes in the store."""
        blob = oci.Blob(store() / self.digest.removeprefix("sha256:"), 0, self.size)
        return oci.Layer(self.digest, self.diff_id, blob)


def _kept(folder: Path) -> Kept | None:
    """What an earlier build left in a folder, if it left all of it; that it is used again is noted."""
    path = folder / "layer.json"
    if not path.is_file():
        return None
    kept = msgspec.json.decode(path.read_bytes(), type=Kept)
    path.touch()
    return kept if kept.stored else None


def _contents(root: Path, files: tuple[str, ...]) -> list[str]:
    return [text for name in files for text in (name, (root / name).read_text(errors="replace"))]


def _install(folder: Path, name: str, facts: Facts, app: App, told: Step) -> None:
    """Make folder/venv and its layer; what an attempt before left behind is thrown away."""
    shutil.rmtree(folder / "venv", ignore_errors=True)
    (folder / "venv").mkdir(parents=True)
    cache = system.home() / "uv"
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        exported = variables(os.environ)
        (work / "variables").write_text(
            "".join(f"export {key}={shlex.quote(value)}\n" for key, value in exported.items())
        )
        (work / "recipe").write_text(recipe(facts, app))
        volumes = [
            Volume(folder / "venv", VENV, writable=True),
            Volume(cache, "/run/nuages/cache", writable=True),
            Volume(work, "/run/nuages/work"),
            Volume(facts.root, "/run/nuages/project"),
            Volume(installer(), "/usr/local/bin/uv"),
            *_certificates(),
        ]
        env = {"UV_CACHE_DIR": "/run/nuages/cache", "UV_LINK_MODE": "copy", "UV_NO_PROGRESS": "1", "UV_NO_CONFIG": "1"}
        try:
            container.inside(name, ["sh", "/run/nuages/work/recipe"], told.say, volumes=volumes, env=env)
        except CommandFailed as failed:
            raise BuildFailed(
                "the project's dependencies could not be installed",
                detail=cures.reason(failed.detail),
                hint=cures.cure(failed.detail),
            ) from None
    layer = oci.layer([oci.Entry("venv"), *oci.tree(folder / "venv", "venv")], store(), "dependencies")
    (folder / "layer.json").write_bytes(msgspec.json.encode(Kept.of(layer)))


def installer() -> Path:
    """Uv's own program: it installs into any Python and needs none itself.

    Raises:
        MissingTool: it is not there.
    """
    try:
        return Path(find_uv_bin())
    except FileNotFoundError as error:
        raise MissingTool("uv is not installed beside nuages", hint="pip install uv") from error


def _certificates() -> list[Volume]:
    file = trusted(os.environ)
    return [Volume(file, CERTIFICATES)] if file else []
