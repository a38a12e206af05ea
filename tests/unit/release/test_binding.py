"""An environment lives in one cluster, and no flag leads elsewhere."""

import json
from types import SimpleNamespace

import pytest

from nuages.errors import Refused, UsageError, WrongCluster
from nuages.kube.config import load
from nuages.release import binding

APP = SimpleNamespace(environment="production", cluster="prod-eu", template="")
FREE = SimpleNamespace(environment="local", cluster=None, template="")


STAGING = SimpleNamespace(environment="staging", cluster=None, template="")


def cluster(identity):
    return SimpleNamespace(identity=identity, context="staging-eu")


def test_the_context_is_the_one_the_spec_names_whatever_is_asked_for():
    assert binding.context(APP, None) == "prod-eu"
    assert binding.context(APP, "prod-eu") == "prod-eu"
    with pytest.raises(WrongCluster, match="lives in cluster prod-eu, not in staging"):
        binding.context(APP, "staging")
    assert binding.context(FREE, "kind-dev") == "kind-dev"


def test_looking_binds_nothing_and_a_deploy_binds_once(tmp_path):
    binding.check(APP, cluster("one"), tmp_path)
    assert not (tmp_path / binding.FILE).exists()
    binding.bind(APP, cluster("one"), tmp_path)
    binding.bind(APP, cluster("two"), tmp_path)
    binding.check(APP, cluster("one"), tmp_path)
    with pytest.raises(WrongCluster, match="another cluster than the one where environment production lives"):
        binding.check(APP, cluster("two"), tmp_path)


def test_an_environment_that_names_no_cluster_is_bound_to_none(tmp_path):
    binding.bind(FREE, cluster("one"), tmp_path)
    assert not (tmp_path / binding.FILE).exists()


def test_a_binding_that_cannot_be_read_is_not_written_over(tmp_path):
    (tmp_path / binding.FILE).parent.mkdir()
    (tmp_path / binding.FILE).write_text("{")
    with pytest.raises(UsageError, match="not readable"):
        binding.bind(APP, cluster("one"), tmp_path)


@pytest.fixture
def kubeconfig(tmp_path, monkeypatch):
    """Two contexts that lead to one cluster, and one that leads to another."""
    servers = {
        "prod-eu": "https://one.example.com",
        "same": "https://one.example.com",
        "other": "https://two.example.com",
    }
    found = {
        "clusters": [{"name": name, "cluster": {"server": server}} for name, server in servers.items()],
        "contexts": [{"name": name, "context": {"cluster": name}} for name in servers],
    }
    file = tmp_path / "config"
    file.write_text(json.dumps(found))
    monkeypatch.setenv("KUBECONFIG", str(file))
    return lambda context: load(context=context)


def test_data_comes_from_no_other_cluster_though_nothing_is_bound_yet(tmp_path, kubeconfig):
    """One of the same name there may have another database."""
    binding.together(APP, STAGING, kubeconfig("same"), tmp_path)
    with pytest.raises(Refused) as caught:
        binding.together(APP, STAGING, kubeconfig("other"), tmp_path)
    (finding,) = caught.value.findings
    assert (finding.id, finding.place.path) == ("release.E486", "environments.production.cluster")
    assert finding.message == "production lives in cluster prod-eu, and staging in other"
    binding.together(FREE, STAGING, kubeconfig("other"), tmp_path)
    away = SimpleNamespace(environment="production", cluster="not-here", template="")
    with pytest.raises(UsageError, match="no context not-here"):
        binding.together(away, STAGING, kubeconfig("other"), tmp_path)


def test_where_it_is_bound_that_counts_whatever_a_context_is_called_here(tmp_path, kubeconfig):
    binding.bind(APP, cluster("one"), tmp_path)
    binding.together(APP, STAGING, cluster("one"), tmp_path)
    with pytest.raises(Refused):
        binding.together(APP, STAGING, kubeconfig("prod-eu"), tmp_path)
