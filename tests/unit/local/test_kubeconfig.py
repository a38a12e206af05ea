"""A user's kubeconfig gets our context, and loses nothing."""

from __future__ import annotations

import pytest
import yaml

from nuages.errors import Refused
from nuages.local.kubeconfig import export, merge, merged

pytestmark = pytest.mark.unit


def config(name: str, server: str, secret: str = "k"):
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "users": [{"name": name, "user": {"client-key-data": secret}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }


OURS = config("nuages-nuages", "https://10.213.0.2:6443")


def test_others_contexts_and_the_current_one_stay():
    theirs = config("work", "https://work.example")
    result = merged(theirs, OURS)
    assert result["current-context"] == "work"
    assert [one["name"] for one in result["contexts"]] == ["work", "nuages-nuages"]
    assert result["users"][0] == theirs["users"][0]


def test_an_empty_kubeconfig_gets_a_current_context():
    assert merged({}, OURS)["current-context"] == "nuages-nuages"


def test_a_new_certificate_of_the_same_server_replaces_the_old_one():
    renewed = merged(config("nuages-nuages", "https://10.213.0.2:6443", "old"), OURS)
    assert [user["user"] for user in renewed["users"]] == [{"client-key-data": "k"}]


def test_a_context_of_that_name_at_another_server_is_refused():
    with pytest.raises(Refused, match=r"work\.example"):
        merged(config("nuages-nuages", "https://work.example"), OURS)


def test_a_user_of_that_name_without_the_cluster_is_refused():
    with pytest.raises(Refused, match="user nuages-nuages"):
        merged({"users": OURS["users"]}, OURS)


def test_merging_writes_a_file_that_only_its_owner_reads(tmp_path):
    source, into = tmp_path / "ours", tmp_path / "kube" / "config"
    source.write_text(yaml.safe_dump(OURS))
    merge(source, into)
    merge(source, into)
    assert yaml.safe_load(into.read_text())["current-context"] == "nuages-nuages"
    assert into.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in into.parent.iterdir()] == ["config"]


def test_merging_leaves_a_file_alone_that_kubectl_is_changing(tmp_path):
    source, into = tmp_path / "ours", tmp_path / "config"
    source.write_text(yaml.safe_dump(OURS))
    (tmp_path / "config.lock").touch()
    with pytest.raises(Refused, match="another program"):
        merge(source, into)
    assert not into.exists()
    assert (tmp_path / "config.lock").exists()


def test_a_file_with_other_contexts_is_not_overwritten(tmp_path):
    source, to = tmp_path / "ours", tmp_path / "theirs"
    source.write_text(yaml.safe_dump(OURS))
    to.write_text(yaml.safe_dump(config("work", "https://work.example")))
    with pytest.raises(Refused, match="other contexts"):
        export(source, to)
