"""A cluster that is not this machine's own pulls what was pushed: by digest, with the credentials of a Secret."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
import yaml
from project import Project, blog_in
from waiting import new_namespace, status_of, steady, wait_for

from nuages.image import base
from nuages.local import addons, images, install, toolchain
from nuages.progress import silent

# user:password ada:correct-horse, by bcrypt with its least cost.
HTPASSWD = "ada:$2y$05$abcdefghijklmnopqrstuuZ0Fx87Pb/Aqb0E90lfvCwzXnaFKUHpS\n"
PORT = 30017  # of those below 30086, which Kubernetes gives to no Service that has not asked for one
HOST = f"localhost:{PORT}"
NAMESPACE = "test-pulled"


@pytest.fixture(scope="module")
def registry(cluster, kubectl):
    """The add-on's registry once more, in a namespace of its own and with a password; localhost:PORT names it from this
    machine and from the node.
    """
    program = toolchain.build({"registry"}, silent)
    # PostgreSQL too: to nuages this is a cluster that pulls, and its official image may be out of reach.
    install.load(cluster, [images.archive(images.REGISTRY, program), base.archive("postgres:17")])
    objects = list(yaml.safe_load_all((addons.MANIFESTS / "registry.yaml").read_text()))
    for item in objects:
        item["metadata"]["name"] = item["metadata"]["name"].replace("registry", "guarded")
        if item["kind"] != "Namespace":
            item["metadata"]["namespace"] = "guarded"
        if item["kind"] == "Service":
            item["spec"]["ports"][0]["nodePort"] = PORT
        if item["kind"] == "ConfigMap":
            config = yaml.safe_load(item["data"]["config.yml"])
            config["auth"] = {"htpasswd": {"realm": "test", "path": "/etc/distribution/htpasswd"}}
            item["data"] = {"config.yml": yaml.safe_dump(config), "htpasswd": HTPASSWD}
        if item["kind"] == "Deployment":
            pod = item["spec"]["template"]["spec"]
            pod["volumes"] = [
                {"name": "data", "emptyDir": {}},
                {"name": "config", "configMap": {"name": "guarded"}},
            ]
            pod["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": "http"}, "periodSeconds": 1}
    wanted = [item for item in objects if item["kind"] != "PersistentVolumeClaim"]
    kubectl("apply", "--filename=-", text=yaml.safe_dump_all(wanted))
    kubectl("-n", "guarded", "rollout", "status", "deployment/guarded", "--timeout=300s")
    steady(lambda: status_of(f"http://{HOST}/v2/") == 401)
    yield HOST
    kubectl("delete", "namespace", "guarded", "--wait=false")


@pytest.fixture(scope="module")
def elsewhere(cluster, tmp_path_factory) -> Path:
    """A kubeconfig that reaches the node by a context that nuages did not make: to nuages it is any cluster."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["contexts"][0]["name"] = config["current-context"] = "elsewhere"
    path: Path = tmp_path_factory.mktemp("elsewhere") / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture
def blog(cluster, kubectl, elsewhere, registry, tmp_path):
    """The blog with an image in that registry, whose environment is bound to that context."""
    project = blog_in(tmp_path / "blog", cluster, NAMESPACE)
    spec = yaml.safe_load(project.spec.read_text())
    spec["image"] = f"{registry}/acme/blog"
    spec["imagePullSecret"] = "acme-registry"
    spec["web"]["main"]["replicas"] = 1
    # Of the very same content the node may have an image already, under the name it was loaded with.
    (project.folder / "far.txt").write_text(f"far away: {uuid.uuid4()}\n")
    spec["environments"] = {"far": {"cluster": "elsewhere", "namespace": NAMESPACE}}
    project.spec.write_text(yaml.safe_dump(spec))
    far = Project(project.folder, elsewhere)
    new_namespace(kubectl, NAMESPACE)
    far._env["DOCKER_CONFIG"] = str(tmp_path)
    yield far
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def login(folder: Path, kubectl) -> None:
    """What `docker login` keeps, and the same for the pods."""
    auths = {"auths": {HOST: {"username": "ada", "password": "correct-horse"}}}
    (folder / "config.json").write_text(json.dumps(auths))
    kubectl(
        *("-n", NAMESPACE, "create", "secret", "docker-registry", "acme-registry"),
        *(f"--docker-server={HOST}", "--docker-username=ada", "--docker-password=correct-horse"),
    )


def test_a_pod_runs_what_was_pushed_and_pulls_it_with_the_secret(blog, kubectl, tmp_path) -> None:
    refused = blog.nuages("deploy", "-e", "far", code=1)
    assert "somebody unknown" in refused.stderr
    assert f"docker login {HOST}" in refused.stderr
    login(tmp_path, kubectl)
    done = blog.nuages("deploy", "-e", "far")
    assert "push to localhost" in done.stderr
    pods = json.loads(kubectl("-n", NAMESPACE, "get", "pods", "-l", "app.kubernetes.io/component=web", "-o", "json"))
    [pod] = pods["items"]
    assert pod["spec"]["imagePullSecrets"] == [{"name": "acme-registry"}]
    [status] = pod["status"]["containerStatuses"]
    assert status["ready"]
    assert status["imageID"].startswith(f"{HOST}/acme/blog@sha256:")
    pulled = f'Successfully pulled image "{HOST}/acme/blog@'
    events = ("-n", NAMESPACE, "get", "events", "-o", "jsonpath={.items[*].message}")
    wait_for(lambda: pulled in kubectl(*events))
    again = blog.nuages("deploy", "-e", "far")
    assert "all was there" in again.stderr
    views = blog.folder / "posts" / "views.py"
    views.write_text(views.read_text() + "# one line more\n")
    changed = blog.nuages("deploy", "-e", "far")
    assert "1 of " in next(line for line in changed.stderr.splitlines() if line.startswith("✓ push"))
