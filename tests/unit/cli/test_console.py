"""What a person, a pipe and a narrow terminal see."""

from __future__ import annotations

import io

import pytest

from nuages.cli.console import Console, duration
from nuages.errors import Interrupted, NuagesError, SpecInvalid
from nuages.findings import Finding, Level, Place
from nuages.progress import step


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def console(err: io.StringIO) -> Console:
    return Console(io.StringIO(), err)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s")],
)
def test_durations_are_said_as_a_person_says_them(seconds, said):
    assert duration(seconds) == said


def test_a_pipe_hears_a_step_begin_and_end_in_plain_lines():
    err = io.StringIO()
    with step(console(err).sink, "web", expected=20) as shown:
        shown.say("1 of 3 updated")
        shown.note = "3 available"
    begun, ended = err.getvalue().splitlines()
    assert begun == "· web (about 20 s)"
    assert ended.startswith("✓ web")
    assert "3 available" in ended
    assert "\033" not in err.getvalue()


def test_a_terminal_sees_one_line_that_is_redrawn_with_the_news():
    err = Terminal()
    with step(console(err).sink, "web") as shown:
        shown.say("1 of 3 updated")
    assert "\r\033[2K… web" in err.getvalue()
    assert "1 of 3 updated" in err.getvalue()
    assert err.getvalue().count("\n") == 1


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_step_that_ended_is_one_line_of_a_narrow_terminal_too(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    err = Terminal()
    with step(console(err).sink, "exposure") as shown:
        shown.note = "3 available, 10.213.200.227"
    line = err.getvalue().rpartition("\033[2K")[2].rstrip("\n")
    assert line.startswith("✓ exposure")
    assert len(line) <= columns


def test_the_times_stand_below_each_other_however_long_a_name_is(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    err = io.StringIO()
    told = console(err)
    for title in ("web", "copy the database of production"):
        with step(told.sink, title) as shown:
            shown.note = "3 rows in 2 tables"
    ended = [line for line in err.getvalue().splitlines() if line.startswith("✓")]
    assert len({line.rindex("0.0 s") for line in ended}) == 1


def test_no_colour_is_honoured(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    err = Terminal()
    with step(console(err).sink, "web"):
        pass
    assert "\033[3" not in err.getvalue()


def test_a_step_that_fails_is_marked_without_colour_too():
    err = io.StringIO()
    with pytest.raises(RuntimeError), step(console(err).sink, "web"):
        raise RuntimeError
    assert err.getvalue().splitlines()[-1].startswith("✗ web")


def test_an_error_is_told_with_place_detail_and_hint_and_its_exit_code():
    err = io.StringIO()
    error = NuagesError("web failed", place="nuages.yaml", detail="first\nsecond", hint="do this")
    assert console(err).error(error) == 1
    assert err.getvalue().splitlines() == ["✗ nuages.yaml: web failed", "    first", "    second", "  hint  do this"]


def test_all_findings_are_told_before_the_refusal():
    err = io.StringIO()
    findings = [Finding("spec.E101", Level.ERROR, f"mistake {n}", Place("nuages.yaml", n, 5)) for n in range(1, 6)]
    assert console(err).error(SpecInvalid("5 findings, nothing was touched.", findings=findings)) == 3
    lines = err.getvalue().splitlines()
    assert lines[0] == "nuages.yaml:1:5  mistake 1  spec.E101"
    assert len(lines) == 6


def test_an_interruption_ends_with_130_and_says_how_to_go_on():
    err = io.StringIO()
    assert console(err).error(KeyboardInterrupt()) == 130
    assert "run the same command again" in err.getvalue()
    assert console(io.StringIO()).error(Interrupted("stopped")) == 130


@pytest.mark.parametrize("evil", ["\x1b]52;c;ZXZpbA==\x07", "\x1b[2J\x1b[H", "\x9b31m", "\r\x08\x00"])
def test_what_a_pod_logged_tells_a_terminal_nothing(evil):
    err = io.StringIO()
    shows = console(err)
    finding = Finding("a.E1", Level.ERROR, f"wrong{evil}", Place(), f"mend{evil}")
    shows.error(SpecInvalid(f"failed{evil}", findings=[finding], hint=f"see{evil}"))
    shows.error(NuagesError("failed", detail=f"line one{evil}\n\tline two"))
    with step(shows.sink, "web") as shown:
        shown.say(f"crashed{evil}")
        shown.note = f"crashed{evil}"
    said = err.getvalue()
    assert not set(said) & set("\x1b\x9b\x07\x08\x00\r")
    assert "line two" in said
