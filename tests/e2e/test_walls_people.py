"""People with the rights of their role, and no more: a developer deploys into a namespace that others made.

The same app has a file, a step before it, a container beside it, an object of its own and a patch.
"""

from __future__ import annotations

import json
import uuid
from types import SimpleNamespace

import pytest
import ring_project
import yaml
from project import Project
from waiting import new_namespace, wait_for

from nuages.image import base
from nuages.local.cluster import load

pytestmark = pytest.mark.e2e

IMAGE = "docker.io/library/python:3.13-slim"
RIGHTS = "roles.rbac.authorization.k8s.io"
PEOPLE = ("viewer", "developer", "operator")
SPEC = """\
name: walled
image: registry.example.com/walled
django: {settings: ring.settings}
web: {main: {replicas: 1, resources: {cpu: 50m, memory: 128Mi}}}
env: {COLOR: blue}
secrets: {SECRET_KEY: {generate: true}}
files: {/etc/walled/a.ini: {file: deploy/a.ini}, /etc/walled/b.ini: {configMap: mine}}
sidecars:
  beside: {image: "IMAGE", command: [python3, -c, "import time; time.sleep(1e6)"], resources: {cpu: 10m, memory: 32Mi}}
init:
  first: {image: "IMAGE", command: [python3, -c, "open('/tmp/first', 'w').write('done')"]}
limits: {cpu: "2", memory: 2Gi, pods: 10}
access: {viewers: ["system:serviceaccounts:NAMESPACE-viewer"], developers: ["system:serviceaccounts:NAMESPACE-developer"], operators: ["system:serviceaccounts:NAMESPACE-operator"]}
placement: {spread: none, nodeSelector: {kubernetes.io/os: linux}}
objects: [deploy/mine.yaml]
patches: [{target: {kind: Deployment, name: walled-web-main}, patch: {spec: {revisionHistoryLimit: 2}}}]
environments: {local: {namespace: NAMESPACE, cluster: CONTEXT}}
"""  # noqa: E501 - a spec
MINE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\ndata: {b.ini: mine}\n"


@pytest.fixture(scope="module")
def site(cluster, kubectl, tmp_path_factory):
    """The project as each of the people has it, and nothing in the namespace but what an operator puts there."""
    load(cluster.name, [base.archive("python:3.13-slim")])
    name = f"walls-{uuid.uuid4().hex[:8]}"
    folder = tmp_path_factory.mktemp("walled")
    for path, text in {**ring_project.FILES, "deploy/a.ini": "inlined", "deploy/mine.yaml": MINE}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    spec = SPEC.replace("NAMESPACE", name).replace("CONTEXT", cluster.context).replace("IMAGE", IMAGE)
    (folder / "nuages.yaml").write_text(spec)
    namespaces = [name, *(f"{name}-{person}" for person in PEOPLE)]
    try:
        for one in namespaces:
            new_namespace(kubectl, one)
        people = {}
        for person in PEOPLE:
            kubectl("create", "serviceaccount", "somebody", "--namespace", f"{name}-{person}")
            token = kubectl("create", "token", "somebody", "--namespace", f"{name}-{person}").strip()
            config = yaml.safe_load(cluster.kubeconfig.read_text())
            for user in config["users"]:
                user["user"] = {"token": token}
            (folder.parent / f"{name}-{person}").write_text(yaml.safe_dump(config))
            people[person] = Project(folder, folder.parent / f"{name}-{person}")
        yield SimpleNamespace(name=name, kubectl=kubectl, admin=Project(folder, cluster.kubeconfig), **people)
    finally:
        kubectl("delete", "namespace", *namespaces, "--wait=false")


def may(site, person, verb, what):
    resource, _, part = what.partition("/")
    group = f"system:serviceaccounts:{site.name}-{person}"
    part = ("--subresource", part) if part else ()
    asked = ("auth", "can-i", verb, resource, *part, "--namespace", site.name, "--as", "somebody", "--as-group", group)
    return site.kubectl(*asked, check=False).stdout.strip() == "yes"


@pytest.fixture(scope="module")
def rights(site):
    """What whoever runs the cluster puts there once: rights, and how much may be taken."""
    assert "with this rule would do" in site.developer.nuages("deploy", code=1).stderr
    chosen = ("--filename", "-", "--selector", "app.kubernetes.io/component=rights")
    rendered = site.admin.nuages("render").stdout
    site.kubectl("apply", "--server-side", "--field-manager", "nuages", *chosen, text=rendered)
    # The API server's authorizer learns of them a moment later.
    last = {"viewer": ("list", "pods"), "developer": ("patch", "deployments.apps"), "operator": ("patch", RIGHTS)}
    for person, asked in last.items():
        wait_for(lambda person=person, asked=asked: may(site, person, *asked))


@pytest.mark.usefixtures("rights")
def test_a_developer_deploys_with_the_rights_of_that_role_alone(site):
    site.developer.nuages("deploy")
    assert "blue" in site.developer.nuages("run", "--", "printenv", "COLOR").stdout
    site.developer.nuages("logs", "web")
    site.developer.nuages("secrets", "list")
    assert site.viewer.status()
    assert "with this rule would do" in site.viewer.nuages("deploy", code=1).stderr

    pod = site.kubectl("-n", site.name, "get", "pods", "-l", "app.kubernetes.io/component=web", "-o", "name").strip()
    inside = "for one in ('/etc/walled/a.ini', '/etc/walled/b.ini', '/tmp/first'): print(open(one).read())"
    said = site.kubectl("-n", site.name, "exec", pod, "-c", "web", "--", "python", "-c", inside)
    assert said.split() == ["inlined", "mine", "done"]
    deployment = json.loads(site.kubectl("-n", site.name, "get", "deployment", "walled-web-main", "-o", "json"))
    assert deployment["spec"]["revisionHistoryLimit"] == 2
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == "walled-web"
    quota = ("-n", site.name, "get", "resourcequota", "walled", "-o", "json")
    wait_for(lambda: json.loads(site.kubectl(*quota))["status"]["used"]["limits.memory"] != "0")


@pytest.mark.usefixtures("rights")
@pytest.mark.parametrize(
    ("verb", "what", "who"),
    [
        ("list", "pods", "viewer developer operator"),
        ("get", "pods/log", "viewer developer operator"),
        ("get", "secrets", "developer operator"),
        ("create", "pods/exec", "developer operator"),
        ("patch", "deployments.apps", "developer operator"),
        ("delete", "persistentvolumeclaims", "operator"),
        ("patch", RIGHTS, "operator"),
        ("create", "serviceaccounts/token", ""),
        ("create", "namespaces", ""),
    ],
)
def test_the_cluster_says_the_same_of_each_role(site, verb, what, who):
    assert " ".join(person for person in PEOPLE if may(site, person, verb, what)) == who
