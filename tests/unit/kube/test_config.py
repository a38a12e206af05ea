"""Which cluster is meant: kubeconfig files, merged as kubectl merges them."""

import pytest

from nuages.errors import UsageError
from nuages.kube.config import load
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
    assert (access.context, access.server, access.config.namespace) == ("one", "https://one:6443", "blog")


def test_a_context_of_the_second_file_can_be_asked_for(files):
    access = load(context="two")
    assert (access.server, access.proxy) == ("https://two:6443", "http://proxy:3128")


def test_relative_paths_are_those_of_their_own_file(files):
    assert load().config.cluster.certificate_auth == f"{files}/one/pki/ca.crt"
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
    assert load().config.user.token is None


def test_an_authority_that_cannot_be_read_is_told(files):
    with pytest.raises(UsageError, match="certificate authority cannot be read"):
        assert load().identity
    with pytest.raises(UsageError, match="context one cannot be used"):
        Transport(load())
