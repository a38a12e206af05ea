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


def test_a_start_that_is_held_back_says_for_how_long(lost, caplog):
    assert "start-up is slow: the processor was withheld for 0." in logged(caplog, lambda: lost(60_000_000))


def test_a_start_with_enough_says_nothing(lost, caplog):
    assert logged(caplog) == ""


def test_where_the_kernel_does_not_tell_nothing_is_said(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(withheld, "_PLACES", ((tmp_path / "absent", "throttled_usec", 1e6),))
    assert withheld.seconds() is None
    assert logged(caplog) == ""


def logged(caplog, meanwhile=lambda: None):
    """What is logged during a start of a tenth of a second."""
    with caplog.at_level(logging.WARNING, "nuages"), withheld.watched(0.01):
        meanwhile()
        threading.Event().wait(0.1)
    return caplog.text
