"""Views that go on: what a screen holds, what a pipe is told."""

from __future__ import annotations

import io
import os
import pty
import signal

import pytest

from nuages.cli.live import Live, Log, cut, fitted

pytestmark = pytest.mark.unit


def test_a_line_is_cut_by_what_is_seen_of_it_and_keeps_its_styles():
    assert cut("\033[31m✗\033[0m blog-web", 6) == "\033[31m✗\033[0m blog"
    assert cut("short", 60) == "short"


def test_what_a_screen_does_not_hold_is_counted():
    assert fitted(["1", "2", "3", "4"], 60, 3) == ["1", "2", "… 2 more lines"]
    assert fitted(["1", "2"], 60, 2) == ["1", "2"]


def test_a_pipe_is_told_only_what_is_new():
    out = io.StringIO()
    with Log(out) as view:
        view.show(lambda: ["a", "b"])
        view.show(lambda: ["a", "c"])
        view.show(lambda: ["a", "b"])
    assert [line[10:] for line in out.getvalue().splitlines()] == ["a", "b", "c", "b"]


def test_a_terminal_is_drawn_anew_at_its_size_and_given_back():
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as out:
        os.system(f"stty rows 3 columns 20 < {os.ttyname(theirs)}")
        with Live(out) as view:
            view.show(lambda: ["one", "two " * 10, "three", "four"])
            os.system(f"stty rows 9 columns 60 < {os.ttyname(theirs)}")
            signal.raise_signal(signal.SIGWINCH)
        read = b""
        while not read.endswith(b"four\r\n"):
            read += os.read(ours, 65536)
        written = read.decode()
    os.close(ours)
    begin, small, large = written.split("\033[H")
    assert begin == "\033[?1049h\033[?25l"
    assert small == "one\033[K\r\r\ntwo two two two two\033[K\r\r\n… 2 more lines\033[K\033[J"
    assert "three" in large
    assert large.split("\033[?1049l")[1].startswith("one\r\ntwo two two two two two")
