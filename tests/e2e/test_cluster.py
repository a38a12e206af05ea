"""The local cluster's own promises, on a cluster of its own beside the one that the other tests use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from nuages.errors import UsageError
from nuages.host.process import children, process
from nuages.local import cluster as local
from nuages.local.info import read, write

pytestmark = [pytest.mark.e2e, pytest.mark.alone]
NAME = "test-node"


@pytest.fixture(scope="module")
def before():
    local.down(NAME)
    return footprint()


@pytest.fixture(scope="module")
def node(before):
    """A node that was started by a command which is gone, as a user's would be."""
    subprocess.run(
        [sys.executable, "-m", "nuages", "cluster", "up", "--name", NAME, "--provider", "nuages"], check=True
    )
    yield local.running(NAME)
    local.down(NAME)


def footprint() -> set[str]:
    """What a node could leave on this machine: mounts, folders, cgroups, interfaces, namespaces, firewall rules."""
    lines = [f"mount {line.split()[1]}" for line in Path("/proc/self/mounts").read_text().splitlines()]
    lines += [
        f"folder {path}" for base in ("/run", "/var/lib", "/var/log", "/etc/cni", "/opt") for path in _below(base)
    ]
    lines += [f"cgroup {path}" for path in Path("/sys/fs/cgroup").glob(f"*/nuages-{NAME}*")]
    lines += [f"cgroup {path}" for path in Path("/sys/fs/cgroup").glob(f"nuages-{NAME}*")]
    for command in (
        ["ip", "-o", "link"],
        ["ip", "route"],
        ["ip", "netns"],
        ["nft", "list", "tables"],
        ["iptables-save"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        lines += [f"{command[0]} {line}" for line in done.stdout.splitlines() if not line.startswith("#")]
    return {line for line in lines if not _of_another_cluster(line)}


def _below(folder: str) -> list[Path]:
    return [*Path(folder).glob("*")] if Path(folder).exists() else []


def _of_another_cluster(line: str) -> bool:
    """Other tests' clusters and image builds may come and go meanwhile."""
    return "containers/storage" in line or "/var/tmp" in line or ("nuages" in line and f"nuages-{NAME}" not in line)


def kubectl(*arguments: str) -> str:
    info = local.running(NAME)
    return subprocess.run([*info.kubectl, *arguments], capture_output=True, text=True, check=True).stdout


def eventually(condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)
    return result


def supervised(name: str):
    return next((one for one in local.status(NAME).components if one.name == name and one.pid), None)


def test_the_node_outlives_the_command_that_started_it(node):
    eventually(lambda: local.status(NAME).healthy)
    assert os.getsid(node.process.pid) != os.getsid(0)


def test_up_again_leaves_a_healthy_cluster_as_it_is(node):
    again = local.up(NAME)
    assert again.process == node.process
    assert again.hostports == node.hostports


def test_a_shared_volume_is_bound(node):
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "shared"},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    subprocess.run([*node.kubectl, "apply", "-f", "-"], input=json.dumps(claim), text=True, check=True)
    kubectl("wait", "pvc/shared", "--for=jsonpath={.status.phase}=Bound", "--timeout=300s")
    kubectl("delete", "pvc", "shared")


@pytest.mark.parametrize("name", ["kube-scheduler", "containerd", "kubelet", "etcd", "kube-apiserver"])
def test_a_killed_component_comes_back_by_itself(node, name):
    killed = supervised(name)
    process(killed.pid).kill()
    eventually(lambda: (now := supervised(name)) and now.pid != killed.pid and now.ready)
    eventually(lambda: local.status(NAME).healthy)
    eventually(lambda: subprocess.run([*node.kubectl, "get", "--raw", "/readyz"], check=False).returncode == 0)


def test_up_brings_back_the_process_that_forwards_ports(node):
    local.running(NAME).hostports.kill()
    assert not local.status(NAME).healthy
    assert local.up(NAME).hostports.alive()


def test_up_after_a_crash_of_the_whole_node_keeps_its_objects(node):
    kubectl("create", "configmap", "kept", "--from-literal=word=still here")
    crashed = local.running(NAME)
    inside = children(crashed.process.pid)
    crashed.process.kill()
    assert not any(one.alive() for one in inside)
    assert not local.status(NAME).running

    healed = local.up(NAME)
    assert healed.server == node.server
    eventually(lambda: local.status(NAME).healthy)
    assert kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.word}") == "still here"
    kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=300s")


def test_up_after_one_that_was_stopped_half_way_starts_the_node_afresh(node):
    half = write(msgspec.structs.replace(local.running(NAME), complete=False))
    healed = local.up(NAME)
    assert not half.process.alive()
    assert healed.complete
    assert read(NAME).complete
    eventually(lambda: local.status(NAME).healthy)


def test_two_ups_at_the_same_time_make_one_cluster(node):
    with ThreadPoolExecutor() as pool:
        one, other = pool.map(lambda _: local.up(NAME), range(2))
    assert one.process == other.process


def test_a_cluster_with_a_node_is_not_turned_into_one_without(node):
    with pytest.raises(UsageError, match="exists already"):
        local.up(NAME, api_only=True)


def test_the_ingress_controller_answers_on_this_machine(node):
    info = local.up(NAME, addons={"traefik"})
    with pytest.raises(urllib.error.HTTPError, match="404"):
        eventually(lambda: _get(f"http://127.0.0.1:{info.http_port}/", "nobody.localhost"))


def _get(url: str, host: str) -> bool:
    """Whether it answers at all; an answer that is an error is raised."""
    try:
        urllib.request.urlopen(urllib.request.Request(url, headers={"Host": host}), timeout=30)
    except urllib.error.HTTPError:
        raise
    except OSError:
        return False
    return True


def test_down_leaves_nothing_and_the_neighbour_alone(node, before):
    beside = [name for name in ("test", "nuages") if (info := read(name)) and info.running]
    info = local.running(NAME)
    inside = children(info.process.pid)
    assert local.down(NAME)

    assert not any(one.alive() for one in [*inside, info.process, info.hostports])
    assert not info.kubeconfig.exists()
    end = time.monotonic() + 60  # of what other tests started last
    while (left := footprint() - before) and time.monotonic() < end:
        time.sleep(1)
    assert left == set()
    assert all(local.status(name).running for name in beside)
    assert not local.down(NAME)
