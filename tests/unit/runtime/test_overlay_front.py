"""What the overlay makes of the way in: https that browsers remember, and how large a request may be."""

from __future__ import annotations

import pytest

from nuages_runtime.overlay.change import World
from nuages_runtime.overlay.plan import plan

pytestmark = pytest.mark.unit

PROXY = {"NUAGES_OVERLAY": "proxy", "NUAGES_PROXY": "https"}
SECURITY = {"MIDDLEWARE": ["django.middleware.security.SecurityMiddleware"]}


def decided(setting: str, own: dict[str, object], environ: dict[str, str]) -> tuple[str, object] | None:
    changes = {change.setting: change for change in plan(World(own, environ, (6, 1), lambda _: True, "/app"))}
    return (changes[setting].action, changes[setting].value) if setting in changes else None


@pytest.mark.parametrize(
    ("own", "environ", "expected"),
    [
        (SECURITY, {"NUAGES_HSTS": "3600"}, ("added", 3600)),
        (SECURITY | {"SECURE_HSTS_SECONDS": 60}, {"NUAGES_HSTS": "3600"}, ("kept", None)),
        ({}, {"NUAGES_HSTS": "3600"}, ("kept", None)),
        (SECURITY, {}, None),
        (SECURITY, {"NUAGES_HSTS": "3600", "NUAGES_PROXY": ""}, None),
    ],
)
def test_browsers_remember_https_where_the_spec_says_so_and_the_project_does_not(own, environ, expected) -> None:
    assert decided("SECURE_HSTS_SECONDS", own, PROXY | environ) == expected


@pytest.mark.parametrize(
    ("own", "expected"),
    [({}, ("added", 1024)), ({"DATA_UPLOAD_MAX_MEMORY_SIZE": None}, ("kept", None))],
)
def test_django_takes_what_the_way_in_lets_through(own, expected) -> None:
    assert decided("DATA_UPLOAD_MAX_MEMORY_SIZE", own, {"NUAGES_OVERLAY": "proxy", "NUAGES_BODY": "1024"}) == expected
    assert decided("DATA_UPLOAD_MAX_MEMORY_SIZE", own, {"NUAGES_OVERLAY": "proxy"}) is None
