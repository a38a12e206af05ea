"""What programs are told: one JSON object a line, in a shape that is a promise."""

from __future__ import annotations

import json

import pytest

from nuages.errors import Interrupted, Locked, Refused, ReleaseFailed, RolledBack
from nuages.findings import Finding, Level, Place
from nuages.progress import Finished, Said, Started, Told
from nuages.release.back.misfit import Misfit, Weight
from nuages.release.back.rollback import announced
from nuages.release.back.verdict import Outcome as Going
from nuages.release.back.verdict import Verdict
from nuages.release.events import Event, Teller, told


@pytest.fixture
def lines():
    return []


@pytest.fixture
def teller(lines):
    return Teller(lambda line: lines.append(json.loads(line)))


def test_each_step_has_a_beginning_news_and_an_end(teller, lines):
    for event in (Started("web", 3.0), Said("1 of 3"), Said("1 of 3"), Finished("web", note="3 available")):
        teller.sink(event)
    assert [{key: line[key] for key in line if key not in {"schema", "time", "seconds"}} for line in lines] == [
        {"event": "step", "step": "web", "state": "started", "expected": 3.0},
        {"event": "step", "step": "web", "state": "said", "line": "1 of 3"},
        {"event": "step", "step": "web", "state": "ended", "ok": True, "note": "3 available"},
    ]
    assert {line["schema"] for line in lines} == {1}


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (None, "live", 0),
        (ReleaseFailed("release 8 failed", detail="KeyError", hint="mend it"), "failed", 1),
        (Refused("no"), "refused", 3),
        (RolledBack("release 8 failed; release 7 was brought back"), "rolled back", 4),
        (Locked("ada is at work"), "failed", 1),
        (Interrupted("left"), "interrupted", 130),
        (KeyboardInterrupt(), "interrupted", 130),
    ],
)
def test_the_last_line_says_how_it_ended(teller, lines, error, outcome, code):
    teller.sink(Told("begun", {"release": 8, "app": "blog"}))
    teller.sink(Told("live", {"release": 8}))

    def body():
        with told(teller):
            if error:
                raise error

    if error:
        with pytest.raises(type(error)):
            body()
    else:
        body()
    last = lines[-1]
    assert (last["event"], last["release"], last["outcome"], last["exit"]) == ("ended", 8, outcome, code)


def test_a_refusal_tells_each_finding_before_its_end(teller, lines):
    finding = Finding("app.E101", Level.ERROR, "no WSGI application", Place("nuages.yaml", 3, 5), "name one")
    with pytest.raises(Refused), told(teller):
        raise Refused("they don't fit", findings=[finding])
    assert [line["event"] for line in lines] == ["finding", "ended"]
    assert lines[0]["finding"]["id"] == "app.E101"
    assert lines[0]["finding"]["place"]["line"] == 3


def test_a_verdict_is_told_whole_and_is_not_taken_for_a_release_under_way(teller, lines):
    verdict = Verdict(
        outcome=Going.REFUSED,
        release=7,
        reasons=(Misfit(weight=Weight.BREAKS, id="release.E331", message="posts_post.subtitle is gone"),),
    )
    teller.sink(announced(verdict))
    assert lines[0]["verdict"]["outcome"] == "refused"
    assert lines[0]["verdict"]["reasons"][0]["id"] == "release.E331"
    assert teller.release is None


def test_no_password_is_in_what_is_told(teller, lines):
    with pytest.raises(ReleaseFailed), told(teller):
        teller.sink(Said("connecting to postgres://app:sesame@db/blog"))
        raise ReleaseFailed("failed", detail="redis://:sesame@redis:6379/0")
    assert "sesame" not in json.dumps(lines)


def test_nobody_listening_is_told_nothing():
    with told(None):
        pass


def test_the_fields_of_an_event_only_grow():
    """A program that reads schema 1 finds all of these."""
    assert {
        "schema", "time", "event", "release", "step", "state", "line", "expected", "ok", "note", "seconds", "app",
        "environment", "namespace", "image", "by", "command", "message", "resumed", "restores", "phase", "reason",
        "hint", "detail", "place", "outcome", "exit", "finding", "verdict",
    } <= set(Event.__struct_fields__)  # fmt: skip
