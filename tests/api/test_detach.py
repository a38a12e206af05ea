"""A release that a Job drives, with the very rights that the Job has; the API server is real, pods are played."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
import pytest
import yaml
from eventually import allowed
from test_release import BUILD, _nobody_answers, blog

from nuages.errors import Forbidden, Refused, ReleaseFailed, Superseded
from nuages.kube.client import Cluster
from nuages.kube.failures import Asked
from nuages.kube.watch import Mirror
from nuages.progress import silent
from nuages.release import records
from nuages.release.deploy import deploy
from nuages.release.driver import detach as handing
from nuages.release.driver.detach import detach
from nuages.release.driver.driven import Place, drive_on
from nuages.release.driver.follow import follow
from nuages.release.locks.lock import Wish
from nuages.release.record import Outcome

pytestmark = pytest.mark.api
__all__ = ["_nobody_answers"]  # a fixture
IMAGE = "registry.example.com/acme/blog@sha256:" + "d" * 64


@pytest.fixture
def app(namespace, tmp_path):
    return blog(namespace, tmp_path)


@pytest.fixture
def _kept_briefly(monkeypatch):
    """The lock is free soon where no pod comes for it."""
    monkeypatch.setattr(handing, "KEPT", 1)


@contextlib.asynccontextmanager
async def as_account(cluster, kubeconfig, namespace, name, folder):
    """A connection with the token of a ServiceAccount, as a pod of it has, which begins when its rights hold."""
    answer = await cluster._transport.send(
        "POST",
        f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
        Asked("create", "TokenRequest"),
        body=msgspec.json.encode({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}),
    )
    token = msgspec.json.decode(answer.content)["status"]["token"]
    config = yaml.safe_load(kubeconfig.read_text())
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
    mine = folder / "kubeconfig"
    mine.write_text(yaml.safe_dump(config))
    async with Cluster.connect(mine) as connected:
        await allowed(connected, "ConfigMap", namespace)
        yield connected


def place(app):
    return Place(app.name, app.environment, app.namespace)


async def test_a_release_is_handed_over_and_goes_on_with_exactly_the_rights_it_takes(
    app, namespace, cluster, kubeconfig, kubelet, tmp_path
):
    first = await deploy(app, BUILD, cluster, silent)
    maroon = blog(namespace, tmp_path, orange="maroon")
    handed = await detach(maroon, BUILD, cluster, silent, image=IMAGE, wish=Wish("nuages deploy --detach", "maroon"))
    assert (handed.number, handed.outcome, handed.message) == (2, Outcome.RUNNING, "maroon")
    job = await cluster.get("Job", namespace, "blog-driver-2")
    assert job["spec"]["suspend"] is False
    for kind in ("Role", "RoleBinding", "ServiceAccount", "NetworkPolicy"):
        made = await cluster.get(kind, namespace, "blog-driver-2")
        assert [owner["uid"] for owner in made["metadata"]["ownerReferences"]] == [job["metadata"]["uid"]]
    async with as_account(cluster, kubeconfig, namespace, "blog-driver-2", tmp_path) as driver:
        done = await drive_on(place(app), 2, driver, silent, returns=True)
        assert await drive_on(place(app), 2, driver, silent, returns=True) == done  # a pod that comes later
        for kind, name in (("Secret", "blog-secrets"), ("Secret", "blog-postgres"), ("Role", "blog-driver-2")):
            with pytest.raises(Forbidden):
                await driver.get(kind, namespace, name)
    assert (done.outcome, done.number) == (Outcome.LIVE, 2)
    assert done.by == first.by


@pytest.mark.usefixtures("_kept_briefly")
async def test_a_release_that_was_overtaken_is_left_alone(app, namespace, cluster, kubelet, tmp_path):
    await detach(app, BUILD, cluster, silent, image=IMAGE)
    await deploy(blog(namespace, tmp_path, orange="maroon"), BUILD, cluster, silent)
    done = await drive_on(place(app), 1, cluster, silent, returns=True)
    assert done.outcome is Outcome.ABANDONED
    with pytest.raises(Superseded):
        await drive_on(place(app), 9, cluster, silent, returns=True)


@pytest.mark.usefixtures("_kept_briefly")
async def test_handing_over_again_goes_on_with_the_same_release_and_job(app, namespace, cluster):
    await detach(app, BUILD, cluster, silent, image=IMAGE)
    before = await cluster.get("Job", namespace, "blog-driver-1")
    again = await detach(app, BUILD, cluster, silent, image=IMAGE)
    after = await cluster.get("Job", namespace, "blog-driver-1")
    assert again.number == 1
    assert before["metadata"]["uid"] == after["metadata"]["uid"]


@pytest.mark.usefixtures("_kept_briefly")
async def test_a_job_that_ended_before_its_release_is_made_anew(app, namespace, cluster, kubelet):
    await detach(app, BUILD, cluster, silent, image=IMAGE)
    before = await cluster.get("Job", namespace, "blog-driver-1")
    async with Mirror(cluster, namespace, ("Job",)) as mirror:
        while True:
            seen, conditions = (
                mirror.version,
                mirror.get("Job", "blog-driver-1").get("status", {}).get("conditions", ()),
            )
            # Before that it has another one, while its pods still end.
            if any(one["type"] == "Complete" for one in conditions):
                break
            assert await mirror.changed(60, since=seen)
    await detach(app, BUILD, cluster, silent, image=IMAGE)
    after = await cluster.get("Job", namespace, "blog-driver-1")
    assert before["metadata"]["uid"] != after["metadata"]["uid"]


async def test_a_failure_in_the_cluster_brings_the_last_release_back(app, namespace, cluster, kubelet, tmp_path):
    await deploy(app, BUILD, cluster, silent)
    kubelet.crash.add("web")
    await detach(blog(namespace, tmp_path, orange="maroon"), BUILD, cluster, silent, image=IMAGE)
    driving = asyncio.create_task(drive_on(place(app), 2, cluster, silent, returns=True))
    while (await records.history(cluster, namespace, "blog", "local"))[0].record.number == 2:
        assert not driving.done()
        await asyncio.sleep(0.05)
    kubelet.crash.clear()
    with pytest.raises(ReleaseFailed):
        await driving
    latest, *_ = await records.history(cluster, namespace, "blog", "local")
    assert (latest.record.restores, latest.record.outcome) == (1, Outcome.LIVE)


async def test_a_release_that_no_job_drives_is_not_said_to_be_live(app, namespace, cluster):
    await detach(app, BUILD, cluster, silent, image=IMAGE, wish=Wish("nuages deploy --detach"))
    await cluster.delete("Job", namespace, "blog-driver-1")
    with pytest.raises(Refused, match="no Job in the cluster drives it"):
        await follow(app, 1, cluster, silent)
