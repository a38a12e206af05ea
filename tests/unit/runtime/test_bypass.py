"""The page of a maintenance lets whoever shows a secret past, to a real server behind it."""

from __future__ import annotations

import http.client
import threading
from email.message import Message
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace

import pytest

from nuages_runtime import bypass
from nuages_runtime.page import Page, Server

pytestmark = pytest.mark.unit
SECRET = "only-staff-knows"


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{self.path} {self.headers.get('Cookie')} {self.headers.get(bypass.HEADER)}".encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.end_headers()
        self.wfile.write(body[::-1])

    def log_message(self, *_):
        pass


@pytest.fixture
def ask():
    """`ask(method, path, headers, body)` of the page: status, headers, body."""
    app, page = Server(("127.0.0.1", 0), App), None
    behind = f"/=127.0.0.1:{app.server_address[1]}"

    class Front(Page):
        staff = bypass.way({"NUAGES_BYPASS": SECRET, "NUAGES_BEHIND": behind})

    page = Server(("127.0.0.1", 0), Front)
    for server in (app, page):
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def asked(method, path, headers=None, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", page.server_address[1], timeout=60)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    yield asked
    for server in (app, page):
        server.shutdown()
        server.server_close()


def test_who_shows_nothing_or_something_else_gets_the_page(ask):
    assert ask("GET", "/")[0] == 503
    assert ask("GET", "/", {bypass.HEADER: "guessed"})[0] == 503
    assert ask("GET", "/", {"Cookie": f"{bypass.COOKIE}=guessed"})[0] == 503
    assert ask("GET", f"{bypass.LINK}guessed")[0] == 503
    assert ask("GET", "/-/ready")[0] == 200


def test_the_link_gives_a_cookie_that_lets_past_and_goes_no_further(ask):
    status, headers, _ = ask("GET", bypass.LINK + SECRET)
    assert (status, headers["Location"]) == (303, "/")
    assert "HttpOnly" in headers["Set-Cookie"]
    cookie = headers["Set-Cookie"].partition(";")[0]
    status, _, body = ask("GET", "/a?b=c", {"Cookie": f"sessionid=x; {cookie}"})
    assert (status, body) == (200, b"/a?b=c sessionid=x None")


def test_the_header_lets_an_upload_past(ask):
    body = b"0123456789" * 100_000
    status, _, answer = ask("POST", "/up", {bypass.HEADER: SECRET}, body)
    assert (status, answer) == (201, body[::-1])


def test_a_path_leads_to_what_answers_it_and_all_below():
    told = "/api=api-behind:80,/=main-behind:80"
    to = bypass.way({"NUAGES_BYPASS": SECRET, "NUAGES_BEHIND": told})
    found = {path: bypass.behind(to, path)[0] for path in ("/", "/api", "/api/x", "/apixy")}
    assert found == {"/": "main-behind", "/api": "api-behind", "/api/x": "api-behind", "/apixy": "main-behind"}
    assert bypass.way({"NUAGES_BYPASS": SECRET}) is None


def offered(upgrade):
    """What is passed on of a request that offers to become something else."""
    told = {"Host": "blog", "Connection": "Upgrade, HTTP2-Settings", "Upgrade": upgrade, "HTTP2-Settings": "AAMAAABk"}
    headers = Message()
    for name, value in told.items():
        headers[name] = value
    request = SimpleNamespace(command="GET", path="/", headers=headers)
    return bypass.head(request).decode().lower()


def test_only_a_websocket_has_a_connection_for_longer_than_an_answer():
    plain = offered("h2c")
    assert plain.count("connection:") == 1 and "connection: close\r\n" in plain
    assert "upgrade" not in plain and "http2-settings" not in plain
    assert "upgrade: websocket\r\n" in offered("websocket")
    assert "connection: close" not in offered("websocket")
