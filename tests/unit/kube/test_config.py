"""Which cluster is meant: kubeconfig files, merged as kubectl merges them."""

import subprocess
from base64 import b64encode

import httpx2
import pytest

from nuages.errors import UsageError
from nuages.kube import config, tls
from nuages.kube.config import load
from nuages.kube.glance import NotSeen, glance
from nuages.kube.signing import signing
from nuages.kube.transport import Transport

ONE = """
current-context: one
clusters: [{name: one, cluster: {server: "https://one:6443", certificate-authority: pki/ca.crt}}]
users: [{name: one, user: {token: t0ken-of-one}}]
contexts: [{name: one, context: {cluster: one, user: one, namespace: blog}}]
"""
TWO = """
current-context: two
clusters:
- {name: one, cluster: {server: "https://other:6443"}}
- {name: two, cluster: {server: "https://two:6443", proxy-url: "http://proxy:3128"}}
users: [{name: two, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login}}}]
contexts:
- {name: two, context: {cluster: two, user: two}}
- {name: broken, context: {cluster: three, user: two}}
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Two kubeconfig files in two folders, both named in KUBECONFIG."""
    for name, text in (("one", ONE), ("two", TWO)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config").write_text(text)
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/one/config:{tmp_path}/absent:{tmp_path}/two/config")
    return tmp_path


def test_of_several_files_the_first_to_name_a_thing_wins(files):
    access = load()
    assert (access.context, access.server, access.namespace) == ("one", "https://one:6443", "blog")


def test_a_context_of_the_second_file_can_be_asked_for(files):
    access = load(context="two")
    assert (access.server, access.proxy) == ("https://two:6443", "http://proxy:3128")


def test_relative_paths_are_those_of_their_own_file(files):
    assert load().cluster["certificate-authority"] == f"{files}/one/pki/ca.crt"
    assert load(context="two").exec["command"] == f"{files}/two/bin/login"


def test_a_file_that_is_given_is_the_only_one(files):
    with pytest.raises(UsageError, match="no context one"):
        load(files / "two" / "config", "one")


def test_a_cluster_is_known_by_its_authority_whatever_its_address(files):
    (files / "one" / "pki").mkdir()
    (files / "one" / "pki" / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
    before = load().identity
    moved = ONE.replace("https://one:6443", "https://10.0.0.1:443")
    (files / "one" / "config").write_text(moved)
    assert load().identity == before
    assert load(context="two").identity != before


@pytest.mark.parametrize(("context", "message"), [("four", "there are: one, two, broken"), ("broken", "is incomplete")])
def test_a_context_that_leads_nowhere_is_told(files, context, message):
    with pytest.raises(UsageError) as refused:
        load(context=context)
    assert message in f"{refused.value.message} {refused.value.hint}"


def test_no_file_at_all_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    with pytest.raises(UsageError) as refused:
        load()
    assert "nuages cluster up" in refused.value.hint


def test_a_file_that_cannot_be_read_never_quotes_what_is_in_it(tmp_path):
    (tmp_path / "config").write_text("users: [{token: t0ken}\n  : {")
    with pytest.raises(UsageError) as refused:
        load(tmp_path / "config")
    assert "t0ken" not in str(refused.value)


def test_a_context_without_a_user_is_one_without_credentials(files):
    (files / "one" / "config").write_text(ONE.replace(", user: one, ", ", "))
    assert load().user == {}


def test_an_authority_that_cannot_be_read_is_told(files):
    with pytest.raises(UsageError, match="certificate authority cannot be read"):
        assert load().identity
    with pytest.raises(UsageError, match="certificate authority cannot be read"):
        Transport(load())


def test_a_certificate_in_the_kubeconfig_is_shown_and_lies_in_no_file(files, tmp_path):
    openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    paths = ["-keyout", f"{tmp_path}/key", "-out", f"{tmp_path}/cert", "-days", "2", "-subj", "/CN=somebody"]
    subprocess.run([*openssl, *paths], check=True, capture_output=True)
    data = {
        f"client-{name}-data": b64encode((tmp_path / file).read_bytes()).decode()
        for name, file in (("certificate", "cert"), ("key", "key"))
    }
    access = load()._replace(
        cluster={"server": "https://one:6443", "certificate-authority": f"{tmp_path}/cert"}, user=data
    )
    assert len(tls.context(access).get_ca_certs()) == 1
    with pytest.raises(UsageError, match="context one cannot be used"):
        tls.context(access._replace(user=data | {"client-key-data": b64encode(b"none").decode()}))


async def test_a_token_in_a_file_is_read_again_when_it_is_refused(files, tmp_path):
    (tmp_path / "token").write_text("first\n")
    auth = signing(load()._replace(user={"tokenFile": f"{tmp_path}/token", "token": "older"}))
    flow = auth.async_auth_flow(httpx2.Request("GET", "https://one:6443/"))
    assert (await anext(flow)).headers["Authorization"] == "Bearer first"
    (tmp_path / "token").write_text("second\n")
    assert (await flow.asend(httpx2.Response(401))).headers["Authorization"] == "Bearer second"
    with pytest.raises(StopAsyncIteration):
        await flow.asend(httpx2.Response(200))


def test_who_we_are_is_said_as_the_kubeconfig_says_it(files):
    access = load()
    for user, sent in (
        ({"token": "t0ken"}, "Bearer t0ken"),
        ({"username": "ann", "password": "secret"}, "Basic YW5uOnNlY3JldA=="),
    ):
        auth = signing(access._replace(user=user))
        assert next(auth.auth_flow(httpx2.Request("GET", "https://one/"))).headers["Authorization"] == sent
    assert signing(access._replace(user={})) is None
    with pytest.raises(UsageError, match="auth-provider"):
        signing(access._replace(user={"auth-provider": {"name": "gcp"}}))


def test_a_pod_uses_its_own_account(tmp_path, monkeypatch):
    for name, text in (("token", "t0ken"), ("namespace", "blog"), ("ca.crt", "-----BEGIN CERTIFICATE-----\n")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(config, "IN_CLUSTER", tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    access = load()
    assert (access.server, access.namespace) == ("https://[fd00::1]:443", "blog")
    assert access.user == {"tokenFile": f"{tmp_path}/token"}


@pytest.mark.parametrize("field", [{"as": "jane"}, {"as-groups": ["readers"]}])
def test_who_is_to_act_as_somebody_else_does_not_act_with_more_rights(files, field):
    access = load()
    acting = access._replace(user=access.user | field)
    with pytest.raises(UsageError, match="acts as"):
        signing(acting)
    with pytest.raises(NotSeen), glance(acting, [("/api", {})]):
        pass
