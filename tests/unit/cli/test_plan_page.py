"""What a plan looks like: in a terminal of 80 columns, in a pipe, and in colour. `UPDATE_GOLDEN=1` writes it anew."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from nuages.cli.plan import painted
from nuages.cli.plan_page import lines
from nuages.cli.plan_words import amount, short
from nuages.findings import Level
from nuages.release.plan.shape import (
    Action,
    Change,
    Connections,
    Drift,
    Field,
    Held,
    Lock,
    Migration,
    Migrations,
    Operation,
    Outcome,
    Part,
    Pending,
    Plan,
    Roll,
    Said,
    Statement,
    Took,
    Verdict,
)
from nuages.release.tasks import compare

pytestmark = pytest.mark.unit

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WEB = "spec.template.spec.containers[web]"
IMAGE = "registry.example.com/acme/blog@sha256:"


def plain(text: str, _: str) -> str:
    return text


def lock(table: str, rows: int, size: int) -> Lock:
    return Lock(table=table, mode="AccessExclusiveLock", rows=rows, bytes=size)


PLAN = Plan(
    made=NOON,
    app="blog",
    environment="production",
    namespace="blog",
    cluster="prod-eu",
    release=8,
    serving=7,
    image=IMAGE + "8" * 64,
    serving_image=IMAGE + "7" * 64,
    changes=True,
    objects=(
        Change(
            action=Action.UPDATE,
            kind="ConfigMap",
            name="blog-env-0123456789",
            replaces="blog-env-9876543210",
            fields=(
                Field(path="data.COLOR", before="orange", after="maroon"),
                Field(path="data.CACHE_URL", after="redis://:***@cache:6379/0"),
                Field(path="data.STRIPE_KEY", before="***", after="***"),
            ),
        ),
        Change(
            action=Action.UPDATE,
            kind="Deployment",
            name="blog-web-main",
            rolls=True,
            fields=(
                Field(path=f"{WEB}.image", before=IMAGE + "7" * 64, after=IMAGE + "8" * 64),
                Field(
                    path=f"{WEB}.envFrom",
                    before='[{"configMapRef":{"name":"a"}},{"secretRef":{"name":"b"}}]',
                    after='[{"configMapRef":{"name":"c"}},{"secretRef":{"name":"d"}}]',
                ),
                Field(path=f"{WEB}.env[NUAGES_RELEASE].value", before="7", after="8"),
                Field(
                    path=f"{WEB}.command",
                    before='["python","-m","nuages_runtime.serve"]',
                    after='["gunicorn","blog.wsgi:application","--workers","3","--threads","4"]',
                ),
            ),
        ),
        Change(action=Action.CREATE, kind="PodDisruptionBudget", name="blog-web-main", note="somebody removed it"),
        Change(action=Action.REMOVE, kind="Deployment", name="blog-worker-mail"),
        Change(action=Action.KEEP, kind="PersistentVolumeClaim", name="blog-media", note="stays at 3Gi"),
    ),
    drift=(
        Drift(
            kind="Deployment",
            name="blog-web-main",
            path="spec.replicas",
            manager="kubectl",
            live="5",
            wanted="3",
            outcome=Outcome.TAKEN_BACK,
        ),
        Drift(
            kind="Deployment",
            name="blog-web-main",
            path=f"{WEB}.env[DEBUG_SQL].value",
            manager="kubectl-set",
            at=NOON,
            live="1",
            outcome=Outcome.LEFT,
        ),
    ),
    secrets=("SENTRY_DSN",),
    migrations=Migrations(
        known=True,
        databases=(
            Pending(
                database="default",
                vendor="postgresql",
                version="17.2",
                held=(
                    Held(
                        release=7,
                        migration="posts.0003_no_color",
                        kind="contract",
                        sql='ALTER TABLE "posts_post" DROP COLUMN "color"',
                    ),
                ),
                migrations=(
                    Migration(
                        name="posts.0004_post_subtitle",
                        operations=(
                            Operation(
                                text="Add field subtitle to post",
                                kind="expand",
                                statements=(
                                    Statement(
                                        sql='ALTER TABLE "posts_post" ADD COLUMN "subtitle" varchar(100) NULL',
                                        locks=(lock("posts_post", 1_234_567, 310_000_000),),
                                    ),
                                ),
                            ),
                            Operation(
                                text="Alter field views on post",
                                kind="unsafe",
                                why="the table is written anew",
                                safer="add a column, fill it by a backfill, and let the old one go",
                                statements=(
                                    Statement(
                                        sql='ALTER TABLE "posts_post" ALTER COLUMN "views" TYPE bigint',
                                        locks=(lock("posts_post", 1_234_567, 310_000_000),),
                                        rewrites=True,
                                    ),
                                ),
                            ),
                            Operation(
                                text="Remove field color from tag",
                                kind="contract",
                                statements=(Statement(sql='ALTER TABLE "posts_tag" DROP COLUMN "color"', later=True),),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
    connections=Connections(parts=(Part(name="blog-web-main", connections=16),), beside=5, wanted=21, available=25),
    rolls=(Roll(kind="Deployment", name="blog-web-main", pods=3, why=("image", "configuration", "secrets")),),
    took=(Took(phase="expand", seconds=3, release=7), Took(phase="web", seconds=72, release=7)),
    tasks=compare({"blog.tasks.send": "()"}, {"blog.tasks.send": "()", "blog.tasks.remind": "(post)"}),
    back=Verdict(says="safe", to=7, ends=("posts.0004_post_subtitle: Remove field color from tag",)),
    findings=(
        Said(
            id="migration.E430",
            level=Level.ERROR,
            place="posts.0004_post_subtitle",
            message="breaks the code of release 7, which runs",
            hint="nuages deploy --maintenance, or in two releases",
        ),
        Said(id="app.I104", level=Level.INFO, message="of interest only"),
    ),
)


@pytest.mark.parametrize(("name", "width"), [("terminal", 80), ("pipe", None)])
def test_a_plan_reads_as_it_did(name: str, width: int | None) -> None:
    golden = Path(__file__).parent / f"plan-{name}.txt"
    text = "\n".join(lines(PLAN, width, plain)) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text(), "UPDATE_GOLDEN=1 pytest tests/unit/cli writes it anew"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal_but_for_a_word_that_is(width: int) -> None:
    for line in lines(PLAN, width, plain):
        assert len(line) <= max(width, len(max(line.split(), key=len, default="")) + 30)


def test_colour_changes_no_word_and_ends_on_its_line() -> None:
    coloured = lines(PLAN, 80, painted)
    assert [re.sub(r"\033\[\d+m", "", line) for line in coloured] == lines(PLAN, 80, plain)
    assert all(line.count("\033[0m") * 2 == line.count("\033[") for line in coloured)


def test_where_nothing_changes_one_line_says_so() -> None:
    same = msgspec.structs.replace(
        PLAN, changes=False, objects=(), drift=(), secrets=(), migrations=Migrations(known=True),
        connections=None, rolls=(), took=(), tasks=compare({}, {}), back=None, findings=(), image=PLAN.serving_image,
    )  # fmt: skip
    assert lines(same, 80, plain)[-1] == "Nothing would change."


def test_a_first_plan_says_that_there_is_nothing_yet() -> None:
    first = msgspec.structs.replace(
        PLAN, serving=None, serving_image=None, drift=(), migrations=Migrations(known=True), back=None, findings=()
    )
    text = "\n".join(lines(first, 80, plain))
    assert "nothing serves yet" in text
    assert "all that the image has: there is no database yet" in text


def test_a_database_that_was_not_asked_is_not_taken_for_one_without_migrations() -> None:
    unasked = msgspec.structs.replace(
        PLAN,
        changes=False,
        objects=(),
        migrations=Migrations(known=False, why_not="no right to make Jobs"),
        findings=(Said(id="release.W367", level=Level.WARNING, message="x", hint="a Role would do"),),
    )
    text = lines(unasked, 80, plain)
    assert "  ! not known: no right to make Jobs" in text
    assert "    a Role would do" in text
    assert text[-1] == "No object would change; whether a migration is pending is not known."


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (950, "950"), (1_000, "1.0 k"), (12_345, "12 k"), (1_234_567, "1.2 M"), (5 * 10**12, "5.0 T")],
)
def test_a_number_is_said_as_a_person_says_it(number: int, said: str) -> None:
    assert amount(number) == said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"{WEB}.image", "image"),
        (f"{WEB}.env[COLOR].value", "COLOR"),
        ("spec.template.spec.initContainers[wait].image", "image"),
        ("spec.template.metadata.annotations.x", "metadata.annotations.x"),
        ("spec.replicas", "replicas"),
        ("data.COLOR", "COLOR"),
        ("metadata.labels.team", "metadata.labels.team"),
    ],
)
def test_a_field_is_called_by_what_tells_it_from_others(path: str, said: str) -> None:
    assert short(path) == said
