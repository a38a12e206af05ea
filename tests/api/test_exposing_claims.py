"""What an app asks of a cluster that is shared: refused with all findings before anything is touched."""

from __future__ import annotations

import base64
import uuid

import pytest
from certified import certificate

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.errors import Refused
from nuages.progress import silent
from nuages.release import claims
from nuages.release.deploy import deploy
from nuages.spec.load import parse

pytestmark = pytest.mark.api

SPEC = """\
name: shop
image: registry.example.com/acme/shop
django: {settings: shop.settings}
environments: {local: {namespace: NAMESPACE}}
"""
BUILD = Build(
    reference=f"registry.example.com/acme/shop@sha256:{'7' * 64}",
    wsgi="shop.wsgi:application",
    settings="shop.settings",
    media_root="/app/media",
)


def shop(namespace: str, more: str):
    return resolve(parse((SPEC + more).replace("NAMESPACE", namespace).encode(), "nuages.yaml"), "local")


async def found(cluster, namespace: str, more: str, build: Build | None = BUILD) -> dict[str, str]:
    """Each finding's id with what it says."""
    return {one.id: one.message for one in await claims.look(shop(namespace, more), cluster, build)}


@pytest.fixture
async def ingress_class(cluster):
    """An ingress class of this test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    about = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name}}
    await cluster.create(about | {"spec": {"controller": "example.com/none"}})
    yield name
    await cluster.delete("IngressClass", None, name)


@pytest.fixture
async def elsewhere(cluster):
    """The namespace of somebody else."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    await cluster.delete("Namespace", None, name)


def ingress(namespace: str, ingress_class: str, host: str, path: str) -> dict[str, object]:
    backend = {"service": {"name": "theirs", "port": {"number": 80}}}
    paths = [{"path": path, "pathType": "Prefix", "backend": backend}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": f"theirs-{uuid.uuid4().hex[:4]}", "namespace": namespace},
        "spec": {"ingressClassName": ingress_class, "rules": [{"host": host, "http": {"paths": paths}}]},
    }


async def test_a_host_that_another_app_answers_to_is_refused_and_a_path_beside_it_is_not(
    cluster, namespace, elsewhere, ingress_class
):
    host = f"{namespace}.example.com"
    exposed = f"expose: {{class: {ingress_class}, hosts: [{host}], redirects: [www.{host}]}}\n"
    await cluster.create(ingress(elsewhere, ingress_class, host, "/elsewhere/"))
    await cluster.create(ingress(elsewhere, ingress_class, f"other.{host}", "/"))
    assert await found(cluster, namespace, exposed) == {}
    theirs = ingress(elsewhere, ingress_class, f"www.{host}", "/")
    await cluster.create(theirs)
    name = theirs["metadata"]["name"]
    assert await found(cluster, namespace, exposed) == {
        "release.E400": f"www.{host}/ is answered by Ingress {elsewhere}/{name} already"
    }
    before = await cluster.list("ConfigMap", namespace)
    with pytest.raises(Refused) as refused:
        await deploy(shop(namespace, exposed), BUILD, cluster, silent)
    assert [one.id for one in refused.value.findings] == ["release.E400"]
    assert await cluster.get("Lease", namespace, "nuages-shop") is None
    assert [one["metadata"]["name"] for one in (await cluster.list("ConfigMap", namespace)).items] == [
        one["metadata"]["name"] for one in before.items
    ]
    assert (await cluster.list("Ingress", namespace)).items == []


async def test_a_host_of_the_app_itself_is_not_taken_by_its_earlier_release(cluster, namespace, ingress_class):
    exposed = f"expose: {{class: {ingress_class}, hosts: [{namespace}.example.com]}}\n"
    app = shop(namespace, exposed)
    for item in claims.exposure(app):
        await cluster.apply(item)
    assert await found(cluster, namespace, exposed) == {}
    assert list(await found(cluster, "elsewhere", exposed)) == ["release.E400"]


