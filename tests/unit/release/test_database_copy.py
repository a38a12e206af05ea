"""Whose database may be copied where, and what the pod that brings it is told."""

from __future__ import annotations

import pytest

from nuages.app.components import resolve
from nuages.cli.restore import NAME
from nuages.errors import Refused
from nuages.release import database_copy
from nuages.release.environments import cloning
from nuages.release.keeping import backups
from nuages.render.clone import Clone, job
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

TEXT = b"""
name: blog
image: registry.example.com/acme/blog
services: {postgres: {run: {storage: 1Gi}}}
databases: {default: postgres}
environments:
  production: {}
  staging: {databases: {default: {cloneFrom: production, anonymise: {sql: a.sql}}}}
"""
SPEC = parse(TEXT, "nuages.yaml")
PRODUCTION, STAGING = resolve(SPEC, "production"), resolve(SPEC, "staging")


def test_the_source_is_the_one_that_is_written():
    assert database_copy.source(STAGING, "") == database_copy.source(STAGING, "production") == "production"


@pytest.mark.parametrize(
    ("app", "asked", "said"),
    [
        (STAGING, "local", "staging gets a copy of production, not of local"),
        (PRODUCTION, "staging", "nothing says that production gets another environment's data"),
        (PRODUCTION, "", "nothing says that production gets another environment's data"),
    ],
)
def test_data_goes_nowhere_that_is_not_written(app, asked, said):
    with pytest.raises(Refused) as caught:
        database_copy.source(app, asked)
    (finding,) = caught.value.findings
    assert finding.id == "release.E470"
    assert said in finding.message


async def test_a_database_that_somebody_else_runs_is_not_said_to_be_away():
    spec = TEXT.replace(b"  production: {}", b"  production: {services: {postgres: {run: null, cloudnativepg: {}}}}")
    operated = resolve(parse(spec, "nuages.yaml"), "production")
    with pytest.raises(Refused) as caught:
        await cloning.possible(operated, (), None)
    (finding,) = caught.value.findings
    assert (finding.id, finding.message) == ("release.E406", "the database of production is not run by nuages")


async def test_other_migrations_are_named_and_nothing_was_copied(monkeypatch):
    async def brought(*_):
        return ['{"missing": "a.1 a.2 a.3 a.4", "ahead": "b.1", "bytes": null, "tables": 0, "rows": 0}']

    monkeypatch.setattr(cloning, "brought", brought)
    with pytest.raises(Refused) as caught:
        await database_copy._brought(Clone(source=PRODUCTION, target=STAGING), "", None, print)
    (finding,) = caught.value.findings
    assert finding.id == "release.E471"
    lacks = "lacks a.1, a.2, a.3 and 1 more, which staging has"
    assert finding.message == f"the database of production {lacks}, and has b.1, which staging has not"


def test_what_fills_the_database_beside_knows_its_room_and_never_the_sources_password():
    into = "blog_copying_20261122_101500"
    clone = Clone(source=PRODUCTION, target=STAGING, sql=True, into=into, before="blog_copying_")
    (container,) = job(clone)["spec"]["template"]["spec"]["containers"]
    told = {one["name"]: one.get("value") for one in container["env"]}
    assert (told["INTO"], told["BEFORE"], told["ANYWAY"]) == (into, "blog_copying_", "")
    assert (told["ROOM"], told["PGDATABASE"]) == (str(1 << 30), "blog")
    assert "FROM_PASSWORD" not in told


def test_a_database_that_was_kept_comes_back_without_backups():
    backups.ours(STAGING)
    with pytest.raises(Refused):
        backups.check(STAGING)


def test_the_way_back_takes_the_name_that_was_kept_whatever_the_app_is_called():
    app = resolve(parse(TEXT.replace(b"name: blog", b"name: my-shop"), "nuages.yaml"), "staging")
    kept = backups.beside(app, "before")
    assert kept.startswith("my-shop_before_")
    assert NAME.fullmatch(kept)
    assert not NAME.fullmatch("-c") and not NAME.fullmatch("a b") and not NAME.fullmatch("a=b")
