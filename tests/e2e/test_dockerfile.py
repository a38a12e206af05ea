"""Dockerfiles, both ways: the one that is printed makes such an image, and a project's own is used and completed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from nuages.app.components import App, resolve
from nuages.errors import BuildFailed, UsageError
from nuages.image import layout, sbom
from nuages.image.build import Built, build
from nuages.image.dockerfile import dockerfile
from nuages.progress import silent
from nuages.spec.load import load

ROOT = Path(__file__).parents[2]
PLAIN = """\
FROM python:3.13-slim AS build
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install -q --no-cache-dir -r requirements.txt
FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH OWN=kept
WORKDIR /srv/blog
COPY --from=build /venv /venv
COPY . .
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("dockerfile") / "blog"
    shutil.copytree(ROOT / "examples" / "blog", folder, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
    return folder


@pytest.fixture(scope="module")
def app() -> App:
    return resolve(load(ROOT / "examples" / "plain.nuages.yaml"), "local")


def own(app: App, file: str) -> App:
    """The same app with `build.dockerfile`."""
    return msgspec.structs.replace(app, build=msgspec.structs.replace(app.build, dockerfile=file))


def distributions(built: Built) -> dict[str, str]:
    return {one.name: one.version for one in sbom.installed(built.image) if one.kind == "pypi" and one.name != "pip"}


def inside(built: Built, *program: str) -> str:
    """What a program prints in a container of the image, as its own user."""
    name = f"localhost/test-dockerfile:{built.tag}"
    archive = built.archive
    reference = layout.references(archive)[1]  # by its tag: buildah can't pull an archive under a digest
    subprocess.run(
        ["buildah", "pull", "--quiet", f"oci-archive:{archive}:{reference}"], check=True, capture_output=True
    )
    made = subprocess.run(
        ["buildah", "from", "--pull-never", reference], check=True, capture_output=True, text=True
    ).stdout.strip()
    try:
        argv = ["buildah", "run", "--isolation=chroot", "--env=SECRET_KEY=x", made, "--", *program]
        done = subprocess.run(argv, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{name}: {done.stderr}"
        return done.stdout
    finally:
        subprocess.run(["buildah", "rm", made], check=True, capture_output=True)
        subprocess.run(["buildah", "rmi", reference], check=True, capture_output=True)


def test_the_printed_dockerfile_makes_an_image_with_the_same_in_it(project: Path, app: App) -> None:
    (project / "Printed").write_text(dockerfile(project, app))
    ours, theirs = build(project, app, silent), build(project, own(app, "Printed"), silent)
    assert distributions(theirs) == distributions(ours)
    for key in ("Cmd", "WorkingDir", "ExposedPorts"):
        assert theirs.image.settings[key] == ours.image.settings[key]
    assert (theirs.build.migrations, theirs.build.static_root) == (ours.build.migrations, ours.build.static_root)
    assert inside(theirs, "python", "manage.py", "check").startswith("System check identified no issues")


def test_a_projects_own_dockerfile_is_used_and_completed(project: Path, app: App) -> None:
    (project / "Plain").write_text(PLAIN)
    first = build(project, own(app, "Plain"), silent)
    assert build(project, own(app, "Plain"), silent).build.reference == first.build.reference
    assert "OWN=kept" in first.image.settings["Env"]
    assert first.image.settings["User"] == "1000"  # root, as the Dockerfile leaves it, is refused by strict clusters
    assert first.build.working_dir == "/srv/blog"
    assert first.build.wsgi == "blog.wsgi:application"
    said = inside(first, "python", "-c", "import nuages_runtime, prometheus_client; print('there')")
    assert said == "there\n"


def test_a_dockerfile_that_does_not_build_shows_its_own_words(project: Path, app: App) -> None:
    (project / "Broken").write_text("FROM python:3.13-slim\nRUN echo so it is >&2; exit 7\n")
    with pytest.raises(BuildFailed, match="Broken does not build") as failed:
        build(project, own(app, "Broken"), silent)
    assert "so it is" in failed.value.detail


def test_an_image_without_the_project_is_refused(project: Path, app: App) -> None:
    (project / "Empty").write_text("FROM python:3.13-slim\nWORKDIR /nowhere\n")
    with pytest.raises(BuildFailed, match=r"no manage\.py in /nowhere"):
        build(project, own(app, "Empty"), silent)


def test_a_dockerfile_that_is_not_there_is_named(project: Path, app: App) -> None:
    with pytest.raises(UsageError, match="there is no Missing"):
        build(project, own(app, "Missing"), silent)
