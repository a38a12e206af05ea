"""What a node is told, as values."""

from __future__ import annotations

import tomllib
from pathlib import Path, PurePosixPath

import pytest

from nuages.local import components, nodefiles
from nuages.local.network import Network, ruleset
from nuages.local.node import configuration, plane, resolver
from nuages.local.places import Places

pytestmark = pytest.mark.unit
CABLE = Network(7)


def node():
    return plane("nuages-x", CABLE)


def test_containerd_does_not_lower_oom_scores_and_uses_its_own_cni_folder():
    config = tomllib.loads(nodefiles.containerd(node()))["plugins"]["io.containerd.grpc.v1.cri"]
    assert config["restrict_oom_score_adj"] is True
    assert config["cni"] == {"bin_dir": "/usr/lib/cni", "conf_dir": "/var/lib/nuages/cni"}


def test_the_kubelet_runs_on_cgroups_of_version_1_and_below_the_cluster_s_own_group():
    config = nodefiles.kubelet(node(), "/nuages-x")
    assert config["failCgroupV1"] is False
    assert config["cgroupRoot"] == "/nuages-x"


def test_every_kind_of_command_line_names_only_files_below_the_folders_that_the_node_sees():
    config = configuration(node(), CABLE, Places(Path("/var/lib/nuages/clusters/x")), Path("/cache/bin"))
    for component in config.components:
        for argument in component.argv[1:]:
            assert "clusters" not in argument
            assert "/cache" not in argument


def test_what_a_component_needs_is_started_too():
    config = configuration(node(), CABLE, Places(Path("/state")), Path("/cache/bin"))
    names = {component.name for component in config.components}
    assert all(need in names for component in config.components for need in component.needs)


def test_the_pool_of_load_balancers_does_not_hold_the_machine_s_and_the_node_s_address():
    assert (CABLE.host, CABLE.node) == ("10.213.7.1", "10.213.7.2")
    assert CABLE.pool == "10.213.7.128-10.213.7.254"
    assert "nuages7" in ruleset(CABLE, "nuages-x")


def test_what_another_machine_begins_does_not_reach_the_node():
    assert 'oifname "nuages7" ct state new drop' in ruleset(CABLE, "nuages-x")


def test_the_address_of_a_service_never_leaves_the_node():
    assert 'iifname "nuages7" ip daddr 10.96.0.0/16 reject' in ruleset(CABLE, "nuages-x")


def test_an_api_server_on_loopback_has_no_endpoint_and_a_certificate_all_the_same():
    alone = components.Plane(
        node="nuages-x",
        address="127.0.0.1",
        bind="127.0.0.1",
        bin=PurePosixPath("/b"),
        etc=PurePosixPath("/e"),
        etcd_data=PurePosixPath("/d"),
    )
    assert "--endpoint-reconciler-type=none" in components.api_server(alone).argv
    init, cluster = nodefiles.kubeadm(alone, "x", Path("/e/pki"))
    assert init["localAPIEndpoint"]["advertiseAddress"] != "127.0.0.1"
    assert "127.0.0.1" in cluster["apiServer"]["certSANs"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("nameserver 192.0.2.53\nsearch a.example\n", "nameserver 192.0.2.53\nsearch a.example\n"),
        ("nameserver 127.0.0.53\n", "nameserver 10.213.7.1\n"),
        ("nameserver ::1\nnameserver 192.0.2.53\n", "nameserver 192.0.2.53\n"),
    ],
)
def test_name_servers_on_the_machine_s_loopback_are_not_for_the_node(host, expected):
    assert nodefiles.resolv_conf(host, CABLE.host) == expected


def test_behind_systemd_resolved_the_node_asks_the_name_servers_that_it_asks(tmp_path):
    etc, behind = tmp_path / "etc", tmp_path / "behind"
    assert resolver(etc, behind) == ""
    etc.write_text("nameserver 127.0.0.53\n")
    assert resolver(etc, behind) == etc.read_text()
    behind.write_text("nameserver 192.0.2.53\n")
    assert resolver(etc, behind) == behind.read_text()
    etc.write_text("nameserver 198.51.100.1\n")
    assert resolver(etc, behind) == etc.read_text()
