"""What the spec says of all pods, of single objects, and of people."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuages.app.components import resolve
from nuages.render.access_roles import developer, operator, viewer
from nuages.render.extras import EVICT, template_of
from nuages.render.manifest import render
from nuages.render.patches import merged
from nuages.spec.load import load

from .blog import EXAMPLE_ENVIRONMENTS, blog, example, release

pytestmark = pytest.mark.unit

SPEC = """\
name: blog
image: registry.example.com/blog
web: {main: {replicas: 2}}
workers: {default: {celery: {app: blog}}}
services: {postgres: {run: {}}, redis: {run: {}}}
databases: {default: postgres}
"""
ENVIRONMENTS = "environments: {local: {}}\n"


def made(more="", **how):
    return render(blog(spec=SPEC + more + ENVIRONMENTS), release(**how))


def templates(manifest):
    return {item["metadata"]["name"]: found for item in manifest.objects if (found := template_of(item))}


def named(objects, kind, name):
    return next(item for item in objects if (item["kind"], item["metadata"]["name"]) == (kind, name))


@pytest.mark.parametrize("environment", EXAMPLE_ENVIRONMENTS)
def test_each_component_has_an_account_of_its_own_that_is_there_and_has_no_token(environment):
    manifest = render(example(environment), release(asgi=True))
    accounts = {item["metadata"]["name"]: item for item in manifest.objects if item["kind"] == "ServiceAccount"}
    app = example(environment)
    for name, template in templates(manifest).items():
        component = template["metadata"]["labels"]["app.kubernetes.io/component"]
        assert template["spec"]["serviceAccountName"] == f"{app.name}-{component}", name
        assert accounts[f"{app.name}-{component}"]["automountServiceAccountToken"] is False
        assert template["spec"]["automountServiceAccountToken"] is False


def test_what_holds_data_keeps_its_account_when_the_spec_has_it_no_more():
    accounts = {item["metadata"]["name"]: item for item in made().foundation if item["kind"] == "ServiceAccount"}
    assert accounts["blog-postgres"]["metadata"]["annotations"] == {"nuages.dev/data": "true"}
    assert "annotations" not in accounts["blog-web"]["metadata"]


def test_a_cloud_knows_the_project_by_its_accounts_and_no_data_store():
    manifest = made("serviceAccount: {annotations: {eks.amazonaws.com/role-arn: arn}}\n")
    for item in (item for item in manifest.foundation if item["kind"] == "ServiceAccount"):
        known = "eks.amazonaws.com/role-arn" in item["metadata"].get("annotations", {})
        assert known == (item["metadata"]["name"] not in {"blog-postgres", "blog-redis"})


def test_a_node_may_be_saved_under_what_serves_but_not_under_a_job_or_data():
    found = {name: template["metadata"]["annotations"][EVICT] for name, template in templates(made()).items()}
    assert found["blog-web-main"] == found["blog-worker-default"] == "true"
    assert found["blog-postgres"] == found["blog-redis"] == found["blog-migrate-default-expand-1"] == "false"


PLACEMENT = """\
placement:
  spread: SPREAD
  nodeSelector: {disk: fast}
  tolerations: [{key: dedicated, value: blog, effect: NoSchedule}, {key: any}]
  priorityClass: high
"""


@pytest.mark.parametrize(
    ("spread", "expected"),
    [
        ("node", [("hostname", "ScheduleAnyway", 1), ("zone", "ScheduleAnyway", 1)]),
        ("zone", [("zone", "DoNotSchedule", 1), ("hostname", "ScheduleAnyway", 1)]),
        ("none", [("hostname", "ScheduleAnyway", 100), ("zone", "ScheduleAnyway", 100)]),
    ],
)
def test_every_pod_goes_where_the_spec_says(spread, expected):
    pods = {name: one["spec"] for name, one in templates(made(PLACEMENT.replace("SPREAD", spread))).items()}
    for pod in pods.values():
        assert pod["nodeSelector"] == {"disk": "fast"}
        assert pod["priorityClassName"] == "high"
        assert pod["tolerations"] == [
            {"key": "dedicated", "operator": "Equal", "value": "blog", "effect": "NoSchedule"},
            {"key": "any", "operator": "Exists"},
        ]
    found = pods["blog-web-main"]["topologySpreadConstraints"]
    assert [
        (one["topologyKey"].rpartition("/")[2], one["whenUnsatisfiable"], one["maxSkew"]) for one in found
    ] == expected


EXTRAS = """\
sidecars:
  agent: {image: "registry.example.com/agent:1", command: [/agent], components: [web, worker], env: {B: b, A: a}}
