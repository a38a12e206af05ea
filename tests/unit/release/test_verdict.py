"""The verdict on going back: what is compared, case by case. Whether it is right, tests/runtime/test_histories.py tries
on a real database.
"""

import msgspec
import pytest

from nuages.app.schema import Column, Constraint, Database, Effect, Migration, Schema, Table
from nuages.release.back.types import BAD, GOOD, OPEN, fit
from nuages.release.back.verdict import Outcome, compare

TEXT, NUMBER = Column(type="varchar(30)"), Column(type="integer")
KEY = Column(type="bigint", default=True)
POST = Table(columns={"id": KEY, "title": TEXT, "views": NUMBER})
THEN = Database(
    vendor="postgresql",
    wanted={"posts_post": POST},
    live={"posts_post": POST},
    known={"posts": {"0001": []}},
    applied=("posts.0001",),
)


def verdict(columns=None, effects=(), *, then=THEN, reversible=True, **now):
    """After one more migration, with these effects and these columns changed."""
    live = {"posts_post": Table(columns=changed(columns or {}))}
    done = {"posts.0002": Migration(parents=("posts.0001",), reversible=reversible, effects=tuple(effects))}
    after = msgspec.structs.replace(
        THEN,
        live=live,
        known={"posts": {"0001": [], "0002": []}},
        applied=("posts.0001", "posts.0002"),
        effects=done,
    )
    after = msgspec.structs.replace(after, **now)
    return compare(Schema(databases={"default": then}), Schema(databases={"default": after}), 7)


def changed(columns):
    return {name: column for name, column in {**POST.columns, **columns}.items() if column}


def effect(does, column=None, to=""):
    return Effect(does=does, table="posts_post", column=column, to=to)


@pytest.mark.parametrize(
    ("columns", "outcome"),
    [
        ({}, Outcome.SAFE),
        ({"color": Column(type="text", null=True)}, Outcome.SAFE),
        ({"color": Column(type="text", default=True)}, Outcome.SAFE),
        ({"color": Column(type="text")}, Outcome.REFUSED),
        ({"title": None}, Outcome.REFUSED),
        ({"title": Column(type="varchar(60)")}, Outcome.SAFE),
        ({"title": Column(type="varchar(20)")}, Outcome.DEGRADED),
        ({"title": Column(type="integer")}, Outcome.REFUSED),
        ({"title": Column(type="vector(3)")}, Outcome.REFUSED),
        ({"title": Column(type="varchar(30)", null=True)}, Outcome.DEGRADED),
        ({"title": Column(type="varchar(30)", generated=True)}, Outcome.REFUSED),
        ({"id": Column(type="bigint")}, Outcome.REFUSED),
    ],
)
def test_a_column_as_it_is_now_does_for_the_code_of_then_or_not(columns, outcome):
    assert verdict(columns).outcome is outcome


def test_what_was_dropped_is_refused_and_who_did_it_is_named():
    found = verdict({"title": None}, [effect("drop", "title")])
    assert found.line == (
        "going back to release 7: refused, because posts.0002 dropped posts_post.title, which release 7 reads"
    )
    assert found.reasons[0].hint == "undone, posts_post.title would come back empty"
    assert [finding.id for finding in found.findings] == ["release.E330"]


def test_what_was_dropped_and_lies_aside_can_be_brought_back():
    found = verdict({"title": None}, [effect("drop", "title")], aside=(("posts_post", "title"),))
    assert (found.outcome, found.undo[0].migrations) == (Outcome.UNDO, ("posts.0002",))


def test_what_was_renamed_can_be_undone():
    found = verdict({"title": None, "name": TEXT}, [effect("rename", "title", "name")])
    assert (found.outcome, found.undo[0].migrations) == (Outcome.UNDO, ("posts.0002",))
    assert found.short == "going back to release 7: not as it is; safe with posts.0002 undone"
    assert found.reasons[0].message == "posts.0002 renamed posts_post.title to name, which release 7 reads"


def test_what_has_no_way_back_is_not_undone():
    found = verdict({"title": None, "name": TEXT}, [effect("rename", "title", "name")], reversible=False)
    assert found.outcome is Outcome.REFUSED
    assert "posts.0002 has no way back" in found.reasons[0].hint


