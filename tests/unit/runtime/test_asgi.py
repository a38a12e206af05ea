from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from nuages_runtime import observe
from nuages_runtime.asgi import observed, with_probes
from nuages_runtime.observe import Observer

pytestmark = pytest.mark.unit


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """The access log's lines."""
    lines: list[dict] = []
    monkeypatch.setattr(observe, "to_stdout", lambda line: lines.append(json.loads(line)))
    return lines


def ask(application, path: str = "/", kind: str = "http", headers=()) -> list[dict]:
    """What an application sends."""
    sent: list[dict] = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message) -> None:
        sent.append(message)

    scope = {"type": kind, "path": path, "headers": list(headers), "scheme": "http"}
    asyncio.run(application(scope | ({"method": "GET"} if kind == "http" else {}), receive, send))
    return sent


def sending(*messages):
    async def project(scope, receive, send) -> None:
        for message in messages:
            await send(message)

    return observed(project, Observer(None, text=False), https=True)


@pytest.mark.parametrize(
    ("kind", "messages", "status"),
    [
        ("http", [{"type": "http.response.start", "status": 404}], 404),
        ("http", [], 499),
        ("websocket", [{"type": "websocket.accept"}, {"type": "websocket.close"}], 101),
        ("websocket", [{"type": "websocket.close"}], 403),
        ("websocket", [{"type": "websocket.http.response.start", "status": 401}], 401),
        ("websocket", [], 499),
    ],
)
def test_the_log_says_how_a_request_ended(kind: str, messages: list, status: int, logged: list[dict]) -> None:
    ask(sending(*messages), kind=kind)
    assert [line["status"] for line in logged] == [status]


def test_a_project_that_raises_is_logged_as_500_and_raises_on(logged: list[dict]) -> None:
    async def broken(scope, receive, send) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        ask(observed(broken, Observer(None, text=False), https=True))
    assert logged[0]["status"] == 500


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        ([(b"x-forwarded-proto", b"https")], "https"),
        ([(b"x-forwarded-proto", b"http"), (b"x_forwarded_proto", b"https")], "http"),
        ([(b"x_forwarded_proto", b"https")], "http"),
    ],
)
def test_a_header_with_an_underscore_never_counts_as_the_proxys(headers, scheme: str, logged: list[dict]) -> None:
    seen: list[dict] = []

    async def project(scope, receive, send) -> None:
        seen.append(scope)

    ask(observed(project, Observer(None, text=False), https=True), headers=headers)
    assert seen[0]["scheme"] == scheme
    assert not [name for name, _ in seen[0]["headers"] if b"_" in name]


def test_liveness_and_readiness_wait_for_no_thread() -> None:
    free = Event()

    async def main() -> list[dict]:
        asyncio.get_running_loop().set_default_executor(pool)
        asyncio.get_running_loop().run_in_executor(None, free.wait)  # the only thread there is
        sent: list[dict] = []

        async def send(message) -> None:
            sent.append(message)

        for path in ("/-/live", "/-/ready"):
            await asyncio.wait_for(application({"type": "http", "path": path}, None, send), 60)
        free.set()
        return sent

    application = with_probes(None, dict, "7")
    with ThreadPoolExecutor(1) as pool:
        assert [message.get("status", 200) for message in asyncio.run(main())] == [200] * 4
