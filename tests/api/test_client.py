"""The client against a real API server: what holds, and what each refusal says."""

import asyncio
import contextlib
import subprocess

import pytest
import yaml
from eventually import eventually

from nuages.errors import Forbidden, Gone, Rejected, Unreachable
from nuages.kube import client
from nuages.kube.client import Cluster
from nuages.kube.failures import AlreadyExists, Field, FieldConflict
from nuages.local.toolchain import tool


@pytest.fixture
def kubectl(kubeconfig, namespace):
    """Another hand in the same namespace."""

    def run(*arguments: str) -> str:
        command = [tool("kubectl"), "--kubeconfig", kubeconfig, "-n", namespace, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    return run


@pytest.fixture
def weak(kubeconfig, kubectl, tmp_path):
    """The kubeconfig of a service account without any right."""
    kubectl("create", "serviceaccount", "weak")
    return as_token(kubeconfig, kubectl("create", "token", "weak").strip(), tmp_path / "weak")


def as_token(kubeconfig, token, file):
    document = yaml.safe_load(kubeconfig.read_text())
    for user in document["users"]:
        user["user"] = {"token": token}
    file.write_text(yaml.safe_dump(document))
    return file


def config_map(namespace, name="blog-env", **data):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "blog"}},
        "data": data,
    }


