"""What the runtime answers for the way in: other names, plain requests, requests that are too large."""

from __future__ import annotations

import pytest

from nuages_runtime import asgi, front, wsgi

pytestmark = pytest.mark.unit

KEPT = {"NUAGES_REDIRECTS": "www.example.com,*.old.example.com", "NUAGES_REDIRECT_TO": "//example.com"}
SENT = {"NUAGES_REDIRECTS": "www.example.com", "NUAGES_REDIRECT_TO": "https://example.com"}
HTTPS = {"NUAGES_HTTPS": "1", "NUAGES_PROXY": "https", "NUAGES_HOSTS": "example.com,.shop.example.com,web"}


@pytest.mark.parametrize(
    ("environ", "host", "proto", "expected"),
    [
        (KEPT, "www.example.com", "", "http://example.com/a?b=c"),
        (KEPT, "WWW.example.com:8080", "", "http://example.com:8080/a?b=c"),
        (KEPT, "a.old.example.com", "", "http://example.com/a?b=c"),
        (KEPT, "www.example.com", "https", "http://example.com/a?b=c"),
        (KEPT | {"NUAGES_PROXY": "https"}, "www.example.com", "https", "https://example.com/a?b=c"),
        (KEPT, "example.com", "", None),
        (KEPT, "www.example.com.evil.org", "", None),
        (SENT, "www.example.com:8080", "", "https://example.com/a?b=c"),
        (HTTPS, "example.com", "http", "https://example.com/a?b=c"),
        (HTTPS, "a.shop.example.com", "http", "https://a.shop.example.com/a?b=c"),
        (HTTPS, "example.com", "https", None),
        # From inside nobody says how it came, and nobody is sent anywhere.
        (HTTPS, "web", "", None),
        (HTTPS, "evil.example.org", "http", None),
        (HTTPS | {"NUAGES_PROXY": ""}, "example.com", "http", None),
    ],
)
def test_a_request_is_sent_on_where_the_spec_says_so(environ, host: str, proto: str, expected: str | None) -> None:
    assert front.of(environ).elsewhere(host, proto, "/a", "b=c") == expected


def called(environ: dict[str, str], rules: dict[str, str]):
    seen: list[object] = []

    def project(environ, start_response):
        start_response("200 OK", [])
        return [b"project"]

    given = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_HOST": "example.com", **environ}
    body = b"".join(wsgi.fronted(project, front.of(rules))(given, lambda *answer: seen.extend(answer)))
    return seen[0], dict(seen[1]), body


def test_what_has_a_body_is_sent_again_as_it_was() -> None:
    assert called({"HTTP_HOST": "www.example.com"}, SENT)[0] == "301 Moved Permanently"
    status, headers, _ = called({"HTTP_HOST": "www.example.com", "REQUEST_METHOD": "POST"}, SENT)
    assert (status, headers["Location"]) == ("308 Permanent Redirect", "https://example.com/")
    assert headers["Cache-Control"] == "max-age=3600"


def test_a_path_is_written_as_it_was_asked_for() -> None:
    # As WSGI has "/é x" and a line's end that somebody put in.
    path = "/é x\r\n".encode().decode("latin-1")
    _, headers, _ = called({"HTTP_HOST": "www.example.com", "PATH_INFO": path}, SENT)
    assert headers["Location"] == "https://example.com/%C3%A9%20x%0D%0A"


def test_a_request_that_is_too_large_is_refused_before_it_is_read() -> None:
    status, headers, body = called({"CONTENT_LENGTH": "11"}, {"NUAGES_BODY": "10"})
    assert (status, headers["Connection"], body) == (
        front.TOO_LARGE,
        "close",
        b"A request here has 10 bytes at most.\n",
    )
    assert called({"CONTENT_LENGTH": "10"}, {"NUAGES_BODY": "10"})[2] == b"project"
    assert called({"CONTENT_LENGTH": ""}, {"NUAGES_BODY": "10"})[2] == b"project"


def test_nothing_is_in_the_way_of_a_project_of_which_nothing_is_said() -> None:
    def project(environ, start_response):
        return []

    assert wsgi.fronted(project, front.of({})) is project
    assert asgi.fronted(project, front.of({})) is project  # type: ignore[arg-type]


async def asked(scope: dict[str, object], rules: dict[str, str], *pieces: bytes):
    sent: list[dict[str, object]] = []
    heard: list[str] = []
    messages = iter([{"type": "http.request", "body": piece, "more_body": True} for piece in pieces])

    async def project(scope, receive, send):
        heard.extend([(await receive())["type"] for _ in pieces])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message)

    given = {"type": "http", "method": "GET", "path": "/a b", "query_string": b"c=d", "headers": [], **scope}
    await asgi.fronted(project, front.of(rules))(given, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), heard


async def test_the_same_for_asgi() -> None:
    status, headers, _ = await asked({"headers": [(b"host", b"www.example.com")]}, SENT)
    assert (status, headers[b"location"]) == (301, b"https://example.com/a%20b?c=d")
    assert (await asked({"headers": [(b"content-length", b"11")]}, {"NUAGES_BODY": "10"}))[0] == 413


async def test_a_body_without_a_length_is_counted_as_it_comes() -> None:
    _, _, heard = await asked({}, {"NUAGES_BODY": "10"}, b"12345", b"12345", b"1")
    assert heard == ["http.request", "http.request", "http.disconnect"]


async def test_a_websocket_is_let_through() -> None:
    status, _, _ = await asked({"type": "websocket", "headers": [(b"host", b"www.example.com")]}, SENT)
    assert status == 200
