"""Where a rollback goes, and when it is refused."""

import asyncio
import contextlib

import msgspec
import pytest

from nuages.app.components import resolve
from nuages.errors import Refused
from nuages.release import secrets
from nuages.release.back import rollback
from nuages.release.back.looking import Looked, asked, judged
from nuages.release.back.misfit import Misfit, Weight
from nuages.release.back.rollback import permit, plan, with_undo
from nuages.release.back.verdict import Outcome, Undo, Verdict
from nuages.release.record import DatabaseState
from nuages.release.record import Outcome as Ended
from nuages.spec.load import parse

from .examples import BUILD, NOON, live, record, stored
from .kept import Kept

WRONG = Misfit(weight=Weight.BREAKS, id="release.E330", message="posts.0003_slug dropped posts_post.name")


def test_back_goes_to_the_release_that_was_live_before():
    wanted = plan([live(3), live(2), live(1)], None).record
    assert (wanted.number, wanted.restores, wanted.template) == (4, 2, 2)


def test_a_release_that_failed_is_no_place_to_go_back_to():
    failed = stored(record(2).closed(Ended.FAILED, NOON))
    assert plan([live(3), failed, live(1)], None).record.restores == 1


def test_back_after_a_rollback_does_not_go_forth_to_what_was_left():
    history = [live(4, restores=2), live(3), live(2), live(1)]
    assert plan(history, None).record.restores == 1
    assert plan(history, 3).record.restores == 3


def test_what_serves_already_and_was_killed_while_it_pruned_is_gone_back_from_or_gone_on_with():
    pruning = stored(record(3, live=NOON))
    assert plan([pruning, live(2), live(1)], None).record.restores == 2
    back = stored(record(4, live=NOON, restores=1))
    history = [back, live(3), live(2), live(1)]
    assert plan(history, None) is back
    assert plan(history, 1) is back
    assert plan(history, 2).record.restores == 2


def test_back_goes_behind_another_key_to_other_code():
    rotated = [live(number, template=3, command="secrets rotate SECRET_KEY") for number in (5, 4)]
    history = [*rotated, live(3), live(2), live(1)]
    assert plan(history, None).record.restores == 2
    # What a rollback brought back, and what has had another key after one, are taken for what they were before.
    assert plan([live(6, restores=4, template=3), *history], None).record.restores == 2
    again = [live(7, template=2, command="secrets rotate SECRET_KEY --finish"), live(6, restores=2, template=2)]
    assert plan([*again, *history], None).record.restores == 1
    assert plan([live(6), *history], None).record.restores == 5  # the newest keys of the code before


def test_a_release_that_is_not_there_is_refused_naming_those_that_are():
    with pytest.raises(Refused, match="no release 9") as refused:
        plan([live(3), live(2), live(1)], 9)
    assert refused.value.hint.endswith("1, 2")


def test_the_secrets_and_the_image_are_those_of_the_release_that_comes_back():
    old = msgspec.structs.replace(BUILD, reference="registry.example.com/acme/blog@sha256:" + "0" * 64)
    wanted = plan([live(2), live(1, build=old, secrets="blog-secrets-1f3a")], 1).record
    assert (wanted.build, wanted.secrets) == (old, "blog-secrets-1f3a")


def test_without_a_look_at_the_database_equal_migrations_are_safe_and_others_unknown():
    ahead = DatabaseState(volumes=("v1",), migrations={"posts": ["0003_slug"]})
    same, moved = [live(2), live(1)], [live(2, database=ahead), live(1)]
    nobody = Looked(None, "no right to create jobs")
    assert judged(same[1], same, nobody).outcome is Outcome.SAFE
    verdict = judged(moved[1], moved, nobody)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "no right to create jobs" in verdict.line


def test_a_half_done_migration_is_unknown_where_nobody_could_look():
    history = [stored(record(2, database=None).closed(Ended.FAILED, NOON)), live(1)]
    assert judged(history[1], history, Looked(None, "no answer")).outcome is Outcome.UNKNOWN


def test_what_knows_the_database_best_is_the_newest_image_that_migrated_it():
    newest = msgspec.structs.replace(BUILD, reference="registry.example.com/acme/blog@sha256:" + "3" * 64)
    history = [migrating(live(4, restores=1)), migrating(live(3, build=newest)), migrating(live(2)), migrating(live(1))]
    assert [each.record.number for each in asked(history[3], history)] == [3, 2]


