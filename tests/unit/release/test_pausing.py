"""A page that a person puts in front, and a release behind it that has one of its own."""

from __future__ import annotations

import msgspec
import pytest

from nuages.release.pausing import behind, emptied, ways
from nuages.release.record import Outcome
from nuages.release.trials.trial import ABORTED, PROMOTED, Trial
from nuages.render.canary import GATEWAY, REPLICAS, SERVICE

from .examples import NOON, live, record, stored

pytestmark = pytest.mark.unit


def test_the_page_stays_while_a_release_has_ended_all_that_answers_behind_it():
    begun = record(2, maintenance=True).begun("maintenance", NOON, [])
    assert emptied(begun)
    assert emptied(begun.closed(Outcome.FAILED, NOON))
    assert not emptied(record(2, maintenance=True))  # it has not come so far
    assert not emptied(begun.finished("web", NOON, ""))
    assert not emptied(live(2).record)


def service(name, key):
    labels = {"app.kubernetes.io/component": "web"}
    spec = {"selector": labels | {"nuages.dev/key": key}}
    return {"kind": "Service", "metadata": {"name": name, "labels": labels}, "spec": spec}


MAIN = service("blog-web-main", "main")


def serving():
    before = live(1)
    return msgspec.structs.replace(before, manifest=msgspec.structs.replace(before.manifest, web=[MAIN]))


def amid(way, *, ending="", since=NOON, web=False):
    """A release with a set beside the one that serves."""
    suffix = "green" if way == SERVICE else "canary"
    kind = "blue-green" if way == SERVICE else "canary"
    trial = Trial(kind=kind, way=way, steps=(100,), pause=1, error_rate=0, latency=1, since=since, ending=ending)
    of = record(2, trial=trial).begun("canary", NOON, [])
    if web:
        of = of.begun("web", NOON, []).finished("web", NOON, "")
    beside = [] if way == REPLICAS else [service(f"blog-web-main-{suffix}", f"main.{suffix}")]
    made = stored(of)
    return msgspec.structs.replace(made, manifest=msgspec.structs.replace(made.manifest, web=[MAIN], canary=beside))


def leads(newest):
    """Where each Service leads."""
    return {item["metadata"]["name"]: item["spec"]["selector"]["nuages.dev/key"] for item in ways(serving(), newest)}


@pytest.mark.parametrize(
    ("newest", "main"),
    [
        (amid(SERVICE), "main.green"),  # all requests reach the new set: they do when the page goes, too
        (amid(SERVICE, ending=PROMOTED), "main.green"),  # until its webs are there
        (amid(SERVICE, ending=PROMOTED, web=True), "main"),
        (amid(SERVICE, ending=ABORTED), "main"),
        (amid(SERVICE, since=None), "main"),
        (amid(GATEWAY), "main"),
        (amid(REPLICAS), "main"),
        (serving(), "main"),
    ],
)
def test_requests_go_where_they_went_when_the_page_goes(newest, main):
    assert leads(newest)["blog-web-main"] == main


def test_a_set_that_has_a_share_of_the_requests_is_behind_the_page_as_well():
    assert leads(amid(GATEWAY)) == {"blog-web-main": "main", "blog-web-main-canary": "main.canary"}


def test_what_a_release_in_the_middle_has_brought_leads_to_it_when_the_page_goes():
    newest = stored(record(2))
    new = service("blog-web-api", "api")
    newest = msgspec.structs.replace(newest, manifest=msgspec.structs.replace(newest.manifest, web=[MAIN, new]))
    assert leads(newest) == {"blog-web-main": "main", "blog-web-api": "api"}


def test_a_web_that_is_called_behind_keeps_its_service_when_the_page_goes():
    webs = [MAIN, service("blog-web-behind", "behind")]
    past = [service(f"{name}-behind", "main") for name in ("blog-web-main", "blog-web-behind", "blog-web-main-green")]
    assert behind([*webs, *past], webs) == {item["metadata"]["name"] for item in past}
