"""Base images under their official names, with or without a registry on the internet.

An image that can be pulled is pulled. Otherwise it is made from Debian's packages and answers to the same environment
variables, arguments, ports, folders and uids, so that one manifest serves both worlds. Either way it is kept as an OCI
archive; removing the file is how it is renewed.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from nuages.errors import MissingTool, NuagesError, Refused
from nuages.host.lock import locked
from nuages.host.places import cache
from nuages.image import debian, engines, interpreters, layout, official
from nuages.image.debian import Recipe
from nuages.image.engine import Say
from nuages.image.engine_buildah import Buildah
from nuages.progress import Sink, silent, step

LIBRARY = "docker.io/library/"
PYTHON = re.compile(rf"{re.escape(LIBRARY)}python:(3\.\d+)-slim")
RECIPES = {
    "debian:trixie-slim": Recipe("trixie", expected=20),
    "debian:bookworm-slim": Recipe("bookworm", expected=20),
    "debian:forky-slim": Recipe("forky", expected=20),
    "python:3.14-slim": Recipe("forky", "python", {"PYTHON": "3.14"}, expected=25),
    "python:3.13-slim": Recipe("trixie", "python", {"PYTHON": "3.13"}, expected=25),
    "python:3.11-slim": Recipe("bookworm", "python", {"PYTHON": "3.11"}, expected=25),
    "postgres:17": Recipe("trixie", "postgres", {"MAJOR": "17"}, expected=40),
    "postgres:15": Recipe("bookworm", "postgres", {"MAJOR": "15"}, expected=40),
    "redis:8": Recipe("trixie", "redis", expected=15),
    "nginx:1.26": Recipe("trixie", "nginx", expected=15),
    "rabbitmq:4": Recipe("trixie", "rabbitmq", expected=25),
    "memcached:1.6": Recipe("trixie", "memcached", expected=15),
    "docker.io/edoburu/pgbouncer:v1.24.1-p1": Recipe("trixie", "pgbouncer", expected=15),
    "quay.io/prometheuscommunity/postgres-exporter:v0.17.1": Recipe("trixie", "postgres-exporter", expected=15),
    "docker.io/oliver006/redis_exporter:v1.83.0": Recipe("trixie", "redis-exporter", expected=15),
    "docker.io/valkey/valkey:8": Recipe("trixie", "valkey", expected=15),
}


class BaseImage(NamedTuple):
    """An image at hand: its full name, its OCI archive (carrying that name), its digest, and whether it was pulled."""

    reference: str
    archive: Path
    digest: str
    official: bool


def ensure(name: str, sink: Sink = silent) -> BaseImage:
    """See to it that an image is at hand: kept from before, else pulled, else made. "postgres:17" is the short name.

    Raises:
        MissingTool: it can't be pulled, and this machine can't make it (no root, no recipe, a program is missing).
        CommandFailed: a step of making it ended with an error.
    """
    reference = full_name(name)
    if found := _kept(reference):
        return found
    with locked(_folder() / f".{_flat(reference)}.lock", sink, f"base image {name}"):
        return _kept(reference) or _fresh(reference, sink)


def archive(name: str, sink: Sink = silent) -> Path:
    """The OCI archive of an image, to load into a node."""
    return ensure(name, sink).archive


def in_storage(name: str, sink: Sink = silent) -> str:
    """See to it that the engine's own storage has an image under its full name (for FROM), and answer that name."""
    engine = engines.chosen(sink)
    found = ensure(name, sink)
    with ExitStack() as shown:

        def told() -> Say:
            title = f"unpack {name.removeprefix(LIBRARY)} for building"
            return shown.enter_context(step(sink, title, expected=5)).say

        engine.offer(found.archive, found.reference, told)
    return found.reference


def full_name(name: str) -> str:
    """The name with its registry: postgres:17 is docker.io/library/postgres:17, as Docker and Kubernetes read it."""
    first, slash, _ = name.partition("/")
    if not slash:
        return LIBRARY + name
    return name if "." in first or ":" in first or first == "localhost" else f"docker.io/{name}"