init: {wait: {image: "registry.example.com/wait:1"}}
"""


def test_sidecars_are_up_before_the_steps_and_both_before_the_project():
    pods = {name: one["spec"] for name, one in templates(made(EXTRAS)).items()}
    agent, wait = pods["blog-web-main"]["initContainers"]
    assert (agent["name"], agent["restartPolicy"]) == ("agent", "Always")
    assert wait["name"] == "wait"
    assert "restartPolicy" not in wait
    assert agent["env"] == [{"name": "A", "value": "a"}, {"name": "B", "value": "b"}]
    assert [one["name"] for one in pods["blog-worker-default"]["initContainers"]] == ["agent"]
    assert all("initContainers" not in pods[name] for name in ("blog-postgres", "blog-migrate-default-expand-1"))


@pytest.fixture
def folder(tmp_path: Path):
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/newrelic.ini").write_text("[newrelic]\n")
    (tmp_path / "deploy/extra.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine, labels: {team: blog}}\n---\n"
        "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: other}\n"
    )
    (tmp_path / "nuages.yaml").write_text(
        SPEC + "objects: [deploy/extra.yaml]\n"
        "files:\n  /etc/newrelic.ini: {file: deploy/newrelic.ini}\n  /etc/flags.json: {configMap: flags}\n"
        "  /run/keys/one: {secret: keys, key: a}\n  /run/keys/two: {secret: keys, key: b}\n" + ENVIRONMENTS
    )
    return tmp_path


def from_folder(folder):
    return render(resolve(load(folder / "nuages.yaml"), "local"), release())


def test_files_go_into_what_runs_the_project_and_nothing_else(folder):
    manifest = from_folder(folder)
    (held,) = [item for item in manifest.foundation if item["metadata"]["name"].startswith("blog-files-")]
    assert held["data"] == {"etc.newrelic.ini": "[newrelic]\n"}
    assert held["immutable"] is True
    pods = {name: one["spec"] for name, one in templates(manifest).items()}
    for name in ("blog-web-main", "blog-worker-default", "blog-migrate-default-expand-1"):
        mounts = {one["mountPath"]: one for one in pods[name]["containers"][0]["volumeMounts"]}
        volumes = {one["name"]: one for one in pods[name]["volumes"]}
        assert mounts["/etc/newrelic.ini"]["subPath"] == "etc.newrelic.ini"
        assert volumes["files"] == {"name": "files", "configMap": {"name": held["metadata"]["name"]}}
        assert mounts["/etc/flags.json"]["subPath"] == "flags.json"
        assert mounts["/run/keys/one"]["name"] == mounts["/run/keys/two"]["name"]
        assert volumes[mounts["/run/keys/one"]["name"]]["secret"]["secretName"] == "keys"
        assert all(mounts[path]["readOnly"] for path in ("/etc/newrelic.ini", "/etc/flags.json", "/run/keys/one"))
    assert not any(one["name"].startswith("file") for one in pods["blog-postgres"]["volumes"])


def test_two_files_whose_paths_look_alike_stay_two(folder):
    (folder / "deploy/other.ini").write_text("[other]\n")
    spec = folder / "nuages.yaml"
    alike = "files:\n  /etc/newrelic/ini: {file: deploy/other.ini}\n"
    spec.write_text(spec.read_text().replace("files:\n", alike))
    manifest = from_folder(folder)
    (held,) = [item for item in manifest.foundation if item["metadata"]["name"].startswith("blog-files-")]
    mounted = templates(manifest)["blog-web-main"]["spec"]["containers"][0]["volumeMounts"]
    parts = {one["mountPath"]: one["subPath"] for one in mounted if one["name"] == "files"}
    found = {path: held["data"][part] for path, part in parts.items()}
    assert found == {"/etc/newrelic.ini": "[newrelic]\n", "/etc/newrelic/ini": "[other]\n"}


def test_a_change_of_a_file_is_a_change_of_the_pods(folder):
    before = templates(from_folder(folder))["blog-web-main"]
    (folder / "deploy/newrelic.ini").write_text("[other]\n")
    assert templates(from_folder(folder))["blog-web-main"] != before


def test_objects_of_the_users_own_are_applied_as_they_are_with_our_labels_beside_theirs(folder):
    mine = named(from_folder(folder).foundation, "ConfigMap", "mine")
    assert mine["metadata"]["namespace"] == "blog-local"
    assert (
        mine["metadata"]["labels"].items()
        >= {
            "team": "blog",
            "app.kubernetes.io/managed-by": "nuages",
        }.items()
    )
    assert named(from_folder(folder).foundation, "Thing", "other")["apiVersion"] == "example.com/v1"


X = {"name": "x"}
BASE = {
    "spec": {
        "replicas": 2,
        "containers": [{"name": "web", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}, X],
        "ports": [{"port": 80, "name": "http"}],
        "args": ["a", "b"],
        "labels": {"a": "1", "b": "2"},
    }
}  # fmt: skip


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param({"replicas": 3}, {"replicas": 3}, id="a value"),
        pytest.param({"replicas": None}, {"replicas": ...}, id="a null takes a field away"),
        pytest.param({"labels": {"b": None, "c": "3"}}, {"labels": {"a": "1", "c": "3"}}, id="maps are merged"),
        pytest.param({"labels": {"$patch": "replace", "c": "3"}}, {"labels": {"c": "3"}}, id="or replaced"),
        pytest.param({"labels": {"$patch": "delete"}}, {"labels": ...}, id="or go"),
        pytest.param({"args": ["c"]}, {"args": ["c"]}, id="a list without a key is replaced"),
        pytest.param(
            {"containers": [{"name": "web", "env": [{"name": "B", "value": "9"}, {"name": "C", "value": "3"}]}]},
            {
                "containers": [
                    {
                        "name": "web",
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "9"}, {"name": "C", "value": "3"}],
                    },
                    {"name": "x"},
                ]
            },
            id="a list with one is merged by it, and by those inside",
        ),
        pytest.param(
            {"containers": [{"name": "x", "$patch": "delete"}]},
            {"containers": [BASE["spec"]["containers"][0]]},
            id="an entry goes",
        ),
        pytest.param(
            {"ports": [{"port": 80, "nodePort": 1}]},
            {"ports": [{"port": 80, "name": "http", "nodePort": 1}]},
            id="ports by their number",
        ),
        pytest.param({"new": {"a": None, "b": 1}}, {"new": {"b": 1}}, id="a new map has no nulls"),
    ],
)  # fmt: skip
def test_a_patch_merges_as_kubectl_does(patch, expected):
    wanted = {**BASE["spec"], **expected}
    assert merged(BASE, {"spec": patch}) == {"spec": {key: one for key, one in wanted.items() if one is not ...}}


def test_a_patch_reaches_the_set_beside_too():
    patch = "patches: [{target: {kind: Deployment, name: blog-web-main}, patch: {spec: {minReadySeconds: 7}}}]\n"
    manifest = made(patch, number=2, canary="canary")
    assert [
        item["spec"].get("minReadySeconds")
        for item in (*manifest.web, *manifest.canary)
        if item["kind"] == "Deployment" and item["metadata"]["labels"]["app.kubernetes.io/component"] == "web"
    ] == [7, 7]


def test_limits_are_a_quota_and_what_a_container_takes_that_says_nothing():
    quota, limits = (
        item for item in made("limits: {cpu: 4, memory: 8Gi, pods: 20}\n").foundation
        if item["kind"] in ("ResourceQuota", "LimitRange")
    )  # fmt: skip
    assert quota["spec"]["hard"] == {"requests.cpu": "4", "limits.memory": "8Gi", "pods": "20"}
    assert limits["spec"]["limits"][0]["default"] == {"memory": "128Mi"}


def may(rules, verb, group, plural):
    return any(verb in rule["verbs"] and group in rule["apiGroups"] and plural in rule["resources"] for rule in rules)


@pytest.mark.parametrize(
    ("verb", "group", "plural", "who"),
    [
        ("list", "", "pods", "vdo"),
        ("get", "", "pods/log", "vdo"),
        ("get", "", "secrets", "do"),
        ("create", "", "pods/exec", "do"),
        ("patch", "apps", "deployments", "do"),
        ("delete", "batch", "jobs", "do"),
        ("delete", "", "persistentvolumeclaims", "o"),
        ("patch", "rbac.authorization.k8s.io", "roles", "o"),
        ("patch", "", "resourcequotas", "o"),
        ("create", "", "namespaces", ""),
        ("impersonate", "", "serviceaccounts", ""),
        ("create", "", "serviceaccounts/token", ""),
    ],
)
def test_what_people_may_do(verb, group, plural, who):
    people = {"v": viewer(), "d": developer(), "o": operator()}
    assert "".join(one for one, rules in people.items() if may(rules, verb, group, plural)) == who


def test_roles_are_bound_to_the_groups_that_the_spec_names_and_else_there_are_none():
    assert not [item for item in made().foundation if item["kind"].startswith("Role")]
    found = [item for item in made("access: {developers: [devs, ops]}\n").foundation if item["kind"].startswith("Role")]
    assert [(item["kind"], item["metadata"]["name"]) for item in found] == [
        ("Role", "blog-developer"),
        ("RoleBinding", "blog-developer"),
    ]
    assert [one["name"] for one in found[1]["subjects"]] == ["devs", "ops"]


def test_no_rule_has_a_wildcard():
    for rule in [*viewer(), *developer(), *operator()]:
        assert not {"*"} & {*rule["verbs"], *rule["resources"], *rule["apiGroups"]}
