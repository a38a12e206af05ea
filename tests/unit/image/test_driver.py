"""nuages' own image: what is in it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from nuages.image import driver

pytestmark = pytest.mark.unit
PROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_it_has_all_that_nuages_requires_but_what_is_for_somebodys_machine():
    declared = {Requirement(line).name for line in tomllib.loads(PROJECT.read_text())["project"]["dependencies"]}
    assert set(driver.ROOTS) == declared - {"uv", "pyrage", "watchfiles"}


def test_what_these_need_in_turn_is_there_but_for_extras_that_nobody_asks_for():
    needed = driver.needed(("httpx2",))
    assert {"httpx2", "httpcore2", "anyio", "idna"} <= set(needed)
    assert not {"h2", "rich"} & set(needed)


def test_each_folder_is_an_entry_of_its_own_and_no_byte_code_is_in_it():
    entries = driver._folders(driver._own())
    paths = [entry.path for entry in entries]
    assert len(paths) == len(set(paths))
    assert f"{driver.HOME}/nuages/release" in paths
    assert f"{driver.HOME}/nuages/cli/drive.py" in paths
    assert not [path for path in paths if "__pycache__" in path]
