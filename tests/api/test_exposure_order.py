"""The ways in follow what they lead to, against a real API server with its controllers."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from eventually import eventually

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.progress import Started, silent
from nuages.release.back.rollback import rollback
from nuages.release.deploy import deploy
from nuages.release.phases import verify
from nuages.spec.load import load

pytestmark = pytest.mark.api
SPEC = """
apiVersion: nuages/v1
name: blog
image: registry.example.com/acme/blog
web: {main: {}}
FRONT
expose: {kind: ingress, class: any, hosts: [NAMESPACE.example.com]}
environments: {local: {namespace: NAMESPACE}}
"""
FRONT = "frontends: {spa: {directory: web, command: [npm, run, build], output: dist, routes: [/app/]}}"
WEB = "registry.example.com/acme/blog@sha256:" + "1" * 64
BUILD = Build(
    reference=WEB, wsgi="blog.wsgi:application", settings="blog.settings", frontends={"spa": "sha256:" + "2" * 64}
)


def app_of(namespace, folder, front):
    path = folder / "nuages.yaml"
    path.write_text(SPEC.replace("NAMESPACE", namespace).replace("FRONT", front))
    return resolve(load(path), "local")


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch):
    monkeypatch.setattr(verify, "VERIFY", timedelta(0))


async def test_no_route_leads_to_a_front_end_that_is_not_there_yet(cluster, kubelet, namespace, tmp_path):
    await cluster.apply({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
                         "metadata": {"name": "any"}, "spec": {"controller": "example.com/any"}})  # fmt: skip
    await deploy(app_of(namespace, tmp_path, ""), BUILD, cluster, silent)
    with_front = app_of(namespace, tmp_path, FRONT)
    # Its pods never start: the webs are replaced, and the way in stays as it was.
    kubelet.crash.add("frontend")
    stopped = asyncio.create_task(deploy(with_front, BUILD, cluster, silent))
    await eventually(lambda: cluster.get("Deployment", namespace, "blog-frontend-spa"))
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    assert await _routes(cluster, namespace) == {"blog-web-main"}

    kubelet.crash.clear()
    for pod in (await cluster.list("Pod", namespace, labels={"app.kubernetes.io/component": "frontend"})).items:
        await cluster.delete("Pod", namespace, pod["metadata"]["name"])
    seen = []
    await deploy(
        with_front, BUILD, cluster, lambda event: seen.append(event.title) if isinstance(event, Started) else None
    )
    assert await _routes(cluster, namespace) == {"blog-web-main", "blog-frontend-spa"}
    assert seen.index("web") < seen.index("exposure") < seen.index("frontends")

    back = await rollback(with_front, 1, cluster, silent)
    assert back.restores == 1
    assert await _routes(cluster, namespace) == {"blog-web-main"}
    assert not await cluster.get("Deployment", namespace, "blog-frontend-spa")


async def _routes(cluster, namespace):
    """The Services that the Ingress leads to."""
    ingress = await cluster.get("Ingress", namespace, "blog")
    return {path["backend"]["service"]["name"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]}
