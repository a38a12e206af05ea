"""What a plan says of what others have to bring."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from nuages.app.components import resolve
from nuages.kube.client import Cluster
from nuages.release import secrets
from nuages.release.plan.values import foreseen
from nuages.spec.load import parse

from .kept import Kept

pytestmark = pytest.mark.unit

SPEC = b"""
name: blog
image: a/b
services:
  postgres: {external: {host: db.internal, secret: managed-postgres, tls: verify-full, authority: managed-ca}}
environments: {local: }
"""


@pytest.mark.parametrize("there", [True, False])
def test_a_plan_misses_what_a_release_would_be_refused_for(there: bool) -> None:
    app = resolve(parse(SPEC, "nuages.yaml"), "local")
    found = asyncio.run(foreseen(app, None, cast("Cluster", Kept()), there=there)).findings
    assert [(one.id, str(one.place)) for one in found] == [
        ("release.E380", "services.postgres.external.secret"),
        ("release.E380", "services.postgres.external.secret"),
        ("release.E381", "services.postgres.external.authority"),
    ]


def test_who_logs_in_is_no_secret_where_it_is_called_as_the_app_is() -> None:
    app = resolve(parse(SPEC, "nuages.yaml"), "local")
    kept = Kept()
    held = {"user": b"blog", "password": b"p@ss/word"}
    kept.objects["Secret", "managed-postgres"] = secrets.object_of(app, "managed-postgres", held)
    kept.objects["Secret", app.secret] = secrets.object_of(app, app.secret, {secrets.SALT: b"salt-of-the-app"})
    found = asyncio.run(foreseen(app, None, cast("Cluster", kept), there=True))
    assert "blog" not in found.hidden
    assert {"p@ss/word", "p%40ss%2Fword"} <= set(found.hidden)