@pytest.mark.parametrize(
    ("outcome", "undo", "anyway", "goes"),
    [
        (Outcome.SAFE, False, False, True),
        (Outcome.DEGRADED, False, False, True),
        (Outcome.UNKNOWN, False, False, False),
        (Outcome.UNKNOWN, False, True, False),
        (Outcome.UNKNOWN, True, False, False),
        (Outcome.UNKNOWN, True, True, True),
        (Outcome.UNDO, False, False, False),
        (Outcome.UNDO, False, True, False),
        (Outcome.UNDO, True, False, True),
    ],
)
def test_what_a_verdict_allows(outcome, undo, anyway, goes):
    way = Undo(alias="default", migrations=("posts.0003_slug",))
    verdict = Verdict(outcome=outcome, release=1, reasons=(WRONG,), undo=(way,))
    if goes:
        permit(verdict, undo=undo, anyway=anyway)
    else:
        with pytest.raises(Refused, match="going back to release 1") as refused:
            permit(verdict, undo=undo, anyway=anyway)
        assert "nuages rollback 1 --undo" in refused.value.hint


def test_what_nobody_can_know_goes_back_when_told_to():
    permit(Verdict(outcome=Outcome.UNKNOWN, release=1), undo=False, anyway=True)


def test_nothing_overrides_a_refusal():
    with pytest.raises(Refused, match="refused") as refused:
        permit(Verdict(outcome=Outcome.REFUSED, release=1, reasons=(WRONG,)), undo=True, anyway=True)
    assert refused.value.findings[0].id == "release.E330"


def test_undoing_is_a_job_of_the_newer_image_with_each_migration_by_name():
    newest = msgspec.structs.replace(BUILD, reference="registry.example.com/acme/blog@sha256:" + "3" * 64)
    history = [migrating(live(2, build=newest)), migrating(live(1))]
    way = Undo(alias="default", migrations=("posts.0004", "posts.0003"))
    verdict = Verdict(outcome=Outcome.UNDO, release=1, undo=(way,))
    job = with_undo(plan(history, 1), history, verdict).manifest.undo[0]
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert job["metadata"]["name"] == "blog-migrate-default-undo-2-3"
    assert container["image"] == newest.reference
    assert container["command"][2:] == [
        *("nuages_runtime.migrate", "--stage", "undo", "--name", "posts.0004", "--name", "posts.0003")
    ]


def migrating(of):
    """A release with a migrate Job of its own image."""
    container = {"image": of.record.build.reference, "command": ["python", "-m", "nuages_runtime.migrate"]}
    job = {
        "metadata": {"name": f"blog-migrate-default-expand-{of.record.number}"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    return msgspec.structs.replace(of, manifest=msgspec.structs.replace(of.manifest, expand=[job]))


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
    failed = stored(record(3).closed(Ended.FAILED, NOON))
    assert plan([failed, live(2), live(1)], None).record.restores == 2


def test_what_sleeps_is_woken_before_its_database_is_looked_at(monkeypatch):
    class Woken(Exception):
        """Far enough."""

    @contextlib.asynccontextmanager
    async def entered(app, cluster, sink, wish):
        yield None, [live(3), live(2)]

    async def rouse(app, cluster, sink):
        raise Woken

    monkeypatch.setattr(rollback, "entered", entered)
    monkeypatch.setattr(rollback.sleeping, "rouse", rouse)
    with pytest.raises(Woken):
        asyncio.run(rollback.rollback(None, None, None, None))


@pytest.mark.parametrize(("keys", "user", "goes"), [
    (["password"], "app_b", False), (["password"], "app", True), (["user", "password"], "app_b", True),
])  # fmt: skip
def test_no_release_comes_back_whose_pods_the_database_would_not_let_in(keys, user, goes):
    app = resolve(
        parse(b"name: blog\nimage: a/b\nservices: {postgres: {run: }}\nenvironments: {local: }\n", "nuages.yaml"),
        "local",
    )
    env = [{"name": key, "valueFrom": {"secretKeyRef": {"name": "blog-postgres", "key": key}}} for key in keys]
    web = {
        "kind": "Deployment",
        "metadata": {"name": "blog-web-main"},
        "spec": {"template": {"spec": {"containers": [{"env": env}]}}},
    }
    kept = Kept()
    kept.objects["Secret", "blog-postgres"] = secrets.object_of(app, "blog-postgres", {"user": user.encode()})
    wanted = stored(record(3, restores=1), web=[web])
    with contextlib.nullcontext() if goes else pytest.raises(Refused, match="app_b's now"):
        asyncio.run(rollback._let_in(app, wanted, kept))