async def test_a_port_of_the_nodes_that_is_in_use_is_refused(cluster, namespace, elsewhere):
    about = {"name": "theirs", "namespace": elsewhere}
    made = await cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": about,
            "spec": {"type": "NodePort", "ports": [{"port": 80}]},
        }
    )
    port = made["spec"]["ports"][0]["nodePort"]
    exposed = f"expose: {{kind: nodePort, nodePort: {port}}}\n"
    assert await found(cluster, namespace, exposed) == {
        "release.E401": f"port {port} of the nodes is Service {elsewhere}/theirs's"
    }
    await cluster.delete("Service", elsewhere, "theirs")
    assert await found(cluster, namespace, exposed) == {}


async def test_a_class_that_the_cluster_does_not_have_is_refused(cluster, namespace, ingress_class):
    host = f"{namespace}.example.com"
    assert await found(cluster, namespace, f"expose: {{class: none-such, hosts: [{host}]}}\n") == {
        "release.E402": "the cluster has no ingress class none-such"
    }
    volume = "media: {volume: {size: 1Gi, storageClass: none-such}}\n"
    assert await found(cluster, namespace, volume) == {"release.E402": "the cluster has no storage class none-such"}
    gateway = f"expose: {{kind: gateway, class: gateways/none-such, hosts: [{host}]}}\n"
    assert await found(cluster, namespace, gateway) == {
        "release.E402": "there is no Gateway none-such in namespace gateways"
    }
    issuer = f"expose: {{class: {ingress_class}, hosts: [{host}], tls: {{issuer: none-such}}}}\n"
    assert await found(cluster, namespace, issuer) == {
        "release.E402": "the cluster has no cert-manager, which would issue"
    }


async def test_a_volume_that_is_there_needs_no_class_any_more(cluster, namespace):
    volume = "media: {volume: {size: 1Gi, storageClass: none-such}}\n"
    for item in claims.render(shop(namespace, volume), claims.Release(number=1, template=1, build=BUILD)).objects:
        if item["kind"] == "PersistentVolumeClaim":
            await cluster.apply(item)
    assert await found(cluster, namespace, volume) == {}


async def test_a_certificate_that_does_not_serve_every_name_is_refused(cluster, namespace, ingress_class, tmp_path):
    exposed = (
        f"expose: {{class: {ingress_class}, hosts: [{namespace}.example.com], "
        f"redirects: [www.{namespace}.example.com], tls: {{secret: shop-cert}}}}\n"
    )
    names = (f"{namespace}.example.com", f"www.{namespace}.example.com")

    async def said(kind: str, chain: bytes, key: bytes) -> dict[str, str]:
        values = {"tls.crt": base64.b64encode(chain).decode(), "tls.key": base64.b64encode(key).decode()}
        about = {"name": "shop-cert", "namespace": namespace}
        await cluster.delete("Secret", namespace, "shop-cert")
        await cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": about, "type": kind, "data": values})
        return await found(cluster, namespace, exposed, None)

    tls = "kubernetes.io/tls"
    good = certificate(tmp_path / "good", *names)
    assert await found(cluster, namespace, exposed, None) == {
        "release.E404": f"there is no Secret shop-cert in namespace {namespace}"
    }
    assert await said("Opaque", *good) == {
        "release.E404": "the Secret shop-cert is of type Opaque, not kubernetes.io/tls"
    }
    assert await said(tls, *certificate(tmp_path / "one", names[0])) == {
        "release.E404": f"{names[1]}: Hostname mismatch, certificate is not valid for '{names[1]}'"
    }
    assert (
        "certificate has expired" in (await said(tls, *certificate(tmp_path / "old", *names, days=-1)))["release.E404"]
    )
    assert "key values mismatch" in (await said(tls, good[0], certificate(tmp_path / "two", *names)[1]))["release.E404"]
    soon = await said(tls, *certificate(tmp_path / "soon", *names, days=5))
    assert list(soon) == ["release.W403"]
    assert await said(tls, *good) == {}
