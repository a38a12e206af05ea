"""What people have in kubeconfigs, and what answers where an API server should: one line, a hint, and no traceback."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
from pathlib import Path

import pytest

from nuages.errors import ClusterError, Forbidden, NuagesError, Rejected, Unreachable, UsageError
from nuages.kube import transport
from nuages.kube.client import Cluster
from nuages.kube.failures import Asked, failure

from .test_transport import answering

V1 = "client.authentication.k8s.io/v1"
ASKED = Asked("get", "ConfigMap", "a", "b")


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """A busy machine is no server that is not there."""
    monkeypatch.setattr(transport, "PATIENCE", 60.0)


def text(user: str = "token: S3CRET", server: str = "https://127.0.0.1:1", more: str = "") -> str:
    """A kubeconfig with one context."""
    return (
        f'current-context: here\nclusters: [{{name: c, cluster: {{server: "{server}"{more}}}}}]\n'
        f"users: [{{name: u, user: {{{user}}}}}]\ncontexts: [{{name: here, context: {{cluster: c, user: u}}}}]\n"
    )


def plugin(script: str) -> str:
    """An exec plugin that is a line of shell."""
    return f"exec: {{apiVersion: {V1}, command: sh, args: [-c, {json.dumps(script)}]}}"


async def asked(folder: Path, kubeconfig: str) -> None:
    """Read it, and ask the cluster it names."""
    (folder / "config").write_text(kubeconfig)
    async with Cluster.connect(folder / "config") as cluster:
        await cluster.version()


@pytest.mark.parametrize(
    ("kubeconfig", "message"),
    [
        ("", "no current context"),
        ("[1, 2]", "is not a kubeconfig"),
        ("current-context: here\nclusters: {a: b}", "clusters is no list of a name and a cluster each"),
        ("current-context: here\nclusters: [a]", "clusters is no list"),
        ("current-context: here\nusers: [{user: {token: S3CRET}}]", "users is no list"),
        ("current-context: here\ncontexts: [{name: here, context: oops}]", "contexts is no list"),
        (text(server="127.0.0.1:6443"), "its server is no address: 127.0.0.1:6443"),
        (text(server="https://[::1:6443"), "its server is no address"),
        (text(server="https://a:99999"), "its server is no address"),
        (text(more=", certificate-authority-data: abc"), "its authority is no base64"),
        (text(more=", certificate-authority-data: aGVsbG8="), "its authority is no PEM"),
        (text(more=", certificate-authority: /nowhere/ca.crt"), "/nowhere/ca.crt"),
        (text(more=', proxy-url: "socks5://me:S3CRET@127.0.0.1:1"'), "its proxy is none of"),
        (text(more=', proxy-url: "ftp://me:S3CRET@127.0.0.1:1"'), "its proxy is none of"),
        (text("client-certificate: /nowhere/c.crt, client-key: /nowhere/c.key"), "/nowhere/c.crt"),
        (text("client-certificate-data: aGVsbG8="), "its certificate or key is no PEM"),
        (text('token: "S3CRET\\nand more"'), "characters that no token has"),
        (text('token: "S3CRETé"'), "characters that no token has"),
        (text("tokenFile: /nowhere/token"), "/nowhere/token"),
        (text(f"exec: {{apiVersion: {V1}}}"), "names no command"),
        (text(plugin("echo '{\"status\": null}'")), "did not answer with an ExecCredential"),
        (text(plugin("echo '{\"status\": [1]}'")), "did not answer with an ExecCredential"),
        (text(plugin('echo \'{"status": {"token": "a", "expirationTimestamp": "soon"}}\'')), "that is no time"),
        (text(plugin('echo \'{"status": {"token": "S3CRET\\\\nb"}}\'')), "characters that no token has"),
        (text(plugin("echo 'Token has expired and refresh failed\n)' >&2; exit 255")), "255: Token has expired"),
    ],
)
async def test_an_odd_kubeconfig_is_told_in_one_line(tmp_path, monkeypatch, kubeconfig, message):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with pytest.raises(NuagesError) as refused:
        await asked(tmp_path, kubeconfig)
    assert isinstance(refused.value, UsageError)
    assert message in refused.value.message
    assert refused.value.hint
    assert "\n" not in refused.value.message
    assert "S3CRET" not in f"{refused.value.message} {refused.value.hint} {refused.value.detail}"


async def test_a_plugin_that_may_not_be_executed_is_told(tmp_path):
    (tmp_path / "login").write_text("no program")
    with pytest.raises(UsageError, match="cannot be started"):
        await asked(tmp_path, text(f"exec: {{apiVersion: {V1}, command: ./login}}", server="http://127.0.0.1:1"))


@pytest.mark.parametrize("body", [b"<html><title>Sign in</title></html>", b"{}"])
async def test_a_success_that_is_none_of_an_api_server_is_told(tmp_path, body):
    page = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with answering(page) as (url, _):
        with pytest.raises(Rejected, match="no API server") as refused:
            await asked(tmp_path, text("token: t0ken", server=url))
    assert "Sign in" not in refused.value.message
    assert "log in" in refused.value.hint


@pytest.mark.parametrize(
    ("code", "body", "kind", "hint"),
    [
        (302, b"", Rejected, "a page to log in"),
        (403, b"<html>blocked</html>", Rejected, "a proxy"),
        (407, b"<html>who are you?</html>", Rejected, "a proxy"),
        (400, b"Client sent an HTTP request to an HTTPS server.\n", Rejected, "speaks https"),
        (502, b"<html>Bad gateway</html>", Unreachable, "a load balancer"),
        (503, b"\n<html>down</html>", Unreachable, "a load balancer"),
        (429, b"Too many requests, please try again later.\n", Unreachable, ""),
        (503, b"service unavailable", Unreachable, ""),
    ],
)
def test_what_no_api_server_says_is_told_as_such(code, body, kind, hint):
    error = failure(code, body, ASKED)
    assert isinstance(error, kind)
    assert hint in error.hint
    assert bool(hint) == bool(error.hint)
    assert "<" not in f"{error.message} {error.detail}"


def status(code: int, message: str) -> ClusterError:
    """The error of an answer as the API server forms it."""
    return failure(code, json.dumps({"kind": "Status", "code": code, "message": message}).encode(), ASKED)


def test_who_is_nobody_is_not_asked_for_a_role():
    error = status(
        403, 'configmaps "a" is forbidden: User "system:anonymous" cannot get resource "configmaps" in API group ""'
    )
    assert isinstance(error, Forbidden)
    assert "does not know who we are" in error.message
    assert "log in" in error.hint


def test_a_policys_reasons_stand_behind_the_line():
    error = status(
        400,
        'admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource ConfigMap/b/a was blocked '
        "due to the following policies \n\nrequire-labels:\n  check-team: 'label team is required'",
    )
    assert error.message.endswith("denied the request")
    assert error.detail.splitlines()[-1] == "  check-team: 'label team is required'"


def certificate(folder: Path, name: str, alternative: str) -> Path:
    """A certificate that vouches for itself; its key lies beside it."""
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    paths = ["-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt", "-days", "2", "-subj", f"/CN={name}"]
    subprocess.run([*made, *paths, "-addext", f"subjectAltName={alternative}"], check=True, capture_output=True)
    return folder / f"{name}.crt"


@pytest.mark.parametrize(
    ("alternative", "own", "hint"),
    [("IP:127.0.0.1", False, "another certificate authority"), ("DNS:elsewhere", True, "has other names")],
)
async def test_what_is_wrong_with_a_servers_certificate_is_told(tmp_path, alternative, own, hint):
    shown, other = certificate(tmp_path, "shown", alternative), certificate(tmp_path, "other", "DNS:other")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(shown, shown.with_suffix(".key"))
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(Unreachable, match="does not prove that it is the right server") as refused:
            await asked(tmp_path, text(server=url, more=f", certificate-authority: {shown if own else other}"))
    assert hint in refused.value.hint
