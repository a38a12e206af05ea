from __future__ import annotations

import pytest

from nuages_runtime.migrations import forms
from nuages_runtime.migrations.forms import safe

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("sql", "now", "after"),
    [
        (
            'CREATE INDEX "a" ON "t" USING gin ("c" gin_trgm_ops) WHERE "d" = \'x; y\'',
            "",
            ['CREATE INDEX CONCURRENTLY "a" ON "t" USING gin ("c" gin_trgm_ops) WHERE "d" = \'x; y\''],
        ),
        (
            'CREATE UNIQUE INDEX "a" ON "s"."t" (LOWER("c"))',
            "",
            ['CREATE UNIQUE INDEX CONCURRENTLY "a" ON "s"."t" (LOWER("c"))'],
        ),
        ('DROP INDEX IF EXISTS "a"', "", ['DROP INDEX CONCURRENTLY IF EXISTS "a"']),
        (
            'ALTER TABLE "t" ADD CONSTRAINT "u" UNIQUE NULLS NOT DISTINCT ("a", "b") DEFERRABLE INITIALLY DEFERRED',
            "",
            [
                'CREATE UNIQUE INDEX CONCURRENTLY "u" ON "t" ("a", "b") NULLS NOT DISTINCT',
                'ALTER TABLE "t" ADD CONSTRAINT "u" UNIQUE USING INDEX "u" DEFERRABLE INITIALLY DEFERRED',
            ],
        ),
        (
            'ALTER TABLE "t" ADD CONSTRAINT "f" FOREIGN KEY ("a_id") REFERENCES "p" ("id") '
            "DEFERRABLE INITIALLY DEFERRED",
            "",
            [
                'ALTER TABLE "t" ADD CONSTRAINT "f" FOREIGN KEY ("a_id") REFERENCES "p" ("id") '
                "DEFERRABLE INITIALLY DEFERRED NOT VALID",
                'ALTER TABLE "t" VALIDATE CONSTRAINT "f"',
            ],
        ),
        (
            'ALTER TABLE "t" ADD CONSTRAINT "c" CHECK ("n" >= 0)',
            "",
            [
                'ALTER TABLE "t" ADD CONSTRAINT "c" CHECK ("n" >= 0) NOT VALID',
                'ALTER TABLE "t" VALIDATE CONSTRAINT "c"',
            ],
        ),
        ('ALTER TABLE "t" ADD COLUMN "c" integer NULL', 'ALTER TABLE "t" ADD COLUMN "c" integer NULL', []),
        ('ALTER TABLE "t" ALTER COLUMN "c" TYPE text', 'ALTER TABLE "t" ALTER COLUMN "c" TYPE text', []),
        ('CREATE TABLE "t" ("id" bigint)', 'CREATE TABLE "t" ("id" bigint)', []),
        ("SELECT 1", "SELECT 1", []),
    ],
)
def test_a_statement_in_the_form_that_blocks_nobody(sql: str, now: str, after: list[str]) -> None:
    found = safe(sql)
    assert (found.now, [step.sql for step in found.after]) == (now, after)


def test_not_null_is_believed_from_a_check_that_is_validated() -> None:
    steps = safe('ALTER TABLE "t" ALTER COLUMN "c" SET NOT NULL').after
    assert [step.form for step in steps] == ["", "slow", "", ""]
    assert steps[2].sql == 'ALTER TABLE "t" ALTER COLUMN "c" SET NOT NULL'


def test_the_values_that_go_before_not_null_are_written_in_batches() -> None:
    (step,) = safe('UPDATE "t" SET "c" = \'a = b\' WHERE "c" IS NULL; SET CONSTRAINTS ALL IMMEDIATE').after
    assert (step.sql, step.form) == ('UPDATE "t" SET "c" = \'a = b\' WHERE "c" IS NULL', "batches")


@pytest.mark.parametrize(
    ("sql", "unique", "check", "made"),
    [
        ('ALTER TABLE "t" ADD COLUMN "c" text NULL', False, "", ['ALTER TABLE "t" ADD COLUMN "c" text NULL']),
        (
            'ALTER TABLE "t" ADD COLUMN "c" integer NULL UNIQUE CHECK ("c" >= 0)',
            True,
            '"c" >= 0',
            [
                'ALTER TABLE "t" ADD COLUMN "c" integer NULL',
                'ALTER TABLE "t" ADD CONSTRAINT "t_c_check" CHECK ("c" >= 0)',
                'ALTER TABLE "t" ADD CONSTRAINT "t_c_key" UNIQUE ("c")',
            ],
        ),
        (
            'ALTER TABLE "t" ADD COLUMN "c" text DEFAULT \'NOT NULL UNIQUE\' NOT NULL',
            False,
            "",
            ['ALTER TABLE "t" ADD COLUMN "c" text DEFAULT \'NOT NULL UNIQUE\' NOT NULL'],
        ),
    ],
)
def test_a_column_comes_without_what_would_read_the_table(sql: str, unique: bool, check: str, made: list[str]) -> None:
    assert forms.add_column(sql, unique=unique, check=check) == made


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ('ALTER TABLE "t" ADD COLUMN "c" text', "t"),
        ('SET CONSTRAINTS "f" IMMEDIATE; ALTER TABLE "t" DROP CONSTRAINT "f"', "t"),
        ('CREATE INDEX "a" ON "s"."t" ("c")', 's"."t'),
        ('DROP TABLE "a ""b""" CASCADE', 'a "b"'),
        ("SELECT 1", ""),
    ],
)
def test_which_table_a_statement_is_about(sql: str, table: str) -> None:
    assert forms.about(sql) == table
