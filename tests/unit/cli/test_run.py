"""What `nuages run` shows of what others ran."""

import io
from datetime import UTC, datetime

import pytest

from nuages.cli import run
from nuages.cli.console import Console
from nuages.cli.run import spelled
from nuages.release import audit
from nuages.release.audit import Ran

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("python manage.py check", "python manage.py check"),
        ("echo Zoë 雲", "echo Zoë 雲"),
        ("printf \x1b[2J", "printf \\x1b[2J"),
        ("sh -c 'a\nb'", "sh -c 'a\\nb'"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_a_command_line_of_somebody_else_gives_the_terminal_no_orders(written, shown):
    assert spelled(written) == shown


def test_what_ran_in_no_pod_leaves_no_gap_in_the_history(monkeypatch):
    out = io.StringIO()
    at = datetime(2026, 11, 22, 2, 46, tzinfo=UTC)
    ran = Ran(pod="", by="ada@host", command=("maintenance", "on"), release=3, started=at, exit_code=0)

    def found(story):
        story.close()
        return [ran]

    monkeypatch.setattr(run.target, "run", found)
    monkeypatch.setattr(run, "console", Console(out, io.StringIO()))
    monkeypatch.setattr(audit, "history", lambda *asked: None)
    run._history(None, None, as_json=False)
    assert out.getvalue() == "2026-11-22 02:46  ada@host  release 3  exit 0  maintenance on\n"