def deployment(namespace, replicas=1):
    labels = {"app": "web"}
    pod = {"containers": [{"name": "web", "image": "registry.example.com/web:1"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


async def test_applying_the_same_twice_changes_nothing(cluster, namespace):
    first = await cluster.apply(config_map(namespace, COLOR="orange"))
    second = await cluster.apply(config_map(namespace, COLOR="orange"))
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


async def test_a_field_that_is_applied_no_more_goes_away_and_others_fields_stay(cluster, namespace, kubectl):
    await cluster.apply(config_map(namespace, COLOR="orange", OLD="1"))
    kubectl("annotate", "configmap", "blog-env", "team=web")
    live = await cluster.apply(config_map(namespace, COLOR="orange"))
    assert live["data"] == {"COLOR": "orange"}
    assert live["metadata"]["annotations"] == {"team": "web"}


async def test_a_dry_run_writes_nothing(cluster, namespace):
    assert (await cluster.apply(config_map(namespace), dry_run=True))["metadata"]["name"] == "blog-env"
    assert await cluster.get("ConfigMap", namespace, "blog-env") is None


async def test_replicas_that_were_scaled_by_hand_are_a_conflict_that_the_caller_may_force(cluster, namespace, kubectl):
    await cluster.apply(deployment(namespace, replicas=1))
    kubectl("scale", "deployment/web", "--replicas=5")
    with pytest.raises(FieldConflict) as conflict:
        await cluster.apply(deployment(namespace, replicas=2))
    assert conflict.value.fields == (Field(".spec.replicas", "kubectl (scale)"),)
    assert conflict.value.only(frozenset({".spec.replicas"}))
    live = await cluster.apply(deployment(namespace, replicas=2), force=True)
    assert live["spec"]["replicas"] == 2


async def test_of_many_who_create_the_same_one_wins(cluster, namespace):
    async def create() -> bool:
        try:
            await cluster.create(config_map(namespace))
        except AlreadyExists:
            return False
        return True

    assert sum(await asyncio.gather(*(create() for _ in range(8)))) == 1


async def test_replacing_what_was_changed_meanwhile_is_refused(cluster, namespace):
    read = await cluster.apply(config_map(namespace, COLOR="orange"))
    await cluster.apply(config_map(namespace, COLOR="maroon"))
    with pytest.raises(Gone):
        await cluster.replace({**read, "data": {"COLOR": "blue"}})
    fresh = await cluster.get("ConfigMap", namespace, "blog-env")
    assert (await cluster.replace({**fresh, "data": {"COLOR": "blue"}}))["data"] == {"COLOR": "blue"}


async def test_replacing_without_a_version_is_refused_before_it_is_sent(cluster, namespace):
    with pytest.raises(Rejected, match="no resourceVersion"):
        await cluster.replace(config_map(namespace))


async def test_a_merge_patch_can_be_tied_to_a_version(cluster, namespace):
    read = await cluster.apply(config_map(namespace, COLOR="orange"))
    tied = {"metadata": {"resourceVersion": read["metadata"]["resourceVersion"]}, "data": {"A": "1"}}
    assert (await cluster.patch_merge("ConfigMap", namespace, "blog-env", tied))["data"] == {
        "COLOR": "orange",
        "A": "1",
    }
    with pytest.raises(Gone):
        await cluster.patch_merge("ConfigMap", namespace, "blog-env", {**tied, "data": {"A": "2"}})


async def test_deleting_by_uid_spares_a_namesake(cluster, namespace):
    old = await cluster.apply(config_map(namespace))
    await cluster.delete("ConfigMap", namespace, "blog-env", uid=old["metadata"]["uid"])
    await cluster.apply(config_map(namespace))
    with pytest.raises(Gone):
        await cluster.delete("ConfigMap", namespace, "blog-env", uid=old["metadata"]["uid"])
    assert await cluster.get("ConfigMap", namespace, "blog-env")


async def test_deleting_what_is_not_there_is_no_error(cluster, namespace):
    assert await cluster.delete("ConfigMap", namespace, "absent") is False


async def test_a_list_is_read_page_by_page_and_says_what_its_items_are(cluster, namespace, monkeypatch):
    monkeypatch.setattr(client, "_PAGE", 3)
    await asyncio.gather(*(cluster.apply(config_map(namespace, f"c{number}")) for number in range(8)))
    found = await cluster.list("ConfigMap", namespace, labels={"app": "blog"})
    assert [item["metadata"]["name"] for item in found.items] == [f"c{number}" for number in range(8)]
    assert {(item["apiVersion"], item["kind"]) for item in found.items} == {("v1", "ConfigMap")}
    only = await cluster.list("ConfigMap", namespace, fields="metadata.name=c3")
    assert len(only.items) == 1


async def test_what_is_invalid_is_told_field_by_field(cluster, namespace):
    wrong = deployment(namespace, replicas=-1)
    wrong["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    with pytest.raises(Rejected) as rejected:
        await cluster.apply(wrong)
    assert "spec.replicas: " in rejected.value.detail
    assert "spec.template.metadata.labels: " in rejected.value.detail


async def test_a_value_of_a_secret_is_in_no_message(cluster, namespace):
    wrong = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "blog-secrets", "namespace": namespace},
        "type": "kubernetes.io/tls",
        "stringData": {"hunter/2": "hunter2"},
    }
    with pytest.raises(Rejected) as rejected:
        await cluster.apply(wrong)
    assert "hunter2" not in f"{rejected.value.message} {rejected.value.detail}"
    assert "data" in rejected.value.detail


async def test_a_missing_right_is_named_with_a_rule_that_truly_grants_it(weak, cluster, namespace):
    async with Cluster.connect(weak) as connected:
        with pytest.raises(Forbidden) as forbidden:
            await connected.list("Deployment", namespace)
        assert forbidden.value.message.endswith(f"weak may not list deployments in namespace {namespace}")
        rule = yaml.safe_load(forbidden.value.hint.partition("would do: ")[2].partition("; nuages doctor")[0])
        await grant(cluster, namespace, rule)

        async def granted():
            with contextlib.suppress(Forbidden):
                return (await connected.list("Deployment", namespace)).items == []

        await eventually(granted)


async def grant(cluster, namespace, rule):
    """Give the account `weak` a rule."""
    metadata = {"name": "weak", "namespace": namespace}
    api = "rbac.authorization.k8s.io"
    await cluster.apply({"apiVersion": f"{api}/v1", "kind": "Role", "metadata": metadata, "rules": [rule]})
    await cluster.apply(
        {
            "apiVersion": f"{api}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": api, "kind": "Role", "name": "weak"},
            "subjects": [{"kind": "ServiceAccount", "name": "weak", "namespace": namespace}],
        }
    )


async def test_credentials_that_are_none_say_so_and_are_not_shown(kubeconfig, tmp_path):
    async with Cluster.connect(as_token(kubeconfig, "t0ken", tmp_path / "expired")) as connected:
        with pytest.raises(Forbidden, match="does not know who we are") as refused:
            await connected.version()
    assert "t0ken" not in f"{refused.value.message} {refused.value.hint}"


async def test_a_token_of_an_exec_plugin_is_used(kubeconfig, kubectl, namespace, tmp_path):
    kubectl("create", "serviceaccount", "ci")
    token = kubectl("create", "token", "ci").strip()
    (tmp_path / "answer").write_text(f'{{"status": {{"token": "{token}"}}}}')
    document = yaml.safe_load(kubeconfig.read_text())
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "cat", "args": [str(tmp_path / "answer")]}
    document["users"][0]["user"] = {"exec": {**plugin, "interactiveMode": "Never"}}
    (tmp_path / "config").write_text(yaml.safe_dump(document))
    async with Cluster.connect(tmp_path / "config") as connected:
        with pytest.raises(Forbidden, match=f"system:serviceaccount:{namespace}:ci may not"):
            await connected.list("Pod", namespace)


async def test_a_server_of_another_authority_is_not_trusted(kubeconfig, tmp_path):
    document = yaml.safe_load(kubeconfig.read_text())
    server = document["clusters"][0]["cluster"]["server"]
    document["clusters"][0]["cluster"] = {"server": server}
    (tmp_path / "config").write_text(yaml.safe_dump(document))
    async with Cluster.connect(tmp_path / "config") as connected:
        with pytest.raises(Unreachable, match="does not prove"):
            await connected.version()


async def test_kinds_that_nuages_does_not_know_are_discovered(cluster):
    assert await cluster.get("APIService", None, "v1.apps")
    with pytest.raises(Rejected, match="knows no Postgresql"):
        await cluster.list("Postgresql")


async def test_a_service_without_pods_answers_503_through_the_api_server(cluster, namespace):
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}},
    }
    await cluster.apply(service)

    async def answered():
        status, body = await cluster.service_get(namespace, "web", 80, "/-/ready")
        return status == 503 and b"no endpoints available" in body

    await eventually(answered)


async def test_the_clusters_identity_needs_no_right(weak, cluster):
    assert Cluster.connect(weak).identity == cluster.identity
    assert cluster.identity.startswith("sha256:")
