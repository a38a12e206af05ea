"""nuages' own image: the very package that runs here, and what it needs, on the Python of the same version.

Nothing is fetched and nothing is built: the files of the installed distributions are the layers, so that what drives a
release in the cluster is what planned it.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

import nuages
from nuages.errors import MissingTool
from nuages.image import base, dependencies, layout, oci, tarballs
from nuages.image.tarballs import Entry
from nuages.progress import Sink
from nuages.project.requirements import normal

HOME = "opt/nuages"
USER = 65532

ROOTS = ("click", "httpx2", "jsonschema-rs", "msgspec", "packaging", "pyyaml", "websockets")
"""What nuages needs to drive a release: all of its own requirements but uv, which builds images, pyrage, which encrypts
a file on somebody's machine, and watchfiles, which sees what is saved there."""


def image(sink: Sink) -> oci.Image:
    """The image; the same installation gives the same digest.

    Raises:
        MissingTool: this machine is no Linux, so what is installed here does not run in a pod.
    """
    if sys.platform != "linux":
        raise MissingTool(
            f"what is installed on {platform.system()} does not run in a cluster",
            hint="--detach works from Linux; in CI, say",
        )
    below = base.ensure(f"python:{sys.version_info.major}.{sys.version_info.minor}-slim", sink)
    store = dependencies.store()
    layers = [
        tarballs.layer(_folders(_installed()), store, "what nuages needs"),
        tarballs.layer(_folders(_own()), store, "nuages"),
    ]
    return oci.append(
        layout.read(below.archive),
        layers,
        settings={
            "User": f"{USER}:{USER}",
            "WorkingDir": "/tmp",  # noqa: S108 - a container's own
            "Entrypoint": ["python", "-m", "nuages.cli.drive"],
        },
        env={
            "PYTHONPATH": f"/{HOME}",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": "/tmp",  # noqa: S108 - a container's own
        },
        labels={"org.opencontainers.image.title": "nuages", "org.opencontainers.image.version": nuages.__version__},
    )


def needed(roots: tuple[str, ...] = ROOTS) -> list[str]:
    """The distributions that nuages needs, and that these need in turn, sorted."""
    found: dict[str, set[str]] = {}
    left: list[tuple[str, set[str]]] = [(name, {""}) for name in roots]
    while left:
        name, extras = left.pop()
        known = found.setdefault(normal(name), set())
        if not (fresh := extras - known):
            continue
        known |= fresh
        requires = map(Requirement, metadata.distribution(name).requires or ())
        left += [(one.name, {"", *one.extras}) for one in requires if _applies(one, fresh)]
    return sorted(found)


def _applies(wanted: Requirement, extras: set[str]) -> bool:
    """Whether a requirement counts on this machine, with any of these extras."""
    return wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in extras)


def _installed() -> Iterator[Entry]:
    """The files of what nuages needs, without programs and byte code."""
    for name in needed():
        distribution = metadata.distribution(name)
        for file in distribution.files or ():
            path = Path(str(distribution.locate_file(file)))
            if ".." not in file.parts and "__pycache__" not in file.parts and path.is_file():
                yield Entry(f"{HOME}/{file}", 0o755 if path.suffix == ".so" else 0o644, source=path)


def _own() -> Iterator[Entry]:
    folder = Path(nuages.__file__).parent
    return tarballs.tree(folder, f"{HOME}/nuages", wanted=lambda name: "__pycache__" not in name)


def _folders(entries: Iterator[Entry]) -> list[Entry]:
    """Entries with the folders above them, each once."""
    listed = list(entries)
    known = {entry.path for entry in listed}
    above = {str(parent) for entry in listed for parent in Path(entry.path).parents} - {"."} - known
    return [*(Entry(path) for path in above), *listed]
