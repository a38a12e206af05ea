from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import staged
from environments import Environment
from postgres import PASSWORD

from nuages.image.container import Volume

pytestmark = pytest.mark.runtime

# One of each form; all of them on a million rows, with times, are benchmarks/locks.
SAMPLE = (
    "column with a default",
    "one to one",
    "partial index",
    "unique together",
    "not null",
    "key gone",
    "model renamed",
    "column and code",
    "as makemigrations writes it",
)
ROWS = 50_000


def test_old_code_reads_and_writes_on_while_its_table_is_migrated(
    environments: Callable[[str], Environment], database: str, tmp_path: Path
) -> None:
    env = {"DATABASE": database, "PASSWORD": PASSWORD, "FOLDER": "/app"}
    program = ["python", "/tests/staged.py", str(ROWS), *SAMPLE]
    mounted = [Volume(Path(staged.__file__), "/tests/staged.py")]
    ended = environments("django6.1-python3.13").run(program, tmp_path, env, mounted, timeout=600)
    assert ended.code == 0, ended.err
    answers = {answer["name"]: answer for answer in map(json.loads, ended.out.splitlines())}
    assert list(answers) == list(SAMPLE)
    for name, answer in answers.items():
        assert answer["kind"] == staged.CASES[name].kind, answer
        if answer["kind"] == "refused":
            continue
        # Nobody fails, everybody goes on, nothing is left half done; how long one waits depends on the machine.
        assert (answer["errors"], answer["invalid"], answer["after"]) == ([], [], 0), answer
        assert answer["goes on"], answer
        assert set(staged.CASES[name].columns) <= set(answer["columns"]), answer
    assert "old" not in answers["as makemigrations writes it"]["columns after"]
    assert "other_id" not in answers["key gone"]["columns after"]
