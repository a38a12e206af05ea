"""Builds of projects that are not as simple as the blog: front ends, commands, packages of their own, indexes that do
not answer; and that none of it depends on where and when it is built.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import pytest
from caches import forget

from nuages.app.components import App, resolve
from nuages.errors import BuildFailed
from nuages.image import base, layout
from nuages.image.build import Built, build
from nuages.progress import silent
from nuages.spec.load import parse

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
SPEC = (ROOT / "examples" / "plain.nuages.yaml").read_text()


def app(more: str = "") -> App:
    return resolve(parse((SPEC + more).encode(), "nuages.yaml"), "local")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "blog"
    shutil.copytree(ROOT / "examples" / "blog", folder, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
    return folder


def contents(built: Built) -> dict[str, bytes]:
    """Every file of the image's own layers by its path."""
    below = {layer.digest for layer in layout.read(base.archive("python:3.13-slim")).layers}
    found = {}
    for layer in built.image.layers:
        if layer.digest in below:
            continue
        with layer.blob.path.open("rb") as stream:
            stream.seek(layer.blob.offset)
            with tarfile.open(fileobj=stream, mode="r|gz") as tar:
                for member in tar:
                    if member.isfile() and (content := tar.extractfile(member)):
                        found[member.name] = content.read() if member.name.startswith("app/") else b""
    return found


def test_a_front_end_is_built_by_node_and_nothing_of_node_is_in_the_image(project: Path) -> None:
    (project / "assets").mkdir()
    (project / "assets" / "package.json").write_text(
        '{"name": "assets", "scripts": {"build": "node build.js"}, "engines": {"node": ">=20"}}'
    )
    (project / "assets" / "build.js").write_text(
        "const fs = require('fs');\n"
        "fs.mkdirSync('../blog/static/built', {recursive: true});\n"
        "fs.writeFileSync('../blog/static/built/app.js', 'built by ' + process.release.name);\n"
        "fs.writeFileSync('../stats.json', '{}');\n"
    )
    frontend = "build: {frontend: {directory: assets, command: [npm, run, build], output: blog/static/built}}\n"
    found = contents(build(project, app(frontend), silent))
    assert found["app/blog/static/built/app.js"] == b"built by node"
    assert "app/stats.json" in found, "a build may write elsewhere, too"
    assert not [path for path in found if "node_modules" in path or path.endswith("/node")]


def test_a_front_end_that_writes_nothing_where_it_should_is_refused(project: Path) -> None:
    (project / "package.json").write_text('{"scripts": {"build": "node -e 1"}}')
    frontend = "build: {frontend: {command: [npm, run, build], output: dist}}\n"
    with pytest.raises(BuildFailed, match=r"`npm run build` wrote nothing into dist"):
        build(project, app(frontend), silent)


def test_commands_run_without_a_network_and_what_they_write_is_in_the_image(project: Path) -> None:
    (project / "made.py").write_text(
        "import pathlib, socket\n"
        "import django\n"
        "django.setup()\n"
        "try:\n"
        "    socket.create_connection(('1.1.1.1', 53), timeout=2)\n"
        "except OSError:\n"
        "    pathlib.Path('made.txt').write_text('no network')\n"
    )
    found = contents(build(project, app("build: {commands: [[python, made.py]]}\n"), silent))
    assert found["app/made.txt"] == b"no network"


def test_a_command_that_fails_is_named_with_its_own_line(project: Path) -> None:
    (project / "broken.py").write_text("raise SystemExit('no')\n")
    (project / "worse.py").write_text("\nint('x')\n")
    with pytest.raises(BuildFailed, match=r"`python broken\.py` ended with an error"):
        build(project, app("build: {commands: [[python, broken.py]]}\n"), silent)
    with pytest.raises(BuildFailed) as failed:
        build(project, app("build: {commands: [[python, worse.py]]}\n"), silent)
    assert failed.value.place == "worse.py:2"


def test_where_when_and_by_whom_it_is_built_changes_no_digest(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(project, app(), silent)
    forget(("projects",), tmp_path / "cache", monkeypatch)
    elsewhere = tmp_path / "some where" / "else"
    shutil.copytree(project, elsewhere)
    for number, path in enumerate(sorted(elsewhere.rglob("*"))):
        os.utime(path, (number, number))
        path.chmod(0o700 if path.is_dir() or path.stat().st_mode & 0o111 else 0o600)
    assert build(elsewhere, app(), silent).image.digest == first.image.digest


def test_an_index_that_does_not_answer_is_named_without_its_credentials(project: Path) -> None:
    (project / "requirements.txt").write_text("-i https://user:s3cret@index.invalid/simple\ndjango\n")
    with pytest.raises(BuildFailed) as failed:
        build(project, app(), silent)
    assert failed.value.message == "the package index at index.invalid does not answer"
    assert "s3cret" not in f"{failed.value} {failed.value.detail} {failed.value.hint}"


def test_a_package_without_a_wheel_says_what_building_it_takes(project: Path) -> None:
    (project / "requirements.txt").write_text((project / "requirements.txt").read_text() + "psycopg2==2.9.10\n")
    with pytest.raises(BuildFailed) as failed:
        build(project, app(), silent)
    assert failed.value.message == "psycopg2==2.9.10 could not be built"
    assert "libpq-dev" in failed.value.hint
    assert "libpq5" in failed.value.hint
