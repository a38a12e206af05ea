from __future__ import annotations

import json

import pytest

from nuages_runtime import drain, observe, probes
from nuages_runtime.logs import request_id
from nuages_runtime.observe import Observer
from nuages_runtime.wsgi import observed, with_probes

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


class Page:
    """A whole page, as Django answers it."""

    streaming = False

    def __init__(self) -> None:
        self.closed = False

    def __iter__(self):
        return iter([b"a ", b"page"])

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """The access log's lines."""
    lines: list[dict] = []
    monkeypatch.setattr(observe, "to_stdout", lambda line: lines.append(json.loads(line)))
    return lines


def ask(project, *, https: bool = False, **environ: str):
    """Headers and body of what an observed project answers."""
    seen: dict[str, object] = {}
    asked = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.url_scheme": "http", **environ}
    answer = observed(project, Observer(None, text=False), https=https)(
        asked, lambda status, headers: seen.update(status=status, headers=dict(headers))
    )
    return asked, seen, answer


def page(environ, start_response):
    start_response("404 Not Found", [("Content-Type", "text/html")])
    return Page()


def test_a_request_keeps_the_id_that_a_proxy_gave_it(logged: list[dict]) -> None:
    asked, seen, _ = ask(page, HTTP_X_REQUEST_ID="from-proxy")
    assert asked["HTTP_X_REQUEST_ID"] == seen["headers"]["X-Request-ID"] == logged[0]["request_id"] == "from-proxy"


@pytest.mark.parametrize("given", ["", "two\nlines", "x" * 129, 'a"b'])
def test_what_is_no_id_is_replaced_by_one(given: str, logged: list[dict]) -> None:
    _, seen, _ = ask(page, HTTP_X_REQUEST_ID=given)
    assert len(seen["headers"]["X-Request-ID"]) == 32


def test_a_whole_page_is_closed_before_the_server_sends_it(logged: list[dict]) -> None:
    pages = []

    def project(environ, start_response):
        pages.append(page(environ, start_response))
        return pages[0]

    _, _, answer = ask(project)
    assert answer == [b"a page"]
    assert pages[0].closed


def test_the_access_log_has_status_path_and_duration_and_never_the_query(logged: list[dict]) -> None:
    ask(page, PATH_INFO="/caf\xc3\xa9/", QUERY_STRING="token=secret", REMOTE_ADDR="10.0.0.9")
    [line] = logged
    assert (line["status"], line["path"], line["client"]) == (404, "/café/", "10.0.0.9")
    assert line["duration_ms"] >= 0
    assert "secret" not in json.dumps(line)


def test_a_stream_is_logged_at_its_end_and_closed_once(logged: list[dict]) -> None:
    def stream(environ, start_response):
        start_response("200 OK", [])
        yield b"piece"

    _, _, answer = ask(stream)
    assert not logged
    assert list(answer) == [b"piece"]
    answer.close()
    answer.close()
    assert len(logged) == 1


def test_a_project_that_raises_is_logged_as_500_and_raises_on(logged: list[dict]) -> None:
    def broken(environ, start_response):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        ask(broken)
    assert logged[0]["status"] == 500
    assert request_id.get() == ""


@pytest.mark.parametrize(("trusted", "scheme"), [(True, "https"), (False, "http")])
def test_the_proxys_word_for_https_counts_only_where_it_is_ours(trusted: bool, scheme: str, logged: list[dict]) -> None:
    asked, _, _ = ask(page, https=trusted, HTTP_X_FORWARDED_PROTO="https")
    assert asked["wsgi.url_scheme"] == scheme


def test_while_draining_every_answer_closes_its_connection(logged: list[dict], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Connection" not in ask(page)[1]["headers"]
    monkeypatch.setattr(drain, "_flag", bytearray(b"\1"))
    assert ask(page)[1]["headers"]["Connection"] == "close"


def test_an_attribute_error_of_the_project_is_not_taken_for_a_missing_application() -> None:
    def load() -> None:
        raise AttributeError("module 'blog' has no attribute 'views'")

    with pytest.raises(RuntimeError, match="AttributeError: module 'blog'") as raised:
        probes.told(load)
    assert isinstance(raised.value.__cause__, AttributeError)
