"""What something that stays needs is not pruned, against a real API server with its controllers."""

from __future__ import annotations

import pytest
from test_release import BUILD, _nobody_answers, blog

from nuages.progress import silent
from nuages.release.deploy import deploy

pytestmark = pytest.mark.api
__all__ = ["_nobody_answers"]  # a fixture


async def test_the_configuration_of_what_is_left_beside_stays_as_long_as_it_does(namespace, cluster, kubelet, tmp_path):
    await deploy(blog(namespace, tmp_path), BUILD, cluster, silent)
    web = await cluster.get("Deployment", namespace, "blog-web-main")
    left = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "left", "namespace": namespace, "labels": web["metadata"]["labels"]},
        "spec": web["spec"],
    }
    await cluster.create(left)
    before = await configured(cluster, namespace)
    await deploy(blog(namespace, tmp_path, orange="maroon"), BUILD, cluster, silent)
    assert before < await configured(cluster, namespace)
    await cluster.delete("Deployment", namespace, "left")
    await deploy(blog(namespace, tmp_path, orange="teal"), BUILD, cluster, silent)
    assert not before & await configured(cluster, namespace)


async def configured(cluster, namespace):
    """The ConfigMaps that pods have as variables."""
    labels = {"app.kubernetes.io/component": "config"}
    return {item["metadata"]["name"] for item in (await cluster.list("ConfigMap", namespace, labels=labels)).items}
