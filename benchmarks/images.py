"""Sizes and times of images: `nuages build` beside a plain two-stage Dockerfile, built by the same engine.

Three projects: the blog, what `django-admin startproject` makes, and one with heavier dependencies. Both ways stand on
the same base image, and install the same requirements from the same index. Measured are the first build (base at hand),
a change of one line, and nothing changed; bytes as a registry keeps them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.measure import NUAGES, rounds, say, seconds
from nuages.cli.console import console
from nuages.image import base, layout, network, oci

ROOT = Path(__file__).parents[1]
PYTHON = "python:3.13-slim"
DJANGO = "Django==5.2.8\ngunicorn==23.0.0\nwhitenoise==6.11.0\n"
HEAVY = "numpy==2.3.5\npandas==2.3.3\nlxml==6.0.2\ncryptography==46.0.3\nPillow==12.0.0\n"
# As the documentation of Docker and Django teaches it, and not carelessly: two stages, no cache of pip, no root.
DOCKERFILE = """\
FROM docker.io/library/python:3.13-slim AS build
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r requirements.txt
FROM docker.io/library/python:3.13-slim
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1
WORKDIR /app
COPY --from=build /venv /venv
COPY . .
RUN SECRET_KEY=build python manage.py collectstatic --noinput
USER 1000
CMD ["gunicorn", "{name}.wsgi"]
"""
IGNORED = "**/__pycache__\n*.sqlite3\n.git\n.env\nnuages.yaml\n"


class Project(NamedTuple):
    """A project in a folder, its package, and the file that a change touches."""

    name: str
    folder: Path
    touched: str

    def change(self) -> None:
        """Add a line of Python."""
        path = self.folder / self.touched
        path.write_text(f"{path.read_text()}# one line more\n")


class Cost(NamedTuple):
    """Seconds by the clock, and of processors: the second says the same on a machine that does other things too."""

    wall: float
    cpu: float


class Size(NamedTuple):
    """Bytes of an image's layers as they are moved: of the base, and above it."""

    below: int
    above: int
    digest: str


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks images", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--same", type=int, default=20, help="how often an unchanged tree is built for its digest")
    parser.add_argument("--only", choices=("blog", "start", "heavy"))
    options = parser.parse_args(argv)
    base.in_storage(PYTHON, console.sink)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        for name, make in {"blog": blog, "start": start, "heavy": heavy}.items():
            if options.only in (None, name):
                measure(make(work / name), work, options.rounds, options.same)


def measure(project: Project, work: Path, count: int, same: int) -> None:
    """One project, both ways."""
    ours, plain = Ours(project, work), Plain(project, work)
    print(f"\n{project.name}")
    titles = ("first build", "code change", "its CPU", "unchanged", "above base", "with base")
    print("  " + f"{'':<16}" + "".join(f" {title:>12}" for title in titles))
    first = {way: way.first() for way in (ours, plain)}
    changed: dict[Way, list[Cost]] = {ours: [], plain: []}
    again: dict[Way, list[Cost]] = {ours: [], plain: []}
    for number, way in rounds(count, (ours, plain)):
        project.change()
        changed[way].append(way.build())
        again[way].append(way.build())
        say(f"{project.name}, round {number} of {count}: {way.name} {changed[way][-1].wall:.1f} s")
    sizes = {way: way.size() for way in (ours, plain)}
    for way in (ours, plain):
        spent = (first[way].wall, wall(changed[way]), cpu(changed[way]), wall(again[way]))
        times = " ".join(f"{taken:>10.2f} s" for taken in spent)
        above, whole = sizes[way].above / 2**20, (sizes[way].above + sizes[way].below) / 2**20
        print(f"  {way.name:<16} {times} {above:>8.1f} MiB {whole:>8.1f} MiB")
    mine, other = sizes[ours], sizes[plain]
    whole = (mine.above + mine.below) / (other.above + other.below)
    print(
        f"  bytes {mine.above / other.above:.2f} above the base, {whole:.2f} with it (goal at most 0.80); "
        f"a change {wall(changed[ours]) / wall(changed[plain]):.2f} by the clock, "
        f"{cpu(changed[ours]) / cpu(changed[plain]):.2f} in CPU (goal at most 0.10)"
    )
    digests = {ours.reference() for _ in range(same)}
    print(f"  {same} builds of an unchanged tree: {len(digests)} digest{'s' * (len(digests) > 1)}")


def wall(costs: Sequence[Cost]) -> float:
    """The median."""
    return median(cost.wall for cost in costs)


def cpu(costs: Sequence[Cost]) -> float:
    """The median."""
    return median(cost.cpu for cost in costs)


