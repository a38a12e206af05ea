"""One real API server for all of these tests (etcd, kube-apiserver, kube-controller-manager), one namespace for each.

No kubelet: pods stay as they are made, but where a test has its part played (`kubelet`), or writes their status.
"""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest
from eventually import eventually
from kubelet import Kubelet

from nuages.kube.client import Cluster
from nuages.local.cluster import up


@pytest.fixture(scope="session")
def kubeconfig() -> Path:
    """That of the cluster `test-api`, as scripts/test started it; started here where a single test is run by hand."""
    return up("test-api", api_only=True).kubeconfig


@pytest.fixture
async def cluster(kubeconfig):
    """A connection to it."""
    async with Cluster.connect(kubeconfig) as connected:
        yield connected


@pytest.fixture
async def namespace(cluster):
    """A namespace of this test's own, with what controllers put into each: before, pods are refused."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    await eventually(lambda: cluster.get("ServiceAccount", name, "default"))
    await eventually(lambda: cluster.get("ConfigMap", name, "kube-root-ca.crt"))
    yield name
    await cluster.delete("Namespace", None, name)


@pytest.fixture
async def kubelet(cluster, namespace):
    """Play the kubelet as far as a release looks: each pod that controllers make is ready, or done, at once.

    `kubelet.crash` holds the components whose pods fail instead.
    """
    player = Kubelet(cluster, namespace)
    task = asyncio.create_task(player.play())
    yield player
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
