"""What is asked of a live app from outside and inside: doctor, the database, the variables of its pods."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.e2e


def test_nothing_stands_in_the_way_of_what_is_live_and_a_pod_says_so_from_inside(blog):
    told = json.loads(blog.nuages("doctor", "--json").stdout)
    looks = {(look["group"], look["topic"]): look for look in told["looks"]}
    assert [look for look in told["looks"] if look["state"] == "broken"] == []
    assert looks["inside", "blog-postgres"]["said"] == "is reached"
    assert {"answers", "version", "clock", "nodes"} <= {topic for group, topic in looks if group == "cluster"}


def test_the_database_tells_its_size_and_who_waits(blog):
    size = json.loads(blog.nuages("db", "size", "--json").stdout)
    assert size["database"] == "blog"
    assert "posts_post" in {table["name"] for table in size["tables"]}
    assert json.loads(blog.nuages("db", "locks", "--json").stdout)["sessions"] == []
    assert "there is no session 1" in blog.nuages("db", "locks", "--end", "1", code=2).stderr


def test_the_variables_of_live_pods_have_their_source_and_no_secret(blog):
    found = json.loads(blog.nuages("env", "vars", "web", "--json").stdout)
    told = {one["name"]: one for one in found["components"][0]["variables"]}
    assert told["COLOR"]["source"].startswith("nuages.yaml:")
    assert told["SECRET_KEY"]["value"] == told["POSTGRES_PASSWORD"]["value"] == "***"
    assert "***@" in told["DATABASE_URL"]["value"] or "$(" in told["DATABASE_URL"]["value"]
