"""What the verdict says of what is rare: the same name for something else, keys that lead elsewhere, and what holds
only some of the rows.
"""

import pytest

from nuages.app.schema import Column, Constraint, Database, Effect, Migration, Schema, Table
from nuages.release.back.verdict import Outcome, compare

KEY, NUMBER = Column(type="bigint", default=True), Column(type="bigint")
COLOR = Column(type="varchar(9)", null=True)
COLUMNS = {"id": KEY, "note": Column(type="text", null=True), "author_id": NUMBER}
PEOPLE = {"people": Table(columns={"id": KEY}), "readers": Table(columns={"id": KEY})}


def foreign(to="people.id", on_delete=""):
    return Constraint(kind="foreign", columns=("author_id",), references=to, on_delete=on_delete)


def database(columns=None, constraints=None, effects=(), *, then=False):
    """The tables, with a second migration that did this."""
    post = Table(columns=COLUMNS | (columns or {}), constraints=constraints or {})
    names = ("posts.0001",) if then else ("posts.0001", "posts.0002")
    return Database(
        vendor="postgresql",
        wanted=PEOPLE | {"post": Table(columns=COLUMNS)} if then else {},
        live=PEOPLE | {"post": post},
        known={"posts": {name.partition(".")[2]: [] for name in names}},
        applied=names,
        effects={"posts.0002": Migration(parents=("posts.0001",), effects=tuple(effects))},
    )


def verdict(now, constraints=None):
    then = database(constraints=constraints, then=True)
    return compare(Schema(databases={"default": then}), Schema(databases={"default": now}), 7)


@pytest.mark.parametrize("column", ["note", None])
def test_what_one_migration_drops_and_makes_again_is_not_what_it_was(column):
    made = [Effect(does=does, table="post", column=column) for does in ("drop", "create")]
    found = verdict(database(effects=made))
    assert found.outcome is Outcome.REFUSED
    assert "posts.0002 put something else under the name of post" in found.line


def test_a_squash_that_makes_drops_and_makes_again_tells_what_was_done_before():
    told = [Effect(does=does, table="post", column=column) for does, column in SQUASHED]
    assert verdict(database(effects=told)).outcome is Outcome.SAFE


SQUASHED = [("create", None), ("drop", "note"), ("create", "note")]


def test_a_foreign_key_that_leads_to_other_rows_is_not_gone_back_to():
    altered = [Effect(does="alter", table="post", column="author_id")]
    found = verdict(database(constraints={"now": foreign("readers.id")}, effects=altered), {"then": foreign()})
    assert found.outcome is Outcome.REFUSED
    assert "post.author_id refers to readers.id, and release 7 expects people" in found.line
    assert found.reasons[0].hint == "undone, what is in post.author_id might not fit any more"


def test_a_foreign_key_that_no_longer_deletes_degrades():
    found = verdict(database(constraints={"now": foreign()}), {"then": foreign(on_delete="cascade")})
    assert (found.outcome, found.reasons[0].id) == (Outcome.DEGRADED, "release.W336")
    assert verdict(database(constraints={"now": foreign(on_delete="cascade")}), {"then": foreign()}).goes


@pytest.mark.parametrize(
    ("kind", "columns", "text", "outcome"),
    [
        ("unique", ("color",), "UNIQUE NULLS NOT DISTINCT (color)", Outcome.REFUSED),
        ("unique", ("color",), "", Outcome.SAFE),
        ("unique", ("note",), "btree (note) WHERE (color IS NOT NULL)", Outcome.SAFE),
        ("unique", ("note",), "btree (note) WHERE ((author_id > 1) AND (color IS NOT NULL))", Outcome.SAFE),
        ("unique", ("note",), "btree (note) WHERE ((author_id > 1) OR (color IS NOT NULL))", Outcome.DEGRADED),
        ("unique", ("note",), "btree (note) WHERE (color IS NULL)", Outcome.DEGRADED),
        ("check", ("note", "color"), "CHECK ((note <= color))", Outcome.SAFE),
        ("check", ("note", "color"), "CHECK (((note)::text <= (color)::text))", Outcome.SAFE),
        ("check", ("note", "color"), "CHECK (((note <= color) AND (note > 'a')))", Outcome.DEGRADED),
        ("check", ("note", "color"), "CHECK ((note <= COALESCE(color, 'a')))", Outcome.DEGRADED),
    ],
)
def test_what_the_old_code_leaves_empty_breaks_what_counts_nulls_alone(kind, columns, text, outcome):
    held = {"held": Constraint(kind=kind, columns=columns, text=text)}
    assert verdict(database({"color": COLOR}, held)).outcome is outcome
