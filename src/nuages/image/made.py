"""What is made of one state of the project: what it says of itself, and the layers above its dependencies.

Both come from the cache where that state was seen before; it is named by all that decides them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from nuages.app.components import App
from nuages.host.files import replace
from nuages.image import dependencies, facts, ignore, layers, prune, system, tarballs, traces
from nuages.image.dependencies import VENV, Environment
from nuages.image.packing import FORMAT
from nuages.progress import Sink, Step
from nuages.project.facts import Facts

# Counted up when the same project gives other layers, or other facts.
RECIPE = 3
# What tools leave behind beside what they make.
LEFTOVERS = frozenset({"__pycache__", "node_modules", ".cache"})


class Made(msgspec.Struct, frozen=True):
    """What was made of one state of a project: its answers, and the layers in the store."""

    told: facts.Told
    layers: tuple[dependencies.Kept, ...]


def ensure(
    found: Facts,
    app: App,
    environment: Environment,
    files: Sequence[str],
    *,
    front: Path | None,
    told: Step,
    sink: Sink,
) -> Made:
    """What is made of the project's present state, with what Node built in the folder `front`; from the cache where
    that state was seen before.
    """
    env = facts.variables(found, app)
    folders = sorted(volume.folder.path for volume in app.volumes.values())
    inputs = [env, app.build.commands, str(front.parent.name) if front else "", folders]
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
        if app.build.commands:
            builder = system.builder(environment.system, app.build.build_packages, sink)
            facts.run(environment, builder, app.build.commands, stage=stage, env=env, told=told)
        changed = bool(front or app.build.commands)
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
        made = Made(answer, tuple(_layers(answer, environment, stage, out, everything, static=static)))
    replace(kept, msgspec.json.encode(made).decode())
    prune.unused(system.home())
    system.prune()
    told.note = "made anew"
    return made


def _before(kept: Path) -> Made | None:
    """What was made of the same state before, if all of it is there; that it is used again is noted."""
    try:
        made = msgspec.json.decode(kept.read_bytes(), type=Made)
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
    return dependencies.Kept.of(tarballs.layer(entries, dependencies.store(), "static files"))


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
    yield dependencies.Kept.of(tarballs.layer([*layers.runtime(runtime, packages), *compiled], store, "nuages_runtime"))
    if static is not None:
        yield static
    own_files = layers.project(stage, files, into, without=(collected, told.media_root))
    yield dependencies.Kept.of(tarballs.layer([*own_files, *layers.bytecode(out / "bytecode", into)], store, "project"))
