"""What `--json` prints is JSON, however a command ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

SPEC = """\
apiVersion: nuages/v1
name: blog
image: registry.example.com/acme/blog
environments: {local: }
jobs: {seed: {manage: [seed]}}
schedules: {nightly: {cron: "0 3 * * *", manage: [tidy]}}
"""


def nuages(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    asked = [sys.executable, "-m", "nuages", *arguments]
    return subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [("promote",), ("abort",), ("contract",), ("env", "up", "pr-1")])
def test_the_last_line_of_what_takes_its_time_says_how_it_ended(command: tuple[str, ...], tmp_path: Path) -> None:
    done = nuages(tmp_path, *command, "--json")
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["event"], last["exit"]) == ("ended", done.returncode)
    assert done.returncode == 2


def test_the_jobs_of_a_spec_are_listed_as_json(tmp_path: Path) -> None:
    (tmp_path / "nuages.yaml").write_text(SPEC)
    told = json.loads(nuages(tmp_path, "run", "--list", "--json").stdout)
    assert told == {
        "schema": 1,
        "jobs": [
            {"name": "seed", "command": ["python", "manage.py", "seed"], "when": None},
            {"name": "nightly", "command": ["python", "manage.py", "tidy"], "when": "0 3 * * *"},
        ],
    }


def test_a_command_of_ones_own_has_no_json_of_ours(tmp_path: Path) -> None:
    done = nuages(tmp_path, "run", "--json", "--", "true")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--json is for --history and --list" in done.stderr
