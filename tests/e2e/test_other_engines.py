"""The blog's image, built by an engine that is not the first choice of this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nuages.app.components import App, resolve
from nuages.host import programs
from nuages.host.command import run
from nuages.image import base, engines, system
from nuages.image.build import build
from nuages.image.engine_clients import Podman
from nuages.image.official import UNREACHABLE
from nuages.progress import silent
from nuages.spec.load import parse

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache where nothing is built yet, with the base image and the packages that were fetched before."""
    programs.ensure({"podman": "podman"}, silent)
    monkeypatch.setenv(engines.VARIABLE, "podman")
    engines.forget()
    archive, packages = base.archive("python:3.13-slim"), system.home() / "uv"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    images = tmp_path / "nuages" / "images"
    images.mkdir(parents=True)
    shutil.copy2(archive, images / archive.name)
    (images / UNREACHABLE).touch()
    system.home().mkdir(parents=True)
    if packages.is_dir():
        (system.home() / "uv").symlink_to(packages)
    yield tmp_path
    for lock in (tmp_path / "nuages" / "builds").glob("podman-*.lock"):
        if Podman().known(lock.stem):
            Podman().remove(lock.stem)
    engines.forget()


def blog(more: str = "") -> App:
    spec = (ROOT / "examples" / "plain.nuages.yaml").read_text()
    return resolve(parse((spec + more).encode(), "nuages.yaml"), "local")


def test_podman_builds_the_layers_that_buildah_builds(
    podman: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "blog"
    shutil.copytree(ROOT / "examples" / "blog", project, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
    commands = "build: {commands: [[python, -c, \"open('made.txt', 'w').write('by a command')\"]]}\n"
    made = build(project, blog(commands), silent)
    written = [path for path in system.home().rglob("*") if not path.is_symlink()]
    assert {path.lstat().st_uid for path in written} == {os.getuid()}
    assert not run(["podman", "ps", "--all", "--quiet", "--filter", "name=nuages-"]).strip(), "no container is left"

    # By buildah with this machine's own cache, where the dependencies are those that it installed.
    monkeypatch.undo()
    monkeypatch.setenv(engines.VARIABLE, "buildah")
    again = build(project, blog(commands), silent)
    assert [layer.diff_id for layer in again.image.layers] == [layer.diff_id for layer in made.image.layers]
    assert again.image.settings == made.image.settings