def _fresh(reference: str, sink: Sink) -> BaseImage:
    short = reference.removeprefix(LIBRARY)
    engine = engines.chosen(sink)
    if official.worth_trying(_folder()):
        with step(sink, f"pull {short}", expected=official.PATIENCE) as doing:
            pulled = official.pull(engine, reference, _pulled_to(reference), doing.say)
            doing.note = "pulled" if pulled else "not to be had"
        if pulled:
            return _image(reference, _pulled_to(reference))
    recipe = RECIPES.get(short)
    interpreter = None
    if recipe is None:
        recipe, interpreter = _of_interpreter(reference, sink)
    debian.need(sink)
    to = _made_to(reference, recipe)
    below = None
    if recipe.folder:
        below_image = ensure(recipe.below, sink)
        below = layout.read(below_image.archive)
        Buildah().offer(below_image.archive, below_image.reference, lambda: lambda _: None)
    with step(sink, f"make {short} from Debian packages", expected=recipe.expected) as doing:
        if below is None:
            debian.make_debian(recipe, reference, to, doing.say)
        else:
            debian.make(recipe, below, reference, to, doing.say, interpreter=interpreter)
        doing.note = f"{to.stat().st_size >> 20} MiB"
    return _image(reference, to)


def _of_interpreter(reference: str, sink: Sink) -> tuple[Recipe, Path]:
    """How a Python that Debian does not have is made into its image, and where that Python lies.

    Raises:
        Refused: no such Python can be had here; the hint names those that can.
        MissingTool: the image is another one.
    """
    named = PYTHON.fullmatch(reference)
    if named is None:
        raise MissingTool(
            f"{reference} can't be pulled from here", hint=f"made without a registry are {', '.join(RECIPES)}"
        )
    with step(sink, f"look for Python {named[1]}", expected=5) as doing:
        # The runtime that goes into each image needs 3.10.
        found = interpreters.find(named[1], doing.say) if int(named[1].partition(".")[2]) >= 10 else None
        doing.note = f"{found.prefix}" if found else "not to be had"
    if found is None:
        raise no_python(named[1])
    return Recipe(found.debian, "interpreter", found.arguments(named[1]), expected=30), found.prefix


def no_python(version: str) -> NuagesError:
    """The refusal of a Python version, naming those that can be had on this machine."""
    recipes = {found[1] for name in RECIPES if (found := PYTHON.fullmatch(LIBRARY + name))}
    names = sorted({*recipes, *interpreters.there()}, key=lambda name: int(name.partition(".")[2]))
    return Refused(
        f"Python {version} can't be had: no registry answers, Debian does not have it, nor does this machine",
        hint=f"django.python: one of {', '.join(names)}; or build where docker.io can be reached",
    )


def _kept(reference: str) -> BaseImage | None:
    if (pulled := _pulled_to(reference)).exists():
        return _image(reference, pulled)
    recipe = RECIPES.get(reference.removeprefix(LIBRARY))
    if recipe is not None and (made := _made_to(reference, recipe)).exists():
        return _image(reference, made)
    if recipe is None and PYTHON.fullmatch(reference):
        of_interpreters = sorted(_folder().glob(f"{_flat(reference)}-{'?' * 12}.tar"))
        return _image(reference, of_interpreters[-1]) if of_interpreters else None
    return None


def _image(reference: str, archive: Path) -> BaseImage:
    return BaseImage(reference, archive, layout.read(archive).digest, archive == _pulled_to(reference))


def _folder() -> Path:
    """Where archives of images are kept."""
    return cache() / "images"


def _pulled_to(reference: str) -> Path:
    return _folder() / f"{_flat(reference)}-official.tar"


def _made_to(reference: str, recipe: Recipe) -> Path:
    return _folder() / f"{_flat(reference)}-{recipe.digest()}.tar"


def _flat(reference: str) -> str:
    """A reference as a file's name: colons would end the path in `oci-archive:PATH:NAME`."""
    return reference.removeprefix(LIBRARY).replace("/", "_").replace(":", "-").replace("@", "-")
