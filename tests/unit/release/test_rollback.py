"""Where a rollback goes, and when it is refused."""

import msgspec
import pytest

from nuages.errors import Refused
from nuages.release.record import DatabaseState, Outcome
from nuages.release.rollback import plan

from .examples import BUILD, NOON, live, record, stored


def test_back_goes_to_the_release_that_was_live_before():
    wanted = plan([live(3), live(2), live(1)], None).record
    assert (wanted.number, wanted.restores, wanted.template) == (4, 2, 2)


def test_a_release_that_failed_is_no_place_to_go_back_to():
    failed = stored(record(2).closed(Outcome.FAILED, NOON))
    assert plan([live(3), failed, live(1)], None).record.restores == 1


def test_back_after_a_rollback_does_not_go_forth_to_what_was_left():
    history = [live(4, restores=2), live(3), live(2), live(1)]
    assert plan(history, None).record.restores == 1
    assert plan(history, 3).record.restores == 3


def test_a_release_that_is_not_there_is_refused_naming_those_that_are():
    with pytest.raises(Refused, match="no release 9") as refused:
        plan([live(3), live(2), live(1)], 9)
    assert refused.value.hint.endswith("1, 2")


def test_the_secrets_and_the_image_are_those_of_the_release_that_comes_back():
    old = msgspec.structs.replace(BUILD, reference="registry.example.com/acme/blog@sha256:" + "0" * 64)
    wanted = plan([live(2), live(1, build=old, secrets="blog-secrets-1f3a")], 1).record
    assert (wanted.build, wanted.secrets) == (old, "blog-secrets-1f3a")


def test_it_is_refused_where_the_database_has_moved_on_naming_the_application():
    ahead = DatabaseState(volumes=("v1",), migrations={"posts": ["0003_slug"]})
    with pytest.raises(Refused, match="moved on since release 1") as refused:
        plan([live(2, database=ahead), live(1)], None)
    assert "posts" in refused.value.hint


def test_it_is_refused_while_a_migration_is_half_done():
    with pytest.raises(Refused, match="half done"):
        plan([stored(record(2, database=None).closed(Outcome.FAILED, NOON)), live(1)], 1)


def test_an_interrupted_rollback_goes_on():
    interrupted = stored(record(3, restores=1))
    assert plan([interrupted, live(2), live(1)], 1) is interrupted


def test_an_interrupted_rollback_goes_on_where_it_went_though_no_number_is_given_again():
    interrupted = stored(record(3, restores=1))
    assert plan([interrupted, live(2), live(1)], None) is interrupted


def test_where_nothing_went_live_before_it_says_so():
    with pytest.raises(Refused, match="no earlier release"):
        plan([live(1)], None)


def test_after_a_release_that_failed_back_is_what_serves():
    failed = stored(record(3).closed(Outcome.FAILED, NOON))
    assert plan([failed, live(2), live(1)], None).record.restores == 2
