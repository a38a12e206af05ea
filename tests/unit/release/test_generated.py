"""What is generated for the data stores that run in the cluster."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from nuages.app.components import resolve
from nuages.kube.client import Cluster
from nuages.release import secrets
from nuages.spec.load import parse

from .kept import Kept

pytestmark = pytest.mark.unit

SPEC = b"name: blog\nimage: a/b\nservices: {rabbitmq: {run: }, postgres: {run: }}\nenvironments: {local: }\n"


def test_who_logs_in_to_rabbitmq_stands_beside_the_password_also_where_that_was_there_before() -> None:
    app = resolve(parse(SPEC, "nuages.yaml"), "local")
    kept = Kept()
    cluster = cast("Cluster", kept)
    before = secrets.object_of(app, "blog-rabbitmq", {"password": b"of old", "cookie": b"x"}, keep=True)
    asyncio.run(kept.create(before))
    assert asyncio.run(secrets.lacking(app, cluster))
    asyncio.run(secrets.ensure(app, cluster))
    held = secrets.decoded(kept.objects["Secret", "blog-rabbitmq"])
    assert (held["user"], held["password"]) == (b"app", b"of old")
    assert secrets.decoded(kept.objects["Secret", "blog-postgres"])["user"] == b"app"
    assert not asyncio.run(secrets.lacking(app, cluster))
