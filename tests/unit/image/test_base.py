"""Names of base images, and when one has to be made anew."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from nuages.image import base, debian, official

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("postgres:17", "docker.io/library/postgres:17"),
        ("docker.io/library/postgres:17", "docker.io/library/postgres:17"),
        ("bitnami/redis:8", "docker.io/bitnami/redis:8"),
        ("ghcr.io/acme/blog:1", "ghcr.io/acme/blog:1"),
        ("localhost/blog:1", "localhost/blog:1"),
        ("localhost:5000/blog", "localhost:5000/blog"),
    ],
)
def test_a_name_without_a_registry_is_docker_hubs(name: str, full: str) -> None:
    assert base.full_name(name) == full


def test_recipes_that_differ_in_anything_are_kept_apart() -> None:
    assert len({recipe.digest() for recipe in base.RECIPES.values()}) == len(base.RECIPES)
    python = base.RECIPES["python:3.13-slim"]
    assert python.digest() == debian.Recipe("trixie", "python", {"PYTHON": "3.13"}, expected=1).digest()
    assert python.digest() != python._replace(arguments={"PYTHON": "3.14"}).digest()


@pytest.mark.parametrize("name", [name for name, recipe in base.RECIPES.items() if recipe.folder])
def test_every_recipe_has_its_containerfile_and_stands_on_a_debian_that_has_one(name: str) -> None:
    recipe = base.RECIPES[name]
    assert (debian.RECIPES / recipe.folder / "Containerfile").is_file()
    assert recipe.below.removeprefix(base.LIBRARY) in base.RECIPES


def test_what_a_recipe_learned_is_read_from_its_layer(tmp_path: Path) -> None:
    content = b"PYTHON_VERSION=3.13.5\nOTHER=a=b\n"
    with tarfile.open(tmp_path / "layer.tar.gz", "w:gz") as tar:
        header = tarfile.TarInfo("./etc/image-env")
        header.size = len(content)
        tar.addfile(header, io.BytesIO(content))
    assert debian.learned(tmp_path / "layer.tar.gz") == {"PYTHON_VERSION": "3.13.5", "OTHER": "a=b"}


def test_an_unreachable_registry_is_not_asked_again_for_an_hour(tmp_path: Path) -> None:
    assert official.worth_trying(tmp_path)
    note = tmp_path / official.UNREACHABLE
    note.touch()
    assert not official.worth_trying(tmp_path)
    hour_ago = note.stat().st_mtime - official.FORGET - 1
    os.utime(note, (hour_ago, hour_ago))
    assert official.worth_trying(tmp_path)
