"""Twenty environments of one template side by side, with the data of another: nothing of one is the other's."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from kubelet import Kubelet

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.errors import Refused
from nuages.kube.client import Cluster
from nuages.progress import silent
from nuages.release import engine
from nuages.release.deploy import deploy
from nuages.release.destroy import destroy
from nuages.release.environments import marks, sleeping
from nuages.release.environments.cloning import Origin
from nuages.release.environments.listing import listed
from nuages.release.environments.up import up
from nuages.release.locks.lock import ANY
from nuages.release.phases import verify
from nuages.release.world import utc
from nuages.spec.load import parse

pytestmark = pytest.mark.api

MANY, AT_ONCE = 20, 4
SPEC = """
name: {name}
image: registry.example.com/acme/blog
web: {{main: {{replicas: 1}}}}
services: {{postgres: {{run: {{}}}}}}
databases: {{default: postgres}}
environments:
  staging: {{}}
  preview:
    template: true
    ttl: 2h
    databases: {{default: {{cloneFrom: staging, anonymise: {{sql: a.sql}}}}}}
    expose: {{kind: loadBalancer, hosts: ["{{environment}}.{name}.example.com"]}}
"""
BUILD = Build(
    reference="registry.example.com/acme/blog@sha256:" + "1" * 64,
    wsgi="blog.wsgi:application",
    settings="blog.settings",
    migrations={"posts": ["0001_initial"]},
    media_root="/app/media",
)


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch):
    monkeypatch.setattr(verify, "VERIFY", timedelta(0))
    monkeypatch.setattr(engine, "PATIENCE", 0)


@pytest.fixture
def spec(namespace):
    """An app of this test's own."""
    return parse(SPEC.format(name=f"b-{namespace[-8:]}").encode(), "nuages.yaml")


@asynccontextmanager
async def played(kubeconfig, app):
    """The app's namespace, in which the kubelet's part is played by a connection of its own; gone afterwards."""
    async with Cluster.connect(kubeconfig) as own:
        task = asyncio.create_task(Kubelet(own, app.namespace).play())
        try:
            yield app
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await own.delete("Namespace", None, app.namespace)


async def test_twenty_side_by_side_have_namespaces_data_and_passwords_of_their_own(spec, cluster, kubeconfig):
    names = [f"pr-{number}" for number in range(1, MANY + 1)]
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(played(kubeconfig, resolve(spec, "staging")))
        await deploy(source, BUILD, cluster, silent)
        apps = [await stack.enter_async_context(played(kubeconfig, resolve(spec, name))) for name in names]
        origin = Origin(source, "SELECT 1;")
        few = asyncio.Semaphore(AT_ONCE)

        async def one(app):
            async with few, Cluster.connect(kubeconfig) as own:
                return await up(app, BUILD, origin, own, silent, wish=ANY)

        async with asyncio.TaskGroup() as group:
            made = [group.create_task(one(app)) for app in apps]
        assert {each.result().number for each in made} == {1}

        found = await listed(source.name, lambda _, __: (), cluster, utc())
        assert Counter(one.state for one in found) == {"serves": MANY + 1}
        assert {one.environment for one in found if one.data == "clone of staging"} == set(names)
        secrets = [await cluster.get("Secret", app.namespace, f"{app.name}-postgres") for app in apps]
        assert len({secret["data"]["password"] for secret in secrets}) == MANY
        # Of the copies nothing is left: no Job, and no way into a new environment. The way out goes with its Job.
        for app in apps:
            policies = (await cluster.list("NetworkPolicy", app.namespace)).items
            assert not [one["metadata"]["name"] for one in policies if "-clone-" in one["metadata"]["name"]]
        assert (
            await cluster.list("Job", source.namespace, labels={"app.kubernetes.io/component": "clone"})
        ).items == []

        # One goes, and its neighbours notice nothing.
        await destroy(apps[0], cluster, silent, data=True)
        left = await listed(source.name, lambda _, __: (), cluster, utc())
        assert Counter(one.state for one in left if one.environment != "pr-1") == {"serves": MANY}


async def test_a_name_that_nobody_brought_up_is_refused(spec, cluster):
    app = resolve(spec, "pr-21")
    with pytest.raises(Refused, match="there is no environment pr-21"):
        await deploy(app, BUILD, cluster, silent)
    assert await cluster.get("Namespace", None, app.namespace) is None


async def test_a_namespace_of_somebody_else_is_left_alone(spec, cluster):
    app = resolve(spec, "pr-22")
    await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": app.namespace}})
    try:
        with pytest.raises(Refused) as caught:
            await up(app, BUILD, None, cluster, silent, wish=ANY)
        assert [finding.id for finding in caught.value.findings] == ["release.E405"]
        live = await cluster.get("Namespace", None, app.namespace)
        assert "annotations" not in live["metadata"]
    finally:
        await cluster.delete("Namespace", None, app.namespace)


async def test_what_sleeps_wakes_as_it_was(spec, cluster, kubeconfig):
    app = resolve(spec, "pr-23")
    async with played(kubeconfig, app):
        await up(app, BUILD, None, cluster, silent, wish=ANY)
        kinds = ("Deployment", "StatefulSet")
        before = [(await cluster.list(kind, app.namespace)).items for kind in kinds]
        pods = (await cluster.list("Pod", app.namespace)).items
        task = asyncio.create_task(sleeping.sleep(app, cluster, lambda _: None))
        # No kubelet ends what controllers delete here.
        while not task.done():
            for pod in (await cluster.list("Pod", app.namespace)).items:
                await cluster.delete("Pod", app.namespace, pod["metadata"]["name"])
            await asyncio.sleep(0.1)
        assert await task == len([item for each in before for item in each])
        asleep = [item for kind in kinds for item in (await cluster.list(kind, app.namespace)).items]
        assert {item["spec"]["replicas"] for item in asleep} == {0}
        assert (await marks.there(app, cluster)).asleep
        # A deploy wakes it first.
        assert (await deploy(app, BUILD, cluster, silent)).number == 2
        awake = [item for kind in kinds for item in (await cluster.list(kind, app.namespace)).items]
        assert {item["spec"]["replicas"] for item in awake} == {1}
        assert not (await marks.there(app, cluster)).asleep
        assert pods
