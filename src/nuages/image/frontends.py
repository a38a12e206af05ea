"""The images of front ends: what Node builds of one folder, put on top of nginx.

    package.json and its lock ─▶ node_modules (kept) ─▶ the build command ─▶ files, and compressed ones beside them

Each is an image of its own in the app's repository, and the app's image says its digest: a release that is told one
image knows them all. How nginx serves them is no part of it (render/nginx.py), so a change of that builds nothing.
"""

from __future__ import annotations

import gzip
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nuages.app.components import App
from nuages.app.parts import Frontend
from nuages.errors import BuildFailed
from nuages.image import base, dependencies, frontend, layers, layout, oci, prune, system, tarballs
from nuages.image.system import System
from nuages.progress import Sink, step
from nuages.render import nginx
from nuages.spec import model

# What compression makes smaller; images, fonts and archives are compressed already.
TEXTS = frozenset(
    {".css", ".html", ".ico", ".js", ".json", ".map", ".md", ".mjs", ".svg", ".txt", ".wasm", ".webmanifest", ".xml"}
    | {".otf", ".ttf"}
)
# Below it, what is saved does not pay for a second file.
WORTH = 1024


class Front(NamedTuple):
    """A built front end."""

    key: str
    name: str
    """What its objects are called: `blog-frontend-spa`."""
    repository: str
    image: oci.Image

    @property
    def tag(self) -> str:
        """What it is called in the repository, beside the app's images."""
        return f"{self.key}-{self.image.digest.removeprefix('sha256:')[:12]}"

    @property
    def names(self) -> list[str]:
        """By digest, as a release names it, and by tag."""
        return [f"{self.repository}@{self.image.digest}", f"{self.repository}:{self.tag}"]

    @property
    def archive(self) -> Path:
        """An archive of it, for programs that need one."""
        digest = self.image.digest.removeprefix("sha256:")[:12]
        to = system.home() / "images" / f"{self.name}-{digest}.tar"
        if not to.is_file():
            layout.archive(self.image, self.names, to)
            prune.archives(to.parent, self.name)
        return to


def ensure(root: Path, app: App, files: Sequence[str], *, below: System | None, sink: Sink) -> tuple[Front, ...]:
    """All front ends of an app, built where they are not kept already. `below` is what their programs run on; where
    the project brings a Dockerfile of its own, it is a Python image like any other project's.

    Raises:
        BuildFailed: packages that do not install, a build that fails or leaves nothing where it should.
    """
    if not app.frontends:
        return ()
    ground = below or system.ensure(app.django.python or "3.13", [], sink)
    server = layout.read(base.archive(nginx.IMAGE, sink))
    return tuple(
        _front(root, app, each, files, ground=ground, server=server, sink=sink) for each in app.frontends.values()
    )


def without(files: Sequence[str], app: App) -> list[str]:
    """The project's files without the sources of front ends, which no Python needs.

    A folder that has Python in it, or is the project's own, is more than a front end and stays.
    """
    folders = [f"{folder}/" for each in app.frontends.values() if (folder := frontend.inside(each.frontend.directory))]
    python = {folder for folder in folders if any(name.startswith(folder) and name.endswith(".py") for name in files)}
    dropped = tuple(folder for folder in folders if folder not in python)
    return [name for name in files if not name.startswith(dropped)] if dropped else list(files)


def _front(
    root: Path, app: App, each: Frontend, files: Sequence[str], *, ground: System, server: oci.Image, sink: Sink
) -> Front:
    wanted, place = each.frontend, f"frontends.{each.key}"
    folder = frontend.inside(wanted.directory, place)
    output = frontend.inside(f"{folder}/{wanted.output}", place)
    # It sees its own folder and nothing else: what changes elsewhere builds nothing.
    own = [name for name in files if not folder or name.startswith(f"{folder}/")]
    asked = model.Frontend(directory=wanted.directory, command=wanted.command, output=output)
    tools = app.build.build_packages
    built = frontend.ensure(root, asked, own, below=ground, tools=tools, sink=sink, place=place)
    with step(sink, f"image {each.key}", expected=2) as told, tempfile.TemporaryDirectory() as temporary:
        if not (built / output / "index.html").is_file():
            raise BuildFailed(
                f"{place}.output: there is no index.html in {wanted.output}", hint="the folder that the build writes"
            )
        entries = [*_entries(built / output, Path(temporary))]
        layer = tarballs.layer(entries, dependencies.store(), f"front end {each.key}")
        image = oci.append(
            server,
            [layer],
            settings={"User": f"{nginx.UID}:{nginx.UID}", "ExposedPorts": {f"{nginx.PORT}/tcp": {}}},
            labels={"org.opencontainers.image.title": each.name},
        )
        front = Front(each.key, each.name, app.image, image)
        told.note = front.tag
    return front


def _entries(folder: Path, temporary: Path) -> Iterator[tarballs.Entry]:
    """The files, and beside those that are worth it a compressed one, which nginx sends as it lies there."""
    into = nginx.ROOT.strip("/")
    yield from (tarballs.Entry(str(above)) for above in layers.parents(f"{into}/index.html"))
    for number, entry in enumerate(tarballs.tree(folder, into)):
        if not isinstance(entry.source, Path):
            yield entry
            continue
        plain = entry.source.read_bytes()
        timed = entry._replace(time=time_of(plain))
        yield timed
        if entry.source.suffix.lower() in TEXTS and len(plain) >= WORTH:
            small = gzip.compress(plain, 9, mtime=0)
            if len(small) < len(plain):
                target = temporary / f"{number}.gz"
                target.write_bytes(small)
                yield timed._replace(path=f"{entry.path}.gz", mode=0o644, source=target)


def time_of(content: bytes) -> int:
    """A time in the past that tells a content from any other.

    nginx makes its ETag of a file's time and size. Were all times the same, a new index.html, which has but other
    hashes of the same length, would be "not modified", and browsers would keep the old page for ever.
    """
    return int.from_bytes(hashlib.sha256(content).digest()[:4]) >> 2
