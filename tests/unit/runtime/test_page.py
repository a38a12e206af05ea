"""The page that stands in for an app, over a real socket."""

from __future__ import annotations

import http.client
import threading

import pytest

from nuages_runtime.page import LONGEST, Page, Server, end

pytestmark = pytest.mark.unit


@pytest.fixture
def server():
    """The page, on a port of its own."""
    running = Server(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()
    Page.ending = False


@pytest.fixture
def connection(server):
    """One connection, which is kept."""
    opened = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=60)
    yield opened
    opened.close()


def asked(connection, method, path, body=None, **headers):
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    return answer, answer.read()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_path_answers_503_with_a_time_to_come_back(connection, method):
    answer, page = asked(connection, method, "/any/path?of=it")
    assert (answer.status, answer.getheader("Retry-After"), answer.getheader("Cache-Control")) == (
        503,
        "60",
        "no-store",
    )
    assert b"Back soon" in page


@pytest.mark.parametrize("path", ["/-/live", "/-/ready", "/-/startup"])
def test_the_kubelet_is_told_that_all_is_well(connection, path):
    answer, said = asked(connection, "GET", path)
    assert (answer.status, said) == (200, b'{"release": "maintenance"}')


def test_who_asks_for_json_gets_json(connection):
    answer, said = asked(connection, "GET", "/api/", Accept="application/json")
    assert (answer.status, answer.getheader("Content-Type"), said) == (
        503, "application/json", b'{"detail": "maintenance"}'
    )  # fmt: skip


def test_a_connection_is_kept_and_what_was_sent_on_it_is_no_next_request(connection):
    for _ in range(3):
        answer, page = asked(connection, "POST", "/form/", body=b"GET / HTTP/1.1\r\n\r\n" * 50)
        assert (answer.status, answer.will_close) == (503, False)
        assert page


def test_a_head_has_no_body(connection):
    answer, page = asked(connection, "HEAD", "/")
    assert (answer.status, page) == (503, b"")
    assert asked(connection, "GET", "/")[0].status == 503


def test_a_body_that_is_too_long_to_read_closes_the_connection(connection):
    connection.putrequest("POST", "/upload/")
    connection.putheader("Content-Length", str(LONGEST + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (503, "close")


def test_before_it_ends_its_answers_close_their_connections(server, connection):
    assert asked(connection, "GET", "/")[0].getheader("Connection") is None
    Page.ending = True
    assert asked(connection, "GET", "/")[0].getheader("Connection") == "close"


def test_it_ends_by_itself_two_seconds_after_it_was_told_to(server, monkeypatch):
    monkeypatch.setattr("nuages_runtime.page.SECONDS", 0.01)
    end(server)
    ended = threading.Event()
    threading.Thread(target=lambda: (server.shutdown(), ended.set())).start()
    assert ended.wait(5)
