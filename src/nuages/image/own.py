"""The project's own Dockerfile (`build.dockerfile`): built by the engine, then asked and completed as ours are.

    build ─▶ where is Python, who runs it? ─▶ what is missing ─▶ facts, static files ─▶ layers on top

What is in it stays as it is; on top come the runtime, what it lacks to be served, and the static files.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from nuages.app.components import App
from nuages.errors import BuildFailed, CommandFailed, UsageError
from nuages.host.lock import locked
from nuages.image import (
    additions,
    base,
    container,
    dependencies,
    engines,
    facts,
    ignore,
    layers,
    layout,
    network,
    oci,
    sbom,
    system,
    tarballs,
)
from nuages.image.container import Volume
from nuages.image.system import System
from nuages.progress import Sink, Step
from nuages.project.facts import Facts

# Counted up when the way of building changes, so that nothing old is taken for new.
RECIPE = 1
USER = 1000
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)
_ARGUMENT = re.compile(r"^\s*ARG\s+(\w+)=[\"']?([^\s\"']*)", re.IGNORECASE | re.MULTILINE)
# Byte code that nobody checks, as times in a layer are all 0.
_UV = {
    "UV_NO_CONFIG": "1",
    "UV_NO_PROGRESS": "1",
    "UV_LINK_MODE": "copy",
    "PYC_INVALIDATION_MODE": "UNCHECKED_HASH",
}
# Where Python is, whose packages count, who runs it, and where manage.py is: asked of the image.
_QUESTION = (
    'if [ ! -f manage.py ]; then cd "$(dirname "$(find . -maxdepth 3 -name manage.py | sort | head -n 1)")"; fi; '
    "exec python -c '"
    "import json, os, sys, sysconfig; "
    'print(json.dumps({"folder": os.getcwd(), "manage": os.path.isfile("manage.py"), "user": os.getuid(), '
    '"packages": os.path.realpath(sysconfig.get_path("purelib")), "python": sys.executable}))'
    "'"
)


class Seat(msgspec.Struct, frozen=True):
    """How Python sits in an image."""

    folder: str
    manage: bool
    user: int
    packages: str
    python: str


class Own(NamedTuple):
    """An image made by the project's Dockerfile and completed; `seat.user` is who runs it, never root."""

    below: oci.Image
    layers: tuple[oci.Layer, ...]
    told: facts.Told
    seat: Seat
    added: tuple[additions.Addition, ...]
    digest: str
    """Of the Dockerfile, sha256 in hex."""


def make(found: Facts, app: App, told: Step, sink: Sink) -> Own:
    """Build, ask and complete.

    Raises:
        BuildFailed: the Dockerfile does not build, or what it makes has no Python with the project.
        UsageError: there is no such file.
    """
    file = found.root / str(app.build.dockerfile)
    if not file.is_file():
        raise UsageError(f"there is no {app.build.dockerfile} in {found.root}", hint="correct build.dockerfile")
    text = file.read_text(errors="replace")
    key = system.short_hash([text, *_digests(found.root, ignore.select(found.root).files), RECIPE])
    folder = system.home() / f"own-{app.name}" / key
    with locked(folder.parent.with_suffix(".lock"), sink, "the same Dockerfile"):
        if not (folder / "index.json").is_file():
            _build(file, folder, key, told, sink)
        (folder / "index.json").touch()  # who prunes looks at the time
        image = layout.read(folder)
        name = system.working(System(image, folder, _reference(key)), sink)
        return _completed(image, name, found, app, told=told, digest=hashlib.sha256(text.encode()).hexdigest())


def _build(file: Path, folder: Path, key: str, told: Step, sink: Sink) -> None:
    """Let the engine build; the image goes into its storage and, as a layout, into the folder."""
    engine = engines.chosen(sink)
    for reference in _bases(file.read_text(errors="replace")):
        if reference in base.RECIPES:  # not to be had from everywhere under its name
            base.in_storage(reference, sink)
    told.say(f"building {file.name}")
    shutil.rmtree(folder.parent, ignore_errors=True)  # the image of another state
    with tempfile.TemporaryDirectory(prefix="nuages-") as temporary:
        try:
            engine.build(
                file,
                file.parent if (file.parent / "manage.py").is_file() else file.parents[1],
                _reference(key),
                lambda line: told.say(network.without_credentials(line)),
                runtime=facts.runtime_folder(),
                volumes=list(_machine(Path(temporary))) if engine.sees_machine else (),
            )
        except CommandFailed as failed:
            raise BuildFailed(
                f"{file.name} does not build", detail=network.without_credentials(failed.detail), place=str(file)
            ) from None
    folder.mkdir(parents=True)
    engine.export(_reference(key), folder, told.say)


