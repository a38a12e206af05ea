"""What of a project decides its front end, and that nothing beside the project does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nuages.errors import BuildFailed
from nuages.image import frontend

pytestmark = pytest.mark.unit


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "packages" / "a").mkdir(parents=True)
    (folder / "packages" / "a" / "package.json").write_text("{}")
    (folder / "package.json").write_text(json.dumps({"workspaces": ["packages/*", "../*", "/packages/a"]}))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "package.json").write_text('{"token": "secret"}')
    return folder


@pytest.mark.parametrize(
    ("path", "inside"), [("", ""), (".", ""), ("./assets/", "assets"), (".output", ".output"), ("a/../b", "b")]
)
def test_a_folder_is_the_one_that_is_named(path: str, inside: str) -> None:
    assert frontend.inside(path) == inside


@pytest.mark.parametrize("path", ["..", "../other", "/etc", "a/../../b"])
def test_a_folder_outside_of_the_project_is_refused(path: str) -> None:
    with pytest.raises(BuildFailed, match="is no folder of the project"):
        frontend.inside(path)


def test_only_files_of_the_project_are_given_to_node(project: Path) -> None:
    (project / ".npmrc").symlink_to(project.parent / "other" / "package.json")
    found = frontend._Packages(project, Path("/node/24"))
    assert [str(path.relative_to(project)) for path in found.files] == ["package.json", "packages/a/package.json"]


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_a_broken_package_json_is_said_with_its_place(text: str, project: Path) -> None:
    (project / "package.json").write_text(text)
    with pytest.raises(BuildFailed, match=r"package\.json can't be read") as failed:
        frontend._Packages(project, Path("/node/24"))
    assert failed.value.place.endswith("project/package.json")
