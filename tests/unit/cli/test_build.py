"""`nuages build` refuses what means nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from nuages.cli.group import nuages
from nuages.errors import UsageError

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    folder = tmp_path / "blog"
    shutil.copytree(ROOT / "examples" / "blog", folder, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
    shutil.copyfile(ROOT / "examples" / "plain.nuages.yaml", folder / "nuages.yaml")
    return folder / "nuages.yaml"


def test_a_tag_without_a_push_is_refused(spec: Path) -> None:
    done = CliRunner().invoke(nuages, ["build", "-f", str(spec), "--tag", "v1"])
    assert isinstance(done.exception, UsageError)
    assert done.exception.hint == "add --push"


@pytest.mark.parametrize("tag", ["v1/2", "a b", "", ".x", "x" * 129])
def test_a_tag_that_no_registry_takes_is_refused_before_the_build(tag: str, spec: Path) -> None:
    done = CliRunner().invoke(nuages, ["build", "-f", str(spec), "--push", "--tag", tag])
    assert isinstance(done.exception, UsageError)
    assert "can't be a tag" in done.exception.message