def _completed(image: oci.Image, name: str, found: Facts, app: App, *, told: Step, digest: str) -> Own:
    start = image.settings.get("WorkingDir") or "/"
    path = image.env.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    try:
        answer = container.inside(
            name, ["sh", "-c", f"cd {shlex.quote(start)}; {_QUESTION}"], told.say, env={"PATH": path}
        )
    except CommandFailed as failed:
        raise BuildFailed("the Dockerfile's image has no `python` on its PATH", detail=failed.detail) from None
    seat = msgspec.json.decode(answer, type=Seat)
    if not seat.manage:
        raise BuildFailed(f"the Dockerfile's image has no manage.py in {start}", hint="set WORKDIR to its folder")
    installed = {one.name: one.version for one in sbom.installed(image) if one.kind == "pypi"}
    added = additions.wanted(app, installed)
    env = {**facts.variables(found, app), "PATH": path, "PYTHONPATH": "/run/nuages/lib:/run/nuages/added"}
    with tempfile.TemporaryDirectory(prefix="nuages-") as temporary:
        out, more = Path(temporary) / "out", Path(temporary) / "added"
        for each in (out, out / "static", more):
            each.mkdir()
            each.chmod(0o777)  # the image's own user writes there
        if added:
            _add(name, seat, installed, added, to=more, told=told)
        runtime = facts.runtime_folder()
        volumes = [
            Volume(runtime, f"/run/nuages/lib/{runtime.name}"),
            Volume(more, "/run/nuages/added"),
            Volume(out, "/run/nuages/out", writable=True),
        ]
        script = f"cd {shlex.quote(seat.folder)} && exec python -m nuages_runtime.facts --static /run/nuages/out/static"
        try:
            said = msgspec.json.decode(
                container.inside(name, ["sh", "-c", script], told.say, volumes=volumes, env=env), type=facts.Told
            )
        except CommandFailed as failed:
            raise facts.does_not_load(failed.detail, env.get("DJANGO_SETTINGS_MODULE", "")) from None
        on_top = tuple(_layers(said, seat, out, more if added else None))
    settled = msgspec.structs.replace(seat, user=seat.user or USER)
    return Own(image, on_top, said, settled, tuple(added), digest)


def _add(
    name: str,
    seat: Seat,
    installed: Mapping[str, str],
    added: Iterable[additions.Addition],
    *,
    to: Path,
    told: Step,
) -> None:
    """Install what is missing into a folder of its own, held to the versions that are there."""
    with tempfile.TemporaryDirectory(prefix="nuages-") as temporary:
        work = Path(temporary)
        work.chmod(0o755)
        (work / "constraints.txt").write_text("\n".join((*additions.constraints(installed), "")))
        (work / "variables").write_text(network.shell(network.variables(os.environ, tools=[network.PYTHON])))
        wanted = shlex.join(addition.line() for addition in added)
        script = (
            ". /run/nuages/work/variables; exec uv pip install --no-cache --no-deps --compile-bytecode"
            f" --python {shlex.quote(seat.python)} --target /run/nuages/added"
            f" -c /run/nuages/work/constraints.txt {wanted}"
        )
        volumes = [
            Volume(to, "/run/nuages/added", writable=True),
            Volume(work, "/run/nuages/work"),
            Volume(dependencies.installer(), "/usr/local/bin/uv"),
            *network.volumes([network.PYTHON]),
        ]
        env = _UV
        try:
            container.inside(name, ["sh", "-c", script], told.say, volumes=volumes, env=env)
        except CommandFailed as failed:
            detail = network.without_credentials(failed.detail)
            raise BuildFailed(f"what serves the project could not be added: {wanted}", detail=detail) from None


def _layers(told: facts.Told, seat: Seat, out: Path, added: Path | None) -> Iterator[oci.Layer]:
    store, packages = dependencies.store(), seat.packages
    if added is not None:
        entries = tarballs.tree(added, packages.strip("/"), wanted=lambda name: not name.startswith(("bin/", ".lock")))
        yield tarballs.layer(entries, store, "additions")
    yield tarballs.layer(layers.runtime(facts.runtime_folder(), packages), store, "nuages_runtime")
    if told.static_root and not told.static_skipped:
        yield tarballs.layer(layers.static(out / "static", told.static_root), store, "static files")


def _bases(text: str) -> list[str]:
    """The images that a Dockerfile begins from, by the short names that recipes have."""
    defaults = dict(_ARGUMENT.findall(text))
    found, stages = [], set()
    for reference, stage in _FROM.findall(text):
        named = re.sub(r"\$\{?(\w+)(?::-[^}]*)?\}?", lambda match: defaults.get(match[1], ""), reference)
        if named.lower() not in stages:
            found.append(base.full_name(named).removeprefix(base.LIBRARY))
        stages.add(stage.lower())
    return list(dict.fromkeys(found))


def _machine(folder: Path) -> Iterator[Volume]:
    """How the builder's commands reach this machine's index, in no layer: pip's own configuration, and the secret that
    a Dockerfile of ours asks for (dockerfile.py).
    """
    known = network.variables(os.environ, tools=[network.PYTHON])
    yield from network.volumes([network.PYTHON])
    lines = {"cert": known.get("SSL_CERT_FILE"), "index-url": known.get("PIP_INDEX_URL")}
    said = [f"{name} = {value}" for name, value in lines.items() if value]
    if said:
        (folder / "pip.conf").write_text("\n".join(["[global]", *said, ""]))
        yield Volume(folder / "pip.conf", "/etc/pip.conf")
    (folder / "index").write_text(network.shell(known))
    yield Volume(folder / "index", "/run/secrets/index")


def _reference(key: str) -> str:
    return f"localhost/nuages/own:{key}"


def _digests(root: Path, files: Iterable[str]) -> list[str]:
    return [
        f"{name}:{hashlib.sha256((root / name).read_bytes()).hexdigest()}" for name in files if (root / name).is_file()
    ]
