"""Exec plugins are run as seldom as their tokens allow."""

import asyncio
import json
import os
import signal
import stat
import time
from datetime import UTC, datetime

import httpx2
import pytest

from nuages.errors import MissingTool, UsageError
from nuages.kube import credentials
from nuages.kube.credentials import ExecPlugin, credential

V1 = "client.authentication.k8s.io/v1"


@pytest.fixture
def plugin(tmp_path):
    """Makes a plugin that counts its runs, answers token-1, token-2, ... and keeps what it was told."""

    def make(lasts: float = 3600, **entry: object) -> ExecPlugin:
        until = datetime.fromtimestamp(time.time() + lasts, UTC).isoformat()
        program = tmp_path / "login"
        program.write_text(
            f"#!/bin/sh\necho run >> {tmp_path}/runs\n"
            f'echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/info\n'
            f"n=$(wc -l < {tmp_path}/runs)\n"
            f'echo \'{{"status":{{"expirationTimestamp":"{until}","token":"token-\'$n\'"}}}}\'\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return ExecPlugin({"apiVersion": V1, "command": str(program), **entry}, {"server": "https://one:6443"})

    return make


async def signed(auth: ExecPlugin, refuse: str = "") -> list[str]:
    """Play a server that refuses one token; what was sent to it."""
    sent = []
    flow = auth.async_auth_flow(httpx2.Request("GET", "https://one:6443/"))
    request = await anext(flow)
    while True:
        sent.append(request.headers["Authorization"])
        code = 401 if request.headers["Authorization"] == f"Bearer {refuse}" else 200
        try:
            request = await flow.asend(httpx2.Response(code))
        except StopAsyncIteration:
            return sent


async def test_a_token_is_used_until_it_expires(plugin):
    auth = plugin()
    assert await signed(auth) == ["Bearer token-1"]
    assert await signed(auth) == ["Bearer token-1"]


async def test_a_token_about_to_expire_is_renewed(plugin):
    auth = plugin(lasts=5)
    await signed(auth)
    assert await signed(auth) == ["Bearer token-2"]


async def test_a_refused_token_is_renewed_once(plugin):
    auth = plugin()
    assert await signed(auth, refuse="token-1") == ["Bearer token-1", "Bearer token-2"]


async def test_a_plugin_that_asks_for_it_is_told_the_cluster(plugin, tmp_path):
    await signed(plugin(provideClusterInfo=True))
    told = json.loads((tmp_path / "info").read_text())
    assert told["apiVersion"] == V1
    assert told["spec"] == {"interactive": False, "cluster": {"server": "https://one:6443"}}


async def test_a_plugin_that_is_not_installed_says_how_to_get_it():
    auth = ExecPlugin({"apiVersion": V1, "command": "/nowhere/login", "installHint": "brew install login"}, {})
    with pytest.raises(MissingTool) as missing:
        await signed(auth)
    assert missing.value.hint == "brew install login"


async def test_a_plugin_that_fails_is_quoted_with_its_last_line_only():
    command = ["sh", "-c", "echo secret; echo not logged in >&2; exit 3"]
    auth = ExecPlugin({"apiVersion": V1, "command": command[0], "args": command[1:]}, {})
    with pytest.raises(UsageError, match="ended with 3: not logged in"):
        await signed(auth)


def test_an_old_protocol_is_refused():
    with pytest.raises(UsageError, match="v1alpha1"):
        ExecPlugin({"apiVersion": "client.authentication.k8s.io/v1alpha1", "command": "login"}, {})


@pytest.mark.parametrize("output", [b"", b"[]", b"{}", b'{"status": {}}', b"not json t0ken"])
def test_an_answer_that_is_none_is_refused_without_quoting_it(output):
    with pytest.raises(UsageError) as refused:
        credential(output, "login")
    assert "t0ken" not in str(refused.value)


async def test_a_plugin_that_does_not_answer_is_given_up_also_where_what_it_started_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(credentials, "_PATIENCE", 0.5)
    script = tmp_path / "login"
    script.write_text("#!/bin/sh\nsleep 60 & echo $! > $0.pid; wait\n")
    script.chmod(0o700)
    auth = ExecPlugin({"apiVersion": V1, "command": str(script)}, {})
    try:
        with pytest.raises(UsageError, match="gave no answer"):
            await asyncio.wait_for(signed(auth), 30)
    finally:
        os.kill(int((tmp_path / "login.pid").read_text()), signal.SIGKILL)