def test_what_would_be_lost_by_undoing_is_told_before():
    found = verdict({"color": Column(type="text")}, [effect("create", "color")])
    assert (found.outcome, found.undo[0].losses) == (Outcome.UNDO, ("posts_post.color",))


def test_code_that_nobody_declared_is_never_safe():
    assert verdict(opaque=("posts.0002",)).outcome is Outcome.UNKNOWN
    assert verdict(opaque=("posts.0001",)).outcome is Outcome.SAFE


def test_a_migration_that_no_image_has_is_unknown():
    found = verdict(known={"posts": {"0001": []}}, effects=())
    assert (found.outcome, found.reasons[0].migration) == (Outcome.UNKNOWN, "posts.0002")


def test_a_migration_that_is_no_longer_recorded_keeps_the_old_pods_from_starting():
    found = verdict(applied=("posts.0002",))
    assert (found.outcome, found.reasons[0].id) == (Outcome.REFUSED, "release.E333")


def test_a_table_of_another_system_that_was_missing_then_is_missed_by_nobody():
    outside = msgspec.structs.replace(POST, managed=False)
    then = msgspec.structs.replace(THEN, wanted={**THEN.wanted, "legacy": outside})
    assert verdict(then=then).outcome is Outcome.SAFE
    then = msgspec.structs.replace(then, live={**THEN.live, "legacy": outside})
    assert verdict(then=then).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("constraint", "outcome"),
    [
        (Constraint(kind="index", columns=("title",)), Outcome.SAFE),
        (Constraint(kind="unique", columns=("title",)), Outcome.DEGRADED),
        (Constraint(kind="check", columns=("views",), text="CHECK (views >= 0)"), Outcome.DEGRADED),
        (Constraint(kind="foreign", columns=("views",), references="posts_author.id"), Outcome.DEGRADED),
    ],
)
def test_what_rows_are_held_to_since_then_degrades(constraint, outcome):
    now = {"posts_post": msgspec.structs.replace(POST, constraints={"new": constraint})}
    assert verdict(live=now).outcome is outcome
    then = msgspec.structs.replace(
        THEN, live={"posts_post": msgspec.structs.replace(POST, constraints={"old_name": constraint})}
    )
    assert verdict(then=then, live=now).outcome is Outcome.SAFE


def test_a_new_table_that_refers_to_a_known_one_degrades_unless_its_rows_go_along():
    def comments(on_delete):
        refers = Constraint(kind="foreign", columns=("post_id",), references="posts_post.id", on_delete=on_delete)
        return {"posts_post": POST, "posts_comment": Table(columns={"post_id": KEY}, constraints={"to": refers})}

    assert verdict(live=comments("")).outcome is Outcome.DEGRADED
    assert verdict(live=comments("cascade")).outcome is Outcome.SAFE


def test_where_nobody_looked_or_nothing_was_recorded_it_is_unknown():
    now = Schema(databases={"default": THEN})
    assert compare(None, now, 7).outcome is Outcome.UNKNOWN
    assert compare(now, None, 7).outcome is Outcome.UNKNOWN
    assert compare(now, Schema(), 7).outcome is Outcome.UNKNOWN


def test_many_reasons_make_no_long_line():
    gone = {f"c{number}": TEXT for number in range(9)}
    then = msgspec.structs.replace(THEN, wanted={"posts_post": Table(columns={**POST.columns, **gone})})
    assert verdict(then=then).line.endswith("; and 6 more")


@pytest.mark.parametrize(
    ("wanted", "there", "fits"),
    [
        ("varchar(10)", "text", GOOD),
        ("integer", "bigint", GOOD),
        ("json", "jsonb", GOOD),
        ("numeric(5,2)", "numeric(9,2)", GOOD),
        ("varchar(10)[]", "varchar(20)[]", GOOD),
        ("integer", "text", BAD),
        ("uuid", "varchar(36)", BAD),
        ("vector(3)", "vector(4)", OPEN),
    ],
)
def test_types_that_do_for_one_another(wanted, there, fits):
    assert fit(wanted, there) == fits


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("text", "varchar(10)"),
        ("bigint", "integer"),
        ("numeric(5,2)", "numeric(5,1)"),
        ("timestamp with time zone", "date"),
        ("varchar(10)", "citext"),
    ],
)
def test_types_that_do_but_for_some_values(wanted, there):
    assert fit(wanted, there).works
    assert fit(wanted, there).how
