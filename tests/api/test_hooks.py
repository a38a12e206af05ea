"""Hooks of a release, on a real API server: Jobs whose pods are played, and a real HTTP server that is told."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from datetime import UTC, datetime

import pytest
from test_release import BUILD, _nobody_answers, blog

from nuages.errors import ReleaseFailed
from nuages.progress import silent
from nuages.release import records
from nuages.release.back.rollback import rollback
from nuages.release.deploy import deploy
from nuages.release.locks.lock import Wish
from nuages.release.record import Outcome, Record
from nuages.release.webhook import notice, send
from nuages.render.release import Address

pytestmark = pytest.mark.api
__all__ = ["_nobody_answers"]  # a fixture


@contextlib.asynccontextmanager
async def listening(status=200, pause=0.0):
    """An HTTP server that keeps what it is told."""
    heard, at_work = [], set()

    async def answer(reader, writer):
        at_work.add(asyncio.current_task())
        try:
            await answered(reader, writer)
        finally:
            writer.transport.abort()

    async def answered(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        heard.append(json.loads(await reader.readexactly(length)))
        await asyncio.sleep(pause)
        writer.write(f"HTTP/1.1 {status} So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/services/sesame", heard
    finally:
        server.close()
        for task in at_work:
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)


def record(**where):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    whose = {"number": 1, "template": 1, "app": "blog", "environment": "local", "by": "ada@laptop"}
    return Record(**whose, **where, build=BUILD, started=now)


def declared(namespace, folder, hooks, colour="orange"):
    app = blog(namespace, folder, **{"name: blog\n": f"name: blog\nhooks:\n{hooks}\n", "orange": colour})
    assert app.hooks
    return app


async def address(cluster, namespace, url):
    data = {"url": base64.b64encode(url.encode()).decode()}
    metadata = {"name": "chat", "namespace": namespace}
    await cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})


WEBHOOK = "{webhook: {secret: chat}}"


async def test_a_release_and_a_failure_are_told_and_the_address_is_nowhere(namespace, cluster, kubelet, tmp_path):
    app = declared(namespace, tmp_path, f"  released: {WEBHOOK}\n  failed: {WEBHOOK}")
    async with listening() as (url, heard):
        await address(cluster, namespace, url)
        await deploy(app, BUILD, cluster, silent, wish=Wish(message="new colours"))
        kubelet.crash.add("web")
        maroon = declared(namespace, tmp_path, f"  released: {WEBHOOK}\n  failed: {WEBHOOK}", "maroon")
        with pytest.raises(ReleaseFailed):
            await deploy(maroon, BUILD, cluster, silent)
    assert [(one["event"], one["release"]) for one in heard] == [
        ("released", 1),
        ("failed", 2),
        ("released", 3),
    ]
    assert heard[0]["text"] == "blog-local: release 1 (new colours) is live"
    assert "blog-web-main" in heard[1]["text"]
    assert heard[2]["text"] == "blog-local: release 3 (back to release 1) is live"
    for kept in (await cluster.list("ConfigMap", namespace)).items:
        assert "sesame" not in json.dumps(kept)


@pytest.mark.parametrize(
    ("url", "status", "why"),
    [
        ("", 500, "the address answered 500"),
        ("http://127.0.0.1:9/sesame", 200, "no answer from the address: ConnectError"),
        ("ftp://sesame", 200, "holds no http address"),
        (None, 200, "Secret chat is not there"),
    ],
)
async def test_why_a_notice_did_not_arrive_is_said_without_the_address(namespace, cluster, url, status, why):
    async with listening(status) as (real, _):
        if url is not None:
            await address(cluster, namespace, url or real)
        said = await send(notice("released", record(namespace=namespace)), Address(secret="chat", key="url"), cluster)
    assert why in said
    assert "sesame" not in said


async def test_an_answer_without_an_end_is_not_waited_for(namespace, cluster):
    async def drips(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 So\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                writer.write(b"1\r\n.\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.transport.abort()
        over.set()

    over = asyncio.Event()
    server = await asyncio.start_server(drips, "127.0.0.1", 0)
    await address(cluster, namespace, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with asyncio.timeout(60):
        said = await send(notice("released", record(namespace=namespace)), Address(secret="chat", key="url"), cluster)
        await over.wait()
    server.close()
    assert said == ""


async def test_a_notice_that_does_not_arrive_changes_nothing(namespace, cluster, kubelet, tmp_path):
    app = declared(namespace, tmp_path, f"  released: {WEBHOOK}")
    live = await deploy(app, BUILD, cluster, silent)
    assert live.outcome is Outcome.LIVE
    assert live.phase("released").note == "failed, which changes nothing: hook released: Secret chat is not there"


async def test_commands_run_at_their_points_and_again_when_a_release_is_brought_back(
    namespace, cluster, kubelet, tmp_path
):
    hooks = "  before-expand: {manage: check}\n  after-rollout: {command: [python, smoke.py]}"
    first = await deploy(declared(namespace, tmp_path, hooks), BUILD, cluster, silent)
    order = [passed.phase for passed in first.passed]
    assert order[:3] == ["services", "before-expand", "expand"]
    assert order.index("verify") < order.index("after-rollout") < order.index("live")
    maroon = declared(namespace, tmp_path, hooks, "maroon")
    await deploy(maroon, BUILD, cluster, silent)
    await rollback(maroon, None, cluster, silent)
    jobs = {job["metadata"]["name"] for job in (await cluster.list("Job", namespace)).items}
    assert "blog-hook-after-rollout-3" in jobs
    assert "blog-hook-before-expand-3" not in jobs


async def test_a_command_that_fails_before_the_release_is_live_fails_it(namespace, cluster, kubelet, tmp_path):
    kubelet.crash.add("run")
    with pytest.raises(ReleaseFailed, match="release 1 failed"):
        await deploy(declared(namespace, tmp_path, "  after-rollout: {manage: smoke}"), BUILD, cluster, silent)
    (kept,) = await records.history(cluster, namespace, "blog", "local")
    assert kept.record.outcome is Outcome.FAILED
    assert kept.record.live is None


async def test_a_command_that_fails_afterwards_is_told_and_the_release_stays_live(
    namespace, cluster, kubelet, tmp_path
):
    kubelet.crash.add("run")
    live = await deploy(declared(namespace, tmp_path, "  released: {manage: warm_cache}"), BUILD, cluster, silent)
    assert live.outcome is Outcome.LIVE
    assert "failed, which changes nothing" in live.phase("released").note
