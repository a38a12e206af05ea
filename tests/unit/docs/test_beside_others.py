"""docs/reference/beside-others.md is made from benchmarks/commands.toml, and its commands are ones that there are."""

from __future__ import annotations

import os
import shlex
import tomllib
from pathlib import Path

import pytest
from parsing import parsed

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/reference/beside-others.md"
TASKS = tomllib.loads((ROOT / "benchmarks/commands.toml").read_text())["task"]
OTHERS = ("kubectl", "heroku", "kamal", "fly")
SHORT = "nua"
"""The short name of the same program, in which the keys are counted."""

BEGIN, END = "<!-- made from benchmarks/commands.toml -->", "<!-- end -->"


def ours(task: dict[str, str]) -> str:
    """Ours, by its short name."""
    return SHORT + task["nuages"].removeprefix("nuages")


def cell(command: str) -> str:
    return f"`{command}` {len(command)}" if command else "–"


def table() -> str:
    told = [[task["what"], cell(ours(task)), *(cell(task[tool]) for tool in OTHERS)] for task in TASKS]
    rows = ["| " + " | ".join(row) + " |" for row in told]
    notes = [f"- **{task['what']}**: {task['note']}." for task in TASKS if task["note"]]
    head = ["| to | nua | kubectl | heroku | kamal | fly |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *rows, "", "What differs:", "", *notes])


def test_the_page_has_every_task() -> None:
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    fresh = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(fresh)
    assert PAGE.read_text() == fresh, "UPDATE_GOLDEN=1 pytest tests/unit/docs writes it anew"


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["nuages"])
def test_what_it_says_of_ours_is_a_command(task: dict[str, str]) -> None:
    parsed(shlex.split(task["nuages"])[1:])


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["nuages"])
def test_none_of_ours_takes_more_keys_than_the_shortest(task: dict[str, str]) -> None:
    assert len(ours(task)) <= min(len(task[tool]) for tool in OTHERS if task[tool])


def test_the_short_name_is_installed_and_is_the_same_program() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts[SHORT] == scripts["nuages"]


@pytest.mark.parametrize("task", [task for task in TASKS if task["kubectl"]], ids=lambda task: task["nuages"])
def test_none_of_ours_takes_more_keys_than_kubectl(task: dict[str, str]) -> None:
    assert len(task["nuages"]) < len(task["kubectl"])
