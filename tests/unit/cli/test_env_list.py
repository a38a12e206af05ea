"""`nuages env list`, where there is nothing to ask a cluster for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from nuages.cli.env import command
from nuages.errors import UsageError

pytestmark = pytest.mark.unit


def test_a_spec_without_environments_lists_none_in_json_too(tmp_path: Path) -> None:
    (tmp_path / "nuages.yaml").write_text("apiVersion: nuages/v1\nname: blog\nimage: registry.example.com/acme/blog\n")
    asked = [sys.executable, "-m", "nuages", "env", "list", "--json"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["up", "staging"], "nuages deploy -e staging"),
        (["down", "staging", "--yes"], "nuages destroy -e staging"),
        (["sleep", "staging"], "nuages scale web=0 -e staging"),
        (["wake", "staging"], "only those sleep"),
    ],
)
def test_what_is_declared_by_itself_has_a_way_of_its_own(words: list[str], hint: str, tmp_path: Path) -> None:
    file = tmp_path / "nuages.yaml"
    file.write_text("name: blog\nimage: a/b\nenvironments: {staging: {}}\n")
    ended = CliRunner().invoke(command, [*words, "-f", str(file)])
    assert isinstance(ended.exception, UsageError)
    assert hint in ended.exception.hint
