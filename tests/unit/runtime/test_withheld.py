"""A start that gets no processor says so."""

import logging
import threading

import pytest

from nuages_runtime import withheld


@pytest.fixture
def lost(monkeypatch, tmp_path):
    """A cgroup's file; `lost(microseconds)` writes it."""
    stat = tmp_path / "cpu.stat"
    monkeypatch.setattr(withheld, "_PLACES", ((stat, "throttled_usec", 1e6),))

    def write(microseconds: int) -> None:
        stat.write_text(f"usage_usec 5\nnr_throttled 3\nthrottled_usec {microseconds}\n")

    write(0)
    return write


def said(caplog, *, until: threading.Event) -> bool:
    """Whether a line comes while a body runs."""
    with caplog.at_level(logging.WARNING, "nuages"), withheld.watched(0.01):
        until.wait(0.1)
    return "the processor was withheld for" in caplog.text


def test_a_start_that_is_held_back_says_for_how_long(lost, caplog):
    with caplog.at_level(logging.WARNING, "nuages"), withheld.watched(0.01):
        lost(60_000_000)
        threading.Event().wait(0.1)
    assert "start-up is slow: the processor was withheld for 0." in caplog.text


def test_a_start_with_enough_says_nothing(lost, caplog):
    assert not said(caplog, until=threading.Event())


def test_where_the_kernel_does_not_tell_nothing_is_said(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(withheld, "_PLACES", ((tmp_path / "absent", "throttled_usec", 1e6),))
    assert withheld.seconds() is None
    assert not said(caplog, until=threading.Event())
