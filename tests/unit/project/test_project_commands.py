"""What `nuages init`, `inspect`, `explain` and `check` print for a small project, without loading it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from small_projects import SETTINGS, shop

from nuages.cli import check, explain, init, inspect
from nuages.errors import Refused, UsageError

pytestmark = pytest.mark.unit

SSL = 'SECURE_SSL_REDIRECT = os.environ.get("FORCE_HTTPS", "True") == "True"\n'


def run(command: click.Command, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(command, arguments, input=typed)


@pytest.fixture(autouse=True)
def _printed_by_click(monkeypatch: pytest.MonkeyPatch) -> None:
    """The console keeps the streams that it was made with; these are the runner's."""
    from nuages.cli.console import console

    monkeypatch.setattr(console, "print", click.echo)
    monkeypatch.setattr(console, "_line", lambda text="": click.echo(text, err=True))


def test_init_writes_a_spec_that_check_accepts(tmp_path: Path) -> None:
    root = shop(tmp_path / "shop", SSL)
    written = run(init.command, str(root), "--yes")
    assert written.exit_code == 0
    assert "shop.settings  shop/wsgi.py:2" in written.output
    assert "SECRET_KEY has no default  shop/settings.py:4" in written.output
    checked = run(check.command, "--file", str(root / "nuages.yaml"))
    assert (checked.exit_code, checked.output) == (0, "0 findings, nothing was touched.\n")


def test_init_does_not_replace_a_spec_unasked(tmp_path: Path) -> None:
    root = shop(tmp_path, files={"nuages.yaml": "name: mine\n"})
    assert isinstance(run(init.command, str(root), "--yes").exception, UsageError)
    assert (root / "nuages.yaml").read_text() == "name: mine\n"


def test_a_drafted_spec_is_utf_8_whatever_the_machine_writes(tmp_path: Path) -> None:
    reads = 'TITLE = os.environ.get("TITLE", "Café")\n'
    root = shop(tmp_path / "Füße", reads)
    assert run(init.command, str(root), "--yes").exit_code == 0
    assert "Café" in (root / "nuages.yaml").read_bytes().decode()


def test_inspect_shows_each_fact_with_its_place_and_its_doubt(tmp_path: Path) -> None:
    root = shop(tmp_path, SSL, {"Dockerfile": "FROM python:3.12-slim\n"})
    lines = [" ".join(line.split()) for line in run(inspect.command, str(root), "--files").output.splitlines()]
    assert "django 5.2.1 requirements.txt:1" in lines
    assert "python 3.12? Dockerfile:1" in lines
    assert "https only off by FORCE_HTTPS=false shop/settings.py:12" in lines
    assert "required SECRET_KEY shop/settings.py:4" in lines


def test_inspect_as_json_has_the_same_and_the_hints(tmp_path: Path) -> None:
    root = shop(tmp_path, files={"Procfile": "web: gunicorn shop.wsgi\n"})
    known = json.loads(run(inspect.command, str(root), "--files", "--json").output)
    facts = {
        row["topic"]: (row["value"], row["place"]["file"], row["place"]["line"], row["sure"]) for row in known["facts"]
    }
    assert facts["settings"] == ("shop.settings", "shop/wsgi.py", 2, True)
    assert known["hints"][0]["value"] == "process.web=gunicorn shop.wsgi"
    assert (known["problems"], known["loaded"], known["notLoaded"]) == ([], [], "")


def test_inspect_of_what_can_t_be_deployed_shows_what_it_is_and_ends_with_3(tmp_path: Path) -> None:
    root = shop(tmp_path, files={"requirements.txt": "Django==3.2.1\n"})
    result = run(inspect.command, str(root))
    assert "3.2.1" in result.output
    assert isinstance(result.exception, Refused)
    assert result.exception.exit_code == 3


def test_explain_says_why_each_value_is_what_it_is(tmp_path: Path) -> None:
    root = shop(tmp_path)
    run(init.command, str(root), "--yes")
    file = str(root / "nuages.yaml")
    whole = run(explain.command, "--file", file, "--files").output
    assert "Concluded from the project" in whole
    assert "half of its memory" in whole
    assert "made in the cluster once" in whole
    timing = run(explain.command, "web.main.timing.grace", "--file", file, "--files").output
    assert timing.splitlines()[-1].split("  ")[1:3] == ["web.main.timing.grace", "40 s"]
    assert "shop/settings.py:4" in run(explain.command, "SECRET_KEY", "--file", file, "--files").output


def test_explain_of_what_nobody_knows_says_so(tmp_path: Path) -> None:
    root = shop(tmp_path)
    run(init.command, str(root), "--yes")
    result = run(explain.command, "web.mian", "--file", str(root / "nuages.yaml"), "--files")
    assert isinstance(result.exception, UsageError)


def test_check_tells_what_the_project_needs_and_the_spec_does_not_give(tmp_path: Path) -> None:
    root = shop(tmp_path, 'PARTNER = os.environ["PARTNER"]\n')
    spec = "apiVersion: nuages/v1\nname: shop\nimage: registry.example.com/shop\ndjango: {python: '3.15'}\n"
    (root / "nuages.yaml").write_text(
        f"{spec}secrets: {{SECRET_KEY: {{generate: true}}}}\nenvironments: {{local: {{}}}}\n"
    )
    result = run(check.command, "--file", str(root / "nuages.yaml"))
    assert isinstance(result.exception, Refused)
    found = [(one.id, str(one.place), one.message) for one in result.exception.findings]
    missing = "the settings do not load without PARTNER, and nobody gives it"
    assert ("app.E170", "shop/settings.py:12", missing) in found
    assert "project.W213" in {one[0] for one in found}
    assert not [one for one in found if "SECRET_KEY" in one[2]]


def test_check_refuses_a_spec_whose_project_has_a_syntax_error(tmp_path: Path) -> None:
    root = shop(tmp_path)
    run(init.command, str(root), "--yes")
    (root / "shop" / "settings.py").write_text(SETTINGS + "DEBUG = (\n")
    result = run(check.command, "--file", str(root / "nuages.yaml"))
    assert isinstance(result.exception, Refused)
    assert [str(finding.place) for finding in result.exception.findings] == ["shop/settings.py:12:9"]


def test_in_a_terminal_init_asks_for_what_no_file_can_tell_and_never_for_a_secret(tmp_path: Path) -> None:
    reads = 'PARTNER = os.environ["PARTNER"]\nPAY_TOKEN = os.environ["PAY_TOKEN"]\n'
    root = shop(tmp_path / "shop", reads)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "nuages", "init", str(root)]
    # Dumb, so that nothing but the text is printed.
    quiet = os.environ | {"TERM": "dumb"}
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, text=True, env=quiet) as asked:
        os.close(theirs)
        os.write(ours, b"registry.example.com/team/shop\nacme\ny\n")
        output, _ = asked.communicate(timeout=60)
    os.close(ours)
    assert asked.returncode == 0
    assert "Where do images go?" in output
    assert "PARTNER (shop/settings.py:12)" in output
    assert "PAY_TOKEN (" not in output
    spec = (root / "nuages.yaml").read_text()
    assert "image: registry.example.com/team/shop" in spec
    assert "  PARTNER: acme" in spec
