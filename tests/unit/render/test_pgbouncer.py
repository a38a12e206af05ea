"""PgBouncer: who goes by it, what it may open, and what Django is told."""

from __future__ import annotations

import pytest

from nuages.app.build import Build
from nuages.app.components import App, resolve
from nuages.checks.app import check
from nuages.render import access
from nuages.render.manifest import render, services
from nuages.render.pgbouncer import pgbouncer, settings
from nuages.render.release import Release
from nuages.spec.load import parse
from nuages_runtime.overlay.change import World
from nuages_runtime.overlay.database import databases

pytestmark = pytest.mark.unit

BUILD = Build(
    reference=f"a/b@sha256:{'0' * 64}", wsgi="b.wsgi:app", settings="b.settings", reads=("DB_HOST", "DB_PORT")
)
SPEC = """\
name: blog
image: a/b
web: {main: {replicas: 12}}
workers: {default: {celery: blog, replicas: 4}}
beat: {celery: blog}
schedules: {night: {manage: [clearsessions], cron: "0 3 * * *"}}
services: {redis: {run: {}}, postgres: {run: {backup: {to: {volume: 1Gi}}}}}
databases: {default: postgres}
pool: {pgbouncer: POOLER}
environments: {local: }
"""


def app(pooler: str = "{}", **replaced: str) -> App:
    text = SPEC.replace("POOLER", pooler)
    for old, new in replaced.items():
        text = text.replace(old, new)
    return resolve(parse(text.encode(), "nuages.yaml"), "local")


def told(component: str) -> dict[str, str]:
    release = Release(number=1, template=1, build=BUILD)
    return {each["name"]: each.get("value", "") for each in access.services(app(), release, component)}


@pytest.mark.parametrize("component", ["web", "worker"])
def test_webs_and_workers_go_by_it(component: str) -> None:
    found = told(component)
    assert found["DATABASE_URL"] == "postgres://$(POSTGRES_USER):$(POSTGRES_PASSWORD)@blog-pgbouncer:5432/blog"
    assert (found["DB_HOST"], found["DB_PORT"]) == ("blog-pgbouncer", "5432")


@pytest.mark.parametrize("component", ["migrate", "schedule", "job", "run", "beat"])
def test_who_may_need_what_outlives_a_transaction_goes_straight(component: str) -> None:
    assert "@blog-postgres:5432/" in told(component)["DATABASE_URL"]


def test_it_shares_out_what_the_others_leave_of_max_connections() -> None:
    here = app()
    assert here.pgbouncer is not None
    assert here.postgres is not None
    # 25 of 512Mi, for two pods and two that end in a rollout; beside them one of beat, two of migrations, three kept,
    # one of the schedule, two of a backup.
    assert here.pgbouncer.each == (25 - 1 - 2 - 3 - 1 - 2) // (2 + 2)
    said = settings(here.pgbouncer, here.postgres)
    assert f"max_db_connections = {here.pgbouncer.each}" in said
    assert "server_login_retry = 1" in said  # not a quarter of a minute after a database was away for a moment
    assert [one.id for one in check(here) if one.id == "app.E101"] == []
    assert [one.id for one in check(app("null")) if one.id == "app.E101"] == ["app.E101"]


def test_asked_for_more_than_there_are_the_sum_says_so() -> None:
    (found,) = [one for one in check(app("{connections: 10}")) if one.id == "app.E101"]
    assert "(2 + 2 while rolling out) x 10 of pgbouncer + 1 of beat + 8 beside = 49 connections" in found.message


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"run: {backup: {to: {volume: 1Gi}}}": "external: {host: db, secret: db}"}, "app.E126"),
        ({"databases: {default: postgres}": ""}, "app.E126"),
        ({"pgbouncer: {}": "pgbouncer: {replicas: 20}"}, "app.E127"),
        ({"name: blog": "name: blog\ndjango: {overlay: false}"}, "app.W128"),
    ],
)
def test_what_can_not_work_is_said(changed: dict[str, str], finding: str) -> None:
    assert finding in {one.id for one in check(app(**changed))}


def test_it_is_made_with_the_data_stores_and_changed_by_no_release() -> None:
    assert [item["kind"] for item in services(app()) if item["metadata"]["name"] == "blog-pgbouncer"] == [
        "Service",
        "Deployment",
        "PodDisruptionBudget",
    ]
    walls = {item["metadata"]["name"] for item in render(app(), Release(number=1, template=1, build=BUILD)).foundation}
    assert {"blog-pgbouncer", "blog-to-pgbouncer"} <= walls


@pytest.mark.parametrize("longest", ["10s", "20m"])
def test_a_task_keeps_its_connection_until_its_end(longest: str) -> None:
    here = app(**{"celery: blog, replicas: 4": f"celery: blog, longestTask: {longest}"})
    (pod,) = [item["spec"]["template"]["spec"] for item in pgbouncer(here) if item["kind"] == "Deployment"]
    assert pod["terminationGracePeriodSeconds"] == max(90, here.workers["default"].timing.grace + 5)


def world(own: dict[str, object], **environ: str) -> World:
    return World(own, environ, (5, 2), lambda _: True, "/app")


@pytest.mark.parametrize(
    "own",
    [{}, {"DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "blog-pgbouncer"}}}],
)
def test_django_is_told_that_no_cursor_outlives_a_transaction(own: dict[str, object]) -> None:
    url = "postgres://app:x@blog-pgbouncer:5432/blog"
    (change,) = databases(world(own, DATABASE_URL=url, NUAGES_POOLER="transaction"))
    assert isinstance(change.value, dict)
    assert change.value["default"]["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert change.action in ("added", "replaced")
    (without,) = databases(world(own, DATABASE_URL=url))
    assert without.value is None or "DISABLE_SERVER_SIDE_CURSORS" not in without.value["default"]  # type: ignore[index]
