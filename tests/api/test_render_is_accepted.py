"""What is rendered is what the API server takes: its own validation, and its own Pod Security admission."""

from __future__ import annotations

import copy
from pathlib import Path

import keda
import msgspec
import pytest
from admission import refuses
from eventually import eventually

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.checks.objects import pod_of
from nuages.render.manifest import render
from nuages.render.release import Release
from nuages.spec.load import load, parse

pytestmark = pytest.mark.api

SPEC = """\
name: blog
image: registry.example.com/acme/blog
imagePullSecret: acme
web:
  main: {replicas: 3}
  api: {requestTimeout: 2m, resources: {cpu: "1.5"}}
services: {postgres: {run: {resources: {memory: 2Gi}}}}
databases: {default: postgres}
media: {volume: {size: 1Gi, storageClass: fast}}
env: {COLOR: orange, FLAG: {configMap: flags, key: x}}
secrets: {SECRET_KEY: {generate: true}}
environments:
  loadbalancer: {namespace: NAMESPACE, expose: {kind: loadBalancer}}
  nodeport: {namespace: NAMESPACE, expose: {kind: nodePort, nodePort: 30005}}
  ingress: {namespace: NAMESPACE, expose: {hosts: [blog.example.com, "*.blog.example.com"], tls: {issuer: letsencrypt}}}
  unexposed: {namespace: NAMESPACE, media: {volume: {accessMode: ReadWriteOnce}}, web: {main: {replicas: 1}, api: null}}
"""


EXAMPLES = Path(__file__).parents[2] / "examples"
EVERYTHING = "every-field.nuages.yaml"


def manifest(environment, namespace):
    return rendered(resolve(parse(SPEC.replace("NAMESPACE", namespace).encode(), "nuages.yaml"), environment))


def example(file, environment, namespace):
    app = resolve(load(EXAMPLES / file), environment)
    return rendered(msgspec.structs.replace(app, namespace=namespace))


def rendered(app):
    build = Build(
        reference=f"registry.example.com/acme/blog@sha256:{'7' * 64}",
        wsgi="blog.wsgi:application",
        asgi="blog.asgi:application",
        settings="blog.settings",
        media_root="/app/media",
    )
    return render(app, Release(number=1, template=1, build=build, secrets="blog-secrets-0"))


@pytest.mark.parametrize("environment", ["loadbalancer", "nodeport", "ingress", "unexposed"])
async def test_the_api_server_accepts_every_object_and_keeps_what_was_sent(cluster, namespace, environment):
    await accepted(cluster, manifest(environment, namespace))


@pytest.mark.parametrize(
    ("file", "environment"),
    [
        (EVERYTHING, "local"),
        (EVERYTHING, "production"),
        ("celery.nuages.yaml", "local"),
        ("folder.nuages.yaml", "local"),
    ],
)
async def test_the_api_server_accepts_the_examples_as_they_are(cluster, namespace, file, environment):
    await keda.installed(cluster)
    await accepted(cluster, example(file, environment, namespace))


async def accepted(cluster, made):
    for item in made.objects:
        if item["kind"] != "Namespace":
            kept = await cluster.apply(item, dry_run=True)
            sent, stored = (item["spec"], kept.get("spec")) if "spec" in item else (item.get("data"), kept.get("data"))
            assert missing(sent, stored) == [], item["metadata"]["name"]


async def test_pod_security_restricted_admits_every_pod(cluster, namespace):
    await admitted(cluster, namespace, manifest("loadbalancer", namespace))


async def test_pod_security_restricted_admits_workers_and_beat_and_redis(cluster, namespace):
    await admitted(cluster, namespace, example(EVERYTHING, "local", namespace))


async def admitted(cluster, namespace, made):
    await restricted(cluster, namespace, made)
    for item in made.objects:
        if item["kind"] == "ServiceAccount":
            await cluster.apply(item)
        if (spec := pod_of(item)) is None:
            continue
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "x", "namespace": namespace},
            "spec": admissible(spec),
        }
        await cluster.create(pod, dry_run=True)


async def restricted(cluster, namespace, made):
    """Apply the namespace, and wait until a pod that is not fit for it is refused."""
    await cluster.apply(made.foundation[0])
    await eventually(lambda: refuses(cluster, namespace, "violates PodSecurity"))


def admissible(spec):
    """The pod as its controller would make it: the claim's volume is added by the StatefulSet's."""
    spec = copy.deepcopy(spec)
    volumes = {volume["name"] for volume in spec.setdefault("volumes", [])}
    for mount in (mount for container in spec["containers"] for mount in container.get("volumeMounts", [])):
        if mount["name"] not in volumes:
            spec["volumes"].append({"name": mount["name"], "persistentVolumeClaim": {"claimName": mount["name"]}})
    for constraint in spec.get("topologySpreadConstraints", []):
        constraint.pop("matchLabelKeys", None)
    spec.pop("priorityClassName", None)  # the cluster's own
    return spec


def missing(sent, kept, path=""):
    """Where the server dropped or changed something; what it adds are its defaults."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        return [found for key, value in sent.items() for found in missing(value, kept.get(key), f"{path}.{key}")]
    if isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        return [found for index, value in enumerate(sent) for found in missing(value, kept[index], f"{path}[{index}]")]
    return [] if sent == kept else [f"{path}: sent {sent!r}, kept {kept!r}"]
