"""A page that a person puts in front, and a release behind it that has one of its own."""

from __future__ import annotations

import pytest

from nuages.release.pausing import emptied
from nuages.release.record import Outcome

from .examples import NOON, live, record

pytestmark = pytest.mark.unit


def test_the_page_stays_while_a_release_has_ended_all_that_answers_behind_it():
    begun = record(2, maintenance=True).begun("maintenance", NOON, [])
    assert emptied(begun)
    assert emptied(begun.closed(Outcome.FAILED, NOON))
    assert not emptied(record(2, maintenance=True))  # it has not come so far
    assert not emptied(begun.finished("web", NOON, ""))
    assert not emptied(live(2).record)
