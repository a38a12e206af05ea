"""The Dockerfile that is printed: readable, in stages, and with nothing of this machine in it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from nuages.app.components import resolve
from nuages.image.dockerfile import _copy, _variable, dockerfile
from nuages.spec.load import load

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    folder = tmp_path / "blog"
    shutil.copytree(ROOT / "examples" / "blog", folder, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
    shutil.copyfile(ROOT / "examples" / "plain.nuages.yaml", folder / "nuages.yaml")
    return folder / "nuages.yaml"


def test_a_dockerfile_is_printed_in_stages(spec: Path) -> None:
    with spec.open("a") as file:
        file.write("build: {packages: [libmagic1], buildPackages: [gcc], commands: [[python, manage.py, check]]}\n")
    (spec.parent / ".env").touch()
    text = dockerfile(spec.parent, resolve(load(spec), "local"))
    lines = text.splitlines()
    stages = [line for line in lines if line.startswith("FROM")]
    assert stages == [
        "FROM docker.io/library/python:3.13-slim AS base",
        "FROM base AS dependencies",
        "FROM dependencies AS project",
        "FROM base",
    ]
    assert "COPY requirements.txt ./requirements.txt" in lines
    assert lines[-1] == 'CMD ["python", "-m", "nuages_runtime.serve"]'
    assert lines[-3:-1] == ["USER 1000:1000", "EXPOSE 8000"]
    assert any(line.startswith("# .dockerignore should name: ") and ".env" in line for line in lines)
    # Compilers stay out of what is kept, and the project's command runs where its files are.
    assert text.index("libmagic1") < text.index("AS dependencies") < text.index("gcc") < text.index("AS project")
    assert text.index("AS project") < text.index("python manage.py check") < text.rindex("FROM base")


def test_the_list_is_written_out_where_the_installer_does_not_read_the_lock(spec: Path) -> None:
    folder = spec.parent
    (folder / "requirements.txt").unlink()
    (folder / "requirements.in").unlink(missing_ok=True)
    (folder / "Pipfile").write_text('[packages]\ndjango = "*"\n')
    locked = {"django": {"version": "==5.2.8", "index": "pypi"}, "asgiref": {"version": "==3.10.0"}}
    lock = {"_meta": {"sources": [], "requires": {}}, "default": locked, "develop": {}}
    (folder / "Pipfile.lock").write_text(json.dumps(lock))
    text = dockerfile(folder, resolve(load(spec), "local"))
    assert "# The list is that of Pipfile.lock; print this file anew when it changes." in text
    assert "django==5.2.8" in text


def test_a_front_end_is_built_in_a_stage_of_its_own(spec: Path) -> None:
    with spec.open("a") as file:
        file.write("build: {frontend: {directory: assets, command: [npm, run, build], output: assets/dist}}\n")
    lines = dockerfile(spec.parent, resolve(load(spec), "local")).splitlines()
    assert lines.index("WORKDIR /app/assets") < lines.index("RUN npm ci") < lines.index("RUN npm run build")
    assert "COPY --from=frontend /app/assets/dist /app/assets/dist" in lines


def test_the_file_that_the_spec_names_is_installed(spec: Path) -> None:
    (spec.parent / "production.txt").write_text("django==5.2.8\n")
    with spec.open("a") as file:
        file.write("build: {dependencies: {file: production.txt}}\n")
    lines = dockerfile(spec.parent, resolve(load(spec), "local")).splitlines()
    assert "COPY production.txt ./production.txt" in lines
    assert _copy("two words.txt") == 'COPY ["two words.txt", "./two words.txt"]'
    assert "COPY requirements.txt ./requirements.txt" not in lines


def test_a_value_of_several_lines_stays_on_one_and_no_key_is_printed() -> None:
    key = _variable("KEY", "-----BEGIN PRIVATE KEY-----\nsecret\n")
    assert (key, _variable("A", "b c")) == ('KEY="$(openssl genrsa 2048 2>/dev/null)"', "'A=b c'")
    text = "one\\n'two'\nthree $HOME"
    script = f"env {_variable('TEXT', text)} sh -c 'printf %s \"$TEXT\"'"
    assert "\n" not in script
    assert subprocess.run(["sh", "-c", script], capture_output=True, check=True, text=True).stdout == text
