"""What a record says of a release that serves, whatever comes after; and how one that others drive is followed."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from nuages.errors import Refused, ReleaseFailed, RolledBack
from nuages.release import records
from nuages.release.driver import follow
from nuages.release.events import Event
from nuages.release.record import Outcome

from .examples import NOON, live, record, stored

LATER = NOON + timedelta(seconds=9)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ABANDONED, Outcome.LIVE])
def test_one_that_went_live_stays_so_whatever_comes_after(outcome):
    closed = record().serves(NOON).begun("settle", NOON, []).closed(outcome, LATER, "the backfill failed")
    assert (closed.outcome, closed.live, closed.ended) == (Outcome.LIVE, NOON, LATER)
    assert closed.failure == "the backfill failed"


def test_the_phase_that_failed_is_marked_with_its_time_and_reason():
    closed = record().begun("web", NOON, []).closed(Outcome.FAILED, LATER, "it crashed")
    (web,) = closed.passed
    assert (web.ok, web.ended, web.note) == (False, LATER, "it crashed")


def test_one_that_is_overtaken_leaves_its_phase_open():
    (web,) = record().begun("web", NOON, []).closed(Outcome.ABANDONED, LATER).passed
    assert web.ok
    assert web.ended is None


def test_it_serves_since_it_first_did():
    assert record().serves(NOON).serves(LATER).live == NOON


def test_an_open_release_that_serves_is_the_one_that_serves():
    open_one = stored(record(2).serves(NOON))
    assert records.live([open_one, live(1)]) is open_one
    assert records.live([stored(record(2)), live(1)]).record.number == 1


@pytest.mark.parametrize(("code", "kind"), [(1, ReleaseFailed), (3, Refused), (4, RolledBack), (2, ReleaseFailed)])
def test_who_follows_ends_as_the_job_did(code, kind):
    ended = Event(schema=1, time=NOON, event="ended", exit=code, message="no", detail="KeyError", hint="mend it")
    with pytest.raises(kind) as raised:
        follow._raise(ended)
    assert (raised.value.message, raised.value.detail, raised.value.hint) == ("no", "KeyError", "mend it")
    assert raised.value.exit_code == {2: 1}.get(code, code)


def test_a_good_end_raises_nothing():
    follow._raise(Event(schema=1, time=NOON, event="ended", exit=0))


def test_lines_that_are_no_event_are_no_event():
    assert follow._event("Traceback (most recent call last):") is None
    line = msgspec.json.encode(Event(schema=1, time=NOON, event="step", step="web", state="started")).decode()
    assert follow._event(line).step == "web"
