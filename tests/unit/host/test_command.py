"""A program's answer, its lines while it runs, and its last words."""

from __future__ import annotations

import pytest

from nuages.errors import CommandFailed, MissingTool
from nuages.host.command import follow, run, started

pytestmark = pytest.mark.unit


def test_a_failed_program_says_its_last_words():
    with pytest.raises(CommandFailed) as failed:
        run(["sh", "-c", "echo first; echo it is broken >&2; exit 3"])
    assert "exit code 3" in failed.value.message
    assert failed.value.detail == "it is broken"


def test_a_program_that_fails_without_a_word_on_stderr_is_quoted_from_stdout():
    with pytest.raises(CommandFailed) as failed:
        run(["sh", "-c", "seq 9; exit 1"], keep=2)
    assert failed.value.detail == "8\n9"


def test_a_missing_program_is_named():
    with pytest.raises(MissingTool, match="no-such-program"):
        run(["no-such-program"])


def test_the_answer_is_stdout_alone_and_stderr_is_told_as_it_comes():
    said = []
    assert run(["sh", "-c", "echo one >&2; echo; cat; echo two >&2"], said.append, stdin="answer") == "\nanswer"
    assert said == ["one", "two"]


def test_a_program_that_prints_and_reads_more_than_a_pipe_holds_does_not_hang():
    much = "line\n" * 100_000
    assert run(["sh", "-c", "cat; echo done >&2"], stdin=much) == much


def test_a_program_sees_the_environment_and_the_folder_that_it_is_given(tmp_path):
    assert run(["sh", "-c", "echo $COLOR $PWD"], env={"COLOR": "orange"}, cwd=tmp_path) == f"orange {tmp_path}\n"


def test_a_program_of_sbin_is_found_though_the_path_lacks_it(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert run(["sh", "-c", "echo $PATH"]) == "/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin\n"
    assert run(["ldconfig", "--version"])


def test_following_ends_the_program_when_the_listener_has_heard_enough():
    heard = []
    assert follow(["sh", "-c", "echo one; echo two; sleep 60"], lambda line: heard.append(line) or line == "two")
    assert heard == ["one", "two"]


def test_following_hears_both_streams_and_fails_with_their_end():
    heard = []
    with pytest.raises(CommandFailed) as failed:
        follow(["sh", "-c", "echo one; echo; echo two >&2; exit 1"], heard.append)
    assert heard == ["one", "two"]
    assert failed.value.detail == "one\ntwo"


def test_a_program_does_not_outlive_a_body_that_fails():
    with pytest.raises(RuntimeError), started(["sleep", "60"]) as program:
        raise RuntimeError
    assert program.returncode == -15
