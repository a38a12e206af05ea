"""An environment lives in one cluster, and no flag leads elsewhere."""

from types import SimpleNamespace

import pytest

from nuages.errors import UsageError, WrongCluster
from nuages.release import binding

APP = SimpleNamespace(environment="production", cluster="prod-eu", template="")
FREE = SimpleNamespace(environment="local", cluster=None, template="")


def cluster(identity):
    return SimpleNamespace(identity=identity)


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