def cost(*argv: str | Path, env: Mapping[str, str] | None = None, cwd: Path) -> Cost:
    """Run a program to its end, and all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = seconds(*argv, env=env, cwd=cwd)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(taken, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


class Ours:
    """`nuages build`."""

    name = "nuages build"

    def __init__(self, project: Project, work: Path) -> None:
        self._folder = project.folder
        self._work = work
        # Dependencies and states of this project alone; the base images are those of the machine.
        cache = work / f"cache-{project.name}" / "nuages"
        cache.mkdir(parents=True)
        real = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nuages"
        for name in ("images", "toolchain"):
            (cache / name).symlink_to(real / name)
        self._env = {**os.environ, "XDG_CACHE_HOME": str(cache.parent)}

    def first(self) -> Cost:
        return self.build()  # its cache is empty

    def build(self) -> Cost:
        return cost(NUAGES, "build", cwd=self._folder, env=self._env)

    def reference(self) -> str:
        done = subprocess.run(
            [NUAGES, "build"], cwd=self._folder, env=self._env, check=True, capture_output=True, text=True
        )
        return done.stdout.strip().splitlines()[-1]

    def size(self) -> Size:
        archive = self._work / "ours.tar"
        seconds(NUAGES, "build", "--output", archive, cwd=self._folder, env=self._env)
        return sized(layout.read(archive, layout.references(archive)[0]))


class Plain:
    """`buildah build` of the Dockerfile, its layers cached."""

    name = "two stages"

    def __init__(self, project: Project, work: Path) -> None:
        self._folder = project.folder
        self._work = work
        self._tag = f"localhost/bench-{project.name}"
        (self._folder / "Dockerfile").write_text(DOCKERFILE.replace("{name}", project.name))
        (self._folder / ".dockerignore").write_text(IGNORED + "Dockerfile\n.dockerignore\n")
        (work / "pip.conf").write_text("\n".join(["[global]", *pip(), ""]))
        volumes = [*network.volumes(), f"{work / 'pip.conf'}:/etc/pip.conf:ro"]
        self._argv = [
            *("buildah", "build", "--layers", "--isolation=chroot", "--network=host", "--pull-never", "--quiet"),
            *(f"--volume={volume}" for volume in volumes),
            f"--tag={self._tag}",
            ".",
        ]

    def first(self) -> Cost:
        """With none of the layers that an earlier run has left in the engine's cache."""
        return cost(*self._argv[:-1], "--no-cache", self._argv[-1], cwd=self._folder)

    def build(self) -> Cost:
        return cost(*self._argv, cwd=self._folder)

    def size(self) -> Size:
        folder = self._work / "plain"
        shutil.rmtree(folder, ignore_errors=True)
        seconds("buildah", "push", "--quiet", self._tag, f"oci:{folder}")
        return sized(layout.read(folder))


Way = Ours | Plain


def sized(image: oci.Image) -> Size:
    """The base's layers are told by what is in them: each builder compresses them in its own way."""
    known = {layer.diff_id: layer.blob.size for layer in layout.read(base.archive(PYTHON)).layers}
    below = sum(known[layer.diff_id] for layer in image.layers if layer.diff_id in known)
    above = sum(layer.blob.size for layer in image.layers if layer.diff_id not in known)
    return Size(below, above, image.digest)


def pip() -> Iterator[str]:
    """How this machine reaches its index, in the words of pip.conf."""
    known = network.variables(os.environ)
    for name, variable in {"cert": "SSL_CERT_FILE", "index-url": "PIP_INDEX_URL"}.items():
        if variable in known:
            yield f"{name} = {known[variable]}"


def blog(folder: Path) -> Project:
    """The example."""
    shutil.copytree(ROOT / "examples" / "blog", folder, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
    shutil.copyfile(ROOT / "examples" / "plain.nuages.yaml", folder / "nuages.yaml")
    return Project("blog", folder, "posts/views.py")


def start(folder: Path, name: str = "start", requirements: str = DJANGO) -> Project:
    """What a beginner has, ready to be served: STATIC_ROOT, WhiteNoise."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as environment:
        subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", environment], check=True)
        python = f"--python={environment}/bin/python"
        subprocess.run([sys.executable, "-m", "uv", "pip", "install", "--quiet", python, "Django==5.2.8"], check=True)
        subprocess.run([f"{environment}/bin/django-admin", "startproject", name, folder], check=True)
    settings = folder / name / "settings.py"
    text = settings.read_text().replace(
        "'django.contrib.sessions.middleware",
        "'whitenoise.middleware.WhiteNoiseMiddleware',\n    'django.contrib.sessions.middleware",
    )
    settings.write_text(text + "STATIC_ROOT = BASE_DIR / 'staticfiles'\n")
    (folder / "requirements.txt").write_text(requirements)
    spec = {"name": name, "image": f"registry.example.com/acme/{name}", "environments": {"local": {}}}
    spec["django"] = {"settings": f"{name}.settings", "python": "3.13"}
    (folder / "nuages.yaml").write_text(json.dumps(spec))
    return Project(name, folder, f"{name}/urls.py")


def heavy(folder: Path) -> Project:
    """The same with packages whose wheels are large."""
    return start(folder, "heavy", DJANGO + HEAVY)
