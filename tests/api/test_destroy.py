"""Taking an environment away on a real API server: what goes, and what must not."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from nuages.app.components import App, resolve
from nuages.kube.client import Cluster
from nuages.progress import silent
from nuages.release import secrets
from nuages.release.destroy import contents, destroy
from nuages.release.locks import lock
from nuages.render.manifest import namespace as rendered_namespace
from nuages.spec.load import load

pytestmark = pytest.mark.api

SPEC = """
apiVersion: nuages/v1
name: {name}
image: registry.example.com/acme/blog
django: {{settings: blog.settings}}
web: {{main: {{}}}}
secrets: {{SECRET_KEY: {{generate: true}}}}
environments: {{local: {{namespace: {namespace}}}}}
"""


def app_in(namespace: str, folder, name: str = "blog") -> App:
    """An app whose only object is the Secret that holds its generated values."""
    file = folder / f"{name}.yaml"
    file.write_text(SPEC.format(name=name, namespace=namespace))
    return resolve(load(file), "local")


@pytest.fixture
async def made_by_nuages(cluster, tmp_path):
    """An app in a namespace that nuages made for it."""
    app = app_in(f"test-{uuid.uuid4().hex[:8]}", tmp_path)
    await cluster.apply(rendered_namespace(app))
    await secrets.ensure(app, cluster)
    yield app
    await cluster.delete("Namespace", None, app.namespace)


async def going(cluster: Cluster, namespace: str) -> bool:
    """Whether a namespace is gone or on its way."""
    live = await cluster.get("Namespace", None, namespace)
    return live is None or "deletionTimestamp" in live["metadata"]


async def test_with_its_data_goes_the_namespace_that_was_made_for_it(made_by_nuages, cluster):
    await destroy(made_by_nuages, cluster, silent, data=True)
    assert await going(cluster, made_by_nuages.namespace)


async def test_a_namespace_in_which_another_app_lives_stays_with_all_of_the_others_data(
    made_by_nuages, cluster, tmp_path
):
    other = app_in(made_by_nuages.namespace, tmp_path, "shop")
    await secrets.ensure(other, cluster)
    await destroy(made_by_nuages, cluster, silent, data=True)
    assert not await going(cluster, made_by_nuages.namespace)
    assert (await contents(other, cluster))[1]
    assert await contents(made_by_nuages, cluster) == ([], [])


async def test_a_namespace_made_by_others_stays(namespace, cluster, tmp_path):
    app = app_in(namespace, tmp_path)
    await secrets.ensure(app, cluster)
    await destroy(app, cluster, silent, data=True)
    assert not await going(cluster, namespace)
    assert await cluster.get("Lease", namespace, lock.name("blog")) is None


async def test_what_the_release_that_was_waited_for_made_goes_too(namespace, cluster, tmp_path):
    app = app_in(namespace, tmp_path)
    await secrets.ensure(app, cluster)
    async with lock.held(cluster, namespace, lock.name("blog"), waiting=lambda line: None):
        waits = asyncio.Event()
        removing = asyncio.create_task(destroy(app, cluster, lambda event: waits.set(), data=False))
        await waits.wait()
        copied = await secrets.copy(app, cluster)
    await removing
    assert await cluster.get("Secret", namespace, copied) is None
