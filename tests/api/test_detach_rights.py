"""A Job drives a release whose spec gives rights and sets limits, and can do neither itself."""

from __future__ import annotations

import pytest
from test_detach import IMAGE, as_account, place
from test_release import BUILD, _nobody_answers, blog

from nuages.errors import Forbidden, RolledBack
from nuages.progress import silent
from nuages.release.deploy import deploy
from nuages.release.driver.detach import detach
from nuages.release.driver.driven import drive_on
from nuages.release.record import Outcome

pytestmark = pytest.mark.api
__all__ = ["_nobody_answers"]  # a fixture
ENDS = "\nenvironments:"
GIVEN = f"\naccess: {{viewers: [readers]}}\nlimits: {{pods: 40}}{ENDS}"
FEWER = f"\naccess: {{viewers: [readers, auditors]}}{ENDS}"


async def test_rights_and_limits_are_given_by_who_hands_over_and_taken_with_the_release(
    namespace, cluster, kubeconfig, kubelet, tmp_path
):
    async def driven(app, number):
        await detach(app, BUILD, cluster, silent, image=IMAGE)
        async with as_account(cluster, kubeconfig, namespace, f"blog-driver-{number}", tmp_path) as driver:
            role = await driver.get("Role", namespace, "blog-viewer")
            with pytest.raises(Forbidden):
                await driver.apply({**role, "metadata": {"name": "blog-viewer", "namespace": namespace}})
            return await drive_on(place(app), number, driver, silent, returns=True)

    assert (await driven(blog(namespace, tmp_path, **{ENDS: GIVEN}), 1)).outcome is Outcome.LIVE
    assert await cluster.get("ResourceQuota", namespace, "blog")
    # The limits go with the second, by the Job; one more group is let in, by who hands over.
    fewer = blog(namespace, tmp_path, **{ENDS: FEWER})
    assert (await driven(fewer, 2)).outcome is Outcome.LIVE
    assert await cluster.get("ResourceQuota", namespace, "blog") is None
    assert await _readers(cluster, namespace) == ["readers", "auditors"]


async def test_on_the_way_back_rights_that_a_job_can_not_give_stay_as_they_are(
    namespace, cluster, kubeconfig, kubelet, tmp_path
):
    await deploy(blog(namespace, tmp_path, **{ENDS: GIVEN}), BUILD, cluster, silent)
    kubelet.crash.add("web")
    wanted = blog(namespace, tmp_path, **{ENDS: FEWER, "orange": "maroon"})
    await detach(wanted, BUILD, cluster, silent, image=IMAGE)
    async with as_account(cluster, kubeconfig, namespace, "blog-driver-2", tmp_path) as driver:
        with pytest.raises(RolledBack):
            await drive_on(place(wanted), 2, driver, silent, returns=True)
    assert await _readers(cluster, namespace) == ["readers", "auditors"]
    assert await cluster.get("ResourceQuota", namespace, "blog")


async def _readers(cluster, namespace):
    binding = await cluster.get("RoleBinding", namespace, "blog-viewer")
    return [subject["name"] for subject in binding["subjects"]]
