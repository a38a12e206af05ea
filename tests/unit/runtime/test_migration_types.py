from __future__ import annotations

import pytest

from nuages_runtime.migrations import statements, types

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("varchar(100)", "varchar(100)", types.SAME),
        ("varchar(100)", "varchar(200)", types.WIDER),
        ("varchar(100)", "varchar", types.WIDER),
        ("varchar(100)", "text", types.WIDER),
        ("text", "varchar", types.WIDER),
        ("character varying(10)", "varchar(20)", types.WIDER),
        ("varchar(100)", "varchar(99)", types.SHRINKS),
        ("varchar", "varchar(99)", types.SHRINKS),
        ("text", "varchar(99)", types.SHRINKS),
        ("varchar(100)", "citext", types.REWRITES),
        ("smallint", "integer", types.REWRITES),
        ("integer", "bigint", types.REWRITES),
        ("serial", "integer", types.SAME),
        ("bigint", "integer", types.SHRINKS),
        ("real", "double precision", types.REWRITES),
        ("numeric(10, 2)", "numeric(12, 2)", types.WIDER),
        ("numeric(10, 2)", "numeric", types.WIDER),
        ("numeric(10, 2)", "numeric(12, 3)", types.REWRITES),
        ("numeric(10, 2)", "numeric(10, 3)", types.SHRINKS),
        ("numeric(10, 2)", "numeric(8, 2)", types.SHRINKS),
        ("numeric", "numeric(8, 2)", types.SHRINKS),
        ("varchar(10)[]", "varchar(20)[]", types.REWRITES),
        ("varchar(10)[]", "varchar(5)[]", types.SHRINKS),
        ("integer[3]", "integer[]", types.WIDER),
        ("integer", "integer[]", types.OTHER),
        ("integer", "numeric(10, 2)", types.OTHER),
        ("date", "timestamp with time zone", types.OTHER),
        ("uuid", "text", types.OTHER),
        ('"public"."odd type"', "text", types.OTHER),
    ],
)
def test_a_change_of_type_is_known_by_its_two_ends(old: str, new: str, change: str) -> None:
    assert types.change(old, new) == change


@pytest.mark.parametrize(
    ("sql", "taken"),
    [
        ('DROP TABLE a, "B" CASCADE', [("a", ""), ("B", "")]),
        ("TRUNCATE TABLE ONLY a, public.b RESTART IDENTITY", [("a", ""), ("b", "")]),
        ('ALTER TABLE "Blog" DROP COLUMN "Slug"', [("Blog", "Slug")]),
        ("alter table Blog drop Slug", [("blog", "slug")]),
        ("ALTER TABLE a ADD COLUMN b int, DROP COLUMN c", [("a", "c")]),
        ("ALTER TABLE a ALTER COLUMN b DROP DEFAULT, ALTER c DROP IDENTITY", []),
        ("ALTER TABLE a RENAME CONSTRAINT b TO c", []),
        ("ALTER TABLE a RENAME COLUMN b TO c", [("a", "b")]),
        ("ALTER INDEX a RENAME TO b", []),
        ("DROP INDEX a", []),
        ("DROP VIEW a", [("a", "")]),
        ("DROP VIEW a; CREATE VIEW a AS SELECT 1", []),
        ("DROP SCHEMA old CASCADE", [("", "")]),
        ("DELETE FROM a USING b WHERE a.id = b.id", []),
        ("DELETE FROM a; DELETE FROM b WHERE id = 1", [("a", "")]),
        (["UPDATE a SET b = 1", ("TRUNCATE ONLY a", None)], [("a", "")]),
        ("DO $x$ BEGIN DROP TABLE a; END $x$", []),
        ("INSERT INTO a VALUES ('it''s; DROP TABLE a')", []),
    ],
)
def test_what_sql_plainly_takes_away_is_seen(sql: object, taken: list[tuple[str, str]]) -> None:
    assert [(table, column) for table, column, _ in statements.takes(statements.text(sql))] == taken


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("CREATE UNIQUE INDEX i ON a (b)", ["a"]),
        ("CREATE INDEX IF NOT EXISTS i ON public.a USING gin (b)", ["a"]),
        ("CREATE INDEX CONCURRENTLY i ON a (b)", []),
        ("VACUUM FULL a", ["a"]),
        ("VACUUM (FULL) a", ["a"]),
        ("VACUUM a", []),
        ("LOCK TABLE a IN SHARE MODE", ["a"]),
        ("REINDEX TABLE CONCURRENTLY a", []),
        ("UPDATE a SET block = 1", []),
    ],
)
def test_sql_that_makes_others_wait_is_seen(sql: str, tables: list[str]) -> None:
    assert [table for table, _ in statements.blocks(statements.text(sql))] == tables
