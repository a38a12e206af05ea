from __future__ import annotations

import json
import logging

import pytest

from nuages_runtime.wsgi import is_no_probe, with_probes

pytestmark = pytest.mark.unit


class Asked:
    """A project that only counts, and a start-up question with a given answer."""

    def __init__(self, missing: dict[str, object] | None = None) -> None:
        self.project = 0
        self.startup = 0
        self._missing = missing or {}

    def serve(self, environ, start_response):
        self.project += 1
        start_response("200 OK", [])
        return [b"the project"]

    def started(self) -> dict[str, object]:
        self.startup += 1
        return self._missing


def get(asked: Asked, path: str) -> tuple[str, bytes]:
    statuses = []
    application = with_probes(asked.serve, asked.started, release="7")
    body = b"".join(application({"PATH_INFO": path}, lambda status, headers: statuses.append(status)))
    return statuses[0], body


@pytest.mark.parametrize("path", ["/-/live", "/-/ready"])
def test_liveness_and_readiness_ask_neither_the_project_nor_the_database(path: str) -> None:
    asked = Asked(missing={"missing": ["posts.0002_tags"]})
    assert get(asked, path) == ("200 OK", b'{"release": "7"}')
    assert (asked.project, asked.startup) == (0, 0)


def test_startup_names_the_migrations_that_are_missing() -> None:
    status, body = get(Asked(missing={"missing": ["posts.0002_tags"]}), "/-/startup")
    assert status == "503 Service Unavailable"
    assert json.loads(body) == {"missing": ["posts.0002_tags"]}


def test_startup_is_done_when_nothing_is_missing() -> None:
    assert get(Asked(), "/-/startup")[0] == "200 OK"


@pytest.mark.parametrize("path", ["/", "/-/", "/-/live/", "/-/other", "/posts/-/live"])
def test_every_other_path_is_the_project_s(path: str) -> None:
    assert get(Asked(), path) == ("200 OK", b"the project")


@pytest.mark.parametrize(("path", "logged"), [("/-/ready", False), ("/posts/", True)])
def test_probes_are_not_in_the_access_log(path: str, logged: bool) -> None:
    record = logging.LogRecord("gunicorn.access", logging.INFO, "", 0, "%(U)s", ({"U": path},), None)
    assert is_no_probe(record) is logged
