from __future__ import annotations

import pytest

from nuages_runtime.migrations.contract import Code, kept_back
from nuages_runtime.migrations.hold import hold, without_pairs
from nuages_runtime.migrations.journal import Entry
from nuages_runtime.migrations.relax import Relaxed

pytestmark = pytest.mark.unit

DROP = 'ALTER TABLE "t" DROP COLUMN "c" CASCADE'
DROP_KEY = 'SET CONSTRAINTS "f" IMMEDIATE; ALTER TABLE "t" DROP CONSTRAINT "f"'
ADD_KEY = 'ALTER TABLE "t" ADD CONSTRAINT "f" FOREIGN KEY ("c") REFERENCES "p" ("id") DEFERRABLE INITIALLY DEFERRED'
ALTER = 'ALTER TABLE "t" ALTER COLUMN "c" '


class Look:
    """A database of which the column c is a varchar(100), with the foreign key f."""

    def __init__(self, waiting: set[tuple[str, str]] | None = None) -> None:
        self.waiting = waiting or set()

    def relaxed_column(self, table: str, column: str, fill: str | None) -> list[Relaxed]:
        return [Relaxed('ALTER TABLE "t" DROP CONSTRAINT "f"', ADD_KEY), Relaxed(f"{ALTER}SET DEFAULT {fill}", "undo")]

    def relaxed_table(self, table: str) -> list[Relaxed]:
        return []

    def type_of(self, table: str, column: str) -> str:
        return "character varying(100)"

    def constraint(self, table: str, name: str) -> str:
        return "UNIQUE (c)"

    def waits(self, table: str, name: str) -> bool:
        return (table, name) in self.waiting

    def on_delete(self, table: str, name: str) -> str:
        return "a"


@pytest.mark.parametrize(
    ("statements", "now", "soon", "later"),
    [
        ([DROP], ['ALTER TABLE "t" DROP CONSTRAINT "f"', f"{ALTER}SET DEFAULT 0"], [], [DROP]),
        ([DROP_KEY, DROP], [DROP_KEY, f"{ALTER}SET DEFAULT 0"], [], [DROP]),
        ([DROP_KEY, ADD_KEY], [], [], []),
        ([f"{ALTER}DROP NOT NULL"], [f"{ALTER}DROP NOT NULL"], [], []),
        ([f"{ALTER}TYPE varchar(200)"], [f"{ALTER}TYPE varchar(200)"], [], []),
        ([f"{ALTER}TYPE varchar(60)"], [], [], [f"{ALTER}TYPE varchar(60)"]),
        ([f"{ALTER}SET DEFAULT 1", f"{ALTER}DROP DEFAULT"], [], [], []),
        ([f"{ALTER}DROP DEFAULT"], [], [], [f"{ALTER}DROP DEFAULT"]),
        (['CREATE INDEX "i" ON "t" ("c")'], [], ['CREATE INDEX "i" ON "t" ("c")'], []),
        (
            ['ALTER TABLE "t" ADD CONSTRAINT "k" CHECK (c > 0)'],
            [],
            [],
            [
                'ALTER TABLE "t" ADD CONSTRAINT "k" CHECK (c > 0) NOT VALID',
                'ALTER TABLE "t" VALIDATE CONSTRAINT "k"',
            ],
        ),
        (["SELECT 1"], [], [], ["SELECT 1"]),
    ],
)
def test_what_is_done_now_and_what_is_left(
    statements: list[str], now: list[str], soon: list[str], later: list[str]
) -> None:
    held = hold(statements, {("t", "c"): "0"}, Look())
    assert (held.now, held.soon, [each.step.sql for each in held.later]) == (now, soon, later)


def test_rows_without_a_value_are_filled_when_no_more_of_them_can_come() -> None:
    fill = 'UPDATE "t" SET "c" = \'x\' WHERE "c" IS NULL'
    held = hold([fill, f"{ALTER}SET NOT NULL"], {}, Look())
    assert [each.step.form for each in held.later] == ["", "batches", "slow", "", ""]


def test_what_follows_a_thing_that_waits_waits_behind_it() -> None:
    held = hold([f"{ALTER}DROP NOT NULL", 'ALTER TABLE "t" DROP CONSTRAINT "u"'], {}, Look({("t", "c"), ("t", "u")}))
    assert held.now == []
    assert [each.step.sql for each in held.later] == [f"{ALTER}DROP NOT NULL", 'ALTER TABLE "t" DROP CONSTRAINT "u"']


def test_a_key_that_is_made_anew_with_another_rule_is_made_anew() -> None:
    cascades = f"{ADD_KEY} ON DELETE CASCADE"
    assert without_pairs([DROP_KEY, cascades], lambda *_: "a") == [DROP_KEY, cascades]


def entry(number: int = 5, table: str = "t", column: str = "c", **fields: object) -> Entry:
    made = {"release": 2, "app": "shop", "migration": "0002", "operation": 0, "kind": "contract"}
    return Entry(**made | {"id": number, "table_name": table, "column_name": column} | fields)  # type: ignore[arg-type]


KNOWS = {"shop": {"0001": [], "0002": []}}
BARE = Code({"t": {"columns": {"id": {}}}}, KNOWS)
HAS = Code({"t": {"columns": {"id": {}, "c": {}}}}, KNOWS)


@pytest.mark.parametrize(
    ("of", "codes", "knows", "backfills", "why"),
    [
        (entry(), [BARE], KNOWS, [], ""),
        (entry(), [BARE], None, [], ""),
        (entry(), [BARE, HAS], KNOWS, [], "code that runs or is to run has column t.c"),
        (entry(), [HAS], None, [], "code that runs or is to run has column t.c"),
        (entry(column=""), [BARE], KNOWS, [], "code that runs or is to run has table t"),
        (entry(table="", column=""), [HAS], KNOWS, [], ""),
        (entry(), [BARE], {"shop": {"0001": []}}, [], "the running release does not know this migration"),
        (entry(), [BARE], {"shop": {"0002_squashed": ["shop.0001", "shop.0002"]}}, [], ""),
        (entry(), [BARE], KNOWS, [entry(4, kind="backfill")], "waits for the backfill of shop.0002"),
        (entry(), [BARE], KNOWS, [entry(6, kind="backfill")], ""),
    ],
)
def test_when_what_was_held_back_may_be_done(
    of: Entry, codes: list[Code], knows: dict[str, dict[str, list[str]]] | None, backfills: list[Entry], why: str
) -> None:
    assert kept_back(of, codes, knows, backfills) == why
