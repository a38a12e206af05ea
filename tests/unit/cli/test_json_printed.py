"""What `--json` prints is JSON, however a command ends."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from nuages.cli.console import Console
from nuages.cli.done import Built
from nuages.cli.wording import document, plain
from nuages.findings import Finding, Level, Place

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


def test_what_init_wrote_is_told_and_nothing_is_asked(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog.settings")\n')
    (tmp_path / "requirements.txt").write_text("django==5.2\n")
    (tmp_path / "blog").mkdir()
    (tmp_path / "blog/settings.py").write_text("SECRET_KEY = 'x'\nROOT_URLCONF = 'blog.urls'\n")
    (tmp_path / "blog/wsgi.py").write_text("application = None\n")
    done = nuages(tmp_path, "init", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["schema"], told["wrote"]) == (1, ["nuages.yaml", "nuages.schema.json"])
    assert all({"id", "level", "place"} <= finding.keys() for finding in told["findings"])


def test_objects_are_printed_as_a_list_that_kubernetes_takes(tmp_path: Path) -> None:
    (tmp_path / "nuages.yaml").write_text(SPEC)
    told = json.loads(nuages(tmp_path, "render", "--json").stdout)
    assert (told["apiVersion"], told["kind"]) == ("v1", "List")
    assert {"Namespace", "Deployment"} <= {item["kind"] for item in told["items"]}


def test_what_migrate_would_change_is_told_as_edits(tmp_path: Path) -> None:
    (tmp_path / "nuages.yaml").write_text(SPEC.replace("schedules", "shedules"))
    would = nuages(tmp_path, "config", "migrate", "--diff", "--json")
    did = nuages(tmp_path, "config", "migrate", "--json")
    assert (would.returncode, did.returncode) == (5, 0)
    assert json.loads(would.stdout)["edits"] == json.loads(did.stdout)["edits"]
    assert [(edit["old"], edit["new"]) for edit in json.loads(did.stdout)["edits"]] == [("shedules", "schedules")]
    assert "schedules:" in (tmp_path / "nuages.yaml").read_text()


def test_each_finding_of_a_check_says_which_shape_it_has(tmp_path: Path) -> None:
    (tmp_path / "nuages.yaml").write_text(SPEC.replace("schedules", "shedules"))
    done = nuages(tmp_path, "check", "--json")
    assert done.returncode == 3
    assert [json.loads(line)["schema"] for line in done.stdout.splitlines()] == [1]


def test_a_dockerfile_is_no_json(tmp_path: Path) -> None:
    assert nuages(tmp_path, "build", "--dockerfile", "--json").returncode == 2


def test_named_tuples_are_objects_and_so_is_what_holds_them() -> None:
    out = io.StringIO()
    finding = Finding("spec.E101", Level.ERROR, "no such field", Place("nuages.yaml", 3, 1, "web"))
    Console(out, io.StringIO()).json(Built(
        reference="", pushed=False, tags=[], loaded=False, files=[], findings=[finding],
    ))  # fmt: skip
    told = json.loads(out.getvalue())["findings"]
    assert told == [finding._asdict() | {"level": "error", "place": finding.place._asdict()}]


class Kept(msgspec.Struct, frozen=True):
    """A shape that says all of its fields."""

    at: datetime
    level: Level
    place: Place
    none: str | None = None


class Spare(msgspec.Struct, omit_defaults=True, rename="camel"):
    """One that leaves out what says nothing."""

    some_name: str = ""
    other_name: int = 0


@pytest.mark.parametrize(
    "value",
    [
        {
            "text": 'ü \u2028 \x1b[31m " \\ \n',
            "numbers": [0, -1, 1.5, 1 << 60],
            "truths": [True, False, None, float("nan"), float("-inf")],
        },
        {"empty": [{}, [], (), ""], 5: "a key that is a number"},
        [datetime(2026, 11, 22, 8, 30, tzinfo=UTC), {Level.ERROR: Level.WARNING}, frozenset({"one"})],
        Kept(datetime(2026, 11, 22, 8, 30, 1, 5, tzinfo=UTC), Level.ERROR, Place("nuages.yaml", 3, 1, "web")),
        {"spared": [Spare("x"), Spare()], "deep": {"kept": [Finding("a", Level.INFO, "b", Place())]}},
    ],
)
def test_both_ways_of_a_command_write_the_same_json_as_msgspec_would(value: object) -> None:
    out = io.StringIO()
    Console(out, io.StringIO()).json(value)
    assert out.getvalue() == f"{document(value)}\n"
    assert json.loads(out.getvalue()) == json.loads(msgspec.json.encode(plain(value)))
    assert out.getvalue() == f"{msgspec.json.format(msgspec.json.encode(plain(value))).decode()}\n"
