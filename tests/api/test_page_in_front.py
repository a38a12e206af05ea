"""The page that a person puts in front, and what else goes on meanwhile, against a real API server."""

from __future__ import annotations

import pytest
from test_beside import BUILD, GREEN, _nobody_answers, counts, key, specs

from nuages.progress import silent
from nuages.release import pausing, records
from nuages.release.deploy import deploy
from nuages.release.plan import objects
from nuages.release.plan.shape import Action

pytestmark = pytest.mark.api
__all__ = ["_nobody_answers", "counts", "specs"]  # fixtures


@pytest.fixture(autouse=True)
def _no_requests(monkeypatch):
    """No pod answers requests here, so none is waited for."""
    monkeypatch.setattr(pausing, "ARRIVES", 0.1)
    monkeypatch.setattr(pausing, "NODES", 0)


async def test_a_release_that_all_requests_reach_gets_them_back_when_the_page_goes(
    specs, namespace, cluster, kubelet, counts
):
    orange, maroon = specs
    await deploy(orange, BUILD, cluster, silent)
    await deploy(maroon, BUILD, cluster, silent, manner=GREEN)
    assert await key(cluster, namespace, "blog-web-main") == "main.green"
    await pausing.on(maroon, None, cluster, silent)
    assert await key(cluster, namespace, "blog-web-main") == "maintenance.hand"
    assert await key(cluster, namespace, "blog-web-main-behind") == "main.green"  # whom the page lets past
    await pausing.off(maroon, cluster, silent)
    assert await key(cluster, namespace, "blog-web-main") == "main.green"
    assert await key(cluster, namespace, "blog-web-main-green") == "main.green"
    left = [item["metadata"]["name"] for item in (await cluster.list("Service", namespace)).items]
    assert not [name for name in left if name.endswith("-behind")]


async def test_the_page_is_no_change_of_a_release(specs, namespace, cluster, kubelet):
    orange, _ = specs
    await deploy(orange, BUILD, cluster, silent)
    await pausing.on(orange, None, cluster, silent)
    (serving,) = await records.history(cluster, namespace, "blog", "local")
    found = await objects.look(serving.manifest, orange.instance, cluster, str, namespace=True)
    assert [each.change.name for each in found if each.change.action is not Action.SAME] == []
