"""What goes wrong is one line and a hint, with its exit code; a traceback only where it was asked for."""

from __future__ import annotations

import io

import click
import pytest

from nuages.cli import group
from nuages.cli.console import Console
from nuages.cli.misuse import Mistake, failed
from nuages.errors import Unreachable


def shown(arguments, monkeypatch):
    told = io.StringIO()
    monkeypatch.setattr("sys.argv", ["nuages", *arguments])
    monkeypatch.setattr("nuages.cli.console.console", Console(told, told))
    monkeypatch.setattr("sys.stderr", told)
    code = group.run()
    return code, told.getvalue().splitlines()


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["deplyo"], "no command 'deplyo'; did you mean deploy?", "nuages --help"),
        (["releases", "lst"], "no such command 'lst'; did you mean list?", "nuages releases --help"),
        (["status", "--contxt", "x"], "no option --contxt; did you mean --context?", "nuages status --help"),
        (["deploy", "--debug"], "no option --debug", "nuages --debug deploy"),
        (["logs", "--tail"], "option '--tail' requires an argument", "nuages logs --help"),
    ],
)
def test_a_command_called_wrongly_is_one_line_and_a_hint(arguments, message, hint, monkeypatch):
    code, lines = shown(arguments, monkeypatch)
    assert code == 2
    assert lines == [f"✗ {message}", f"  hint  {hint}"]


def test_what_nobody_thought_of_is_one_line_without_a_secret_and_with_debug_a_traceback(monkeypatch):
    @click.command()
    def broken():
        raise ValueError("postgres://blog:hunter22@db/blog\nand more")

    monkeypatch.setattr(group.nuages, "get_command", lambda *_: broken)
    code, lines = shown(["status"], monkeypatch)
    assert code == 1
    assert lines[0] == "✗ a mistake in nuages: ValueError: postgres://blog:***@db/blog"
    assert len(lines) == 2
    _, lines = shown(["--debug", "status"], monkeypatch)
    assert lines[0].startswith("Traceback")


def test_of_a_group_the_error_of_ours_is_told():
    lost = Unreachable("no answer")
    assert failed(ExceptionGroup("both", [KeyError("x"), ExceptionGroup("one", [lost])])) is lost
    assert isinstance(failed(KeyError("x")), Mistake)


def test_what_this_machine_refuses_names_the_file(monkeypatch, tmp_path):
    code, lines = shown(["check", "-f", str(tmp_path)], monkeypatch)
    assert code == 1
    assert lines[0] == f"✗ {tmp_path}: is a directory"
