"""A plan against a real API server: it says what a deploy would do, changes nothing, and shows no secret."""

from __future__ import annotations

import asyncio
import base64
import json

import msgspec
import pytest
import yaml
from admission import refuses
from eventually import allowed, eventually
from test_release import BUILD, blog

from nuages.errors import NotOurs, Refused
from nuages.kube.client import Cluster
from nuages.kube.failures import Asked
from nuages.progress import silent
from nuages.release import deploy, records, secrets, values
from nuages.release.plan import objects, saved
from nuages.release.plan.make import make
from nuages.release.plan.shape import Action, Outcome
from nuages.release.record import Outcome as Outcomes
from nuages.release.record import Stored, encode
from nuages.release.world import utc
from nuages.render.release import Manifest

pytestmark = pytest.mark.api

URL = "redis://:hunter2-in-a-url@cache:6379/0"
DSN = "https://0123456789abcdef0123456789abcdef@o1.ingest.example.com/42"
GIVEN = {"COLOR: orange": f"COLOR: orange\n  CACHE_URL: {URL}", "SECRET_KEY: {generate: true}": "SENTRY_DSN: {}"}


@pytest.fixture
async def released(namespace, cluster, kubelet, tmp_path):
    """The blog as a release leaves it, with a password in a variable and a secret that was set."""
    app = blog(namespace, tmp_path, **GIVEN)
    await values.put(app, {"SENTRY_DSN": DSN.encode()}, cluster)
    await secrets.ensure(app, cluster)
    wanted = deploy.plan(app, BUILD, await secrets.copy(app, cluster), [])
    lives = await asyncio.gather(*(cluster.apply(item) for item in objects.stateful(wanted.manifest.objects)))
    record = wanted.record.begun("web", utc(), lives).closed(Outcomes.LIVE, utc())
    await cluster.create(encode(msgspec.structs.replace(wanted, record=record)))
    for item in lives:
        for claim in item["spec"].get("volumeClaimTemplates", ()) if item["kind"] == "StatefulSet" else ():
            name = f"{claim['metadata']['name']}-{item['metadata']['name']}-0"
            await eventually(lambda name=name: cluster.get("PersistentVolumeClaim", namespace, name))
    return app


async def everything(cluster, namespace):
    """All that people and nuages write in a namespace; what controllers say of it is no part of that."""
    kinds = ["ConfigMap", "Secret", "Service", "Deployment", "StatefulSet", "ServiceAccount", "NetworkPolicy"]
    kinds += ["PodDisruptionBudget", "PersistentVolumeClaim", "Job", "Lease"]
    lists = await asyncio.gather(*(cluster.list(kind, namespace) for kind in kinds))
    return [written(item) for found in lists for item in found.items]


def written(item):
    """An object without what the API server and controllers write into it."""
    theirs = ("managedFields", "resourceVersion", "generation", "annotations")
    metadata = {key: value for key, value in item["metadata"].items() if key not in theirs}
    said = item["metadata"].get("annotations", {})
    said = {key: value for key, value in said.items() if not key.split("/")[0].endswith("kubernetes.io")}
    return {key: value for key, value in item.items() if key != "status"} | {
        "metadata": metadata | {"annotations": said}
    }


async def by_hand(cluster, namespace, kind, name, patch, manager="kubectl-edit"):
    """Change an object as somebody with kubectl does."""
    plural = {"Deployment": "apis/apps/v1/namespaces/{}/deployments", "Service": "api/v1/namespaces/{}/services"}[kind]
    await cluster._transport.send(
        "PATCH",
        f"/{plural.format(namespace)}/{name}",
        Asked("patch", kind),
        parameters={"fieldManager": manager},
        body=msgspec.json.encode(patch),
        content_type="application/strategic-merge-patch+json",
    )


def container(**fields):
    return {"spec": {"template": {"spec": {"containers": [{"name": "web", **fields}]}}}}


def actions(plan, *wanted):
    return {(one.kind, one.name) for one in plan.objects if one.action in wanted}


async def test_before_the_first_deploy_everything_is_new_and_nothing_is_made(namespace, cluster, tmp_path):
    before = await everything(cluster, namespace)
    plan = (await make(blog(namespace, tmp_path), BUILD, cluster, silent)).plan
    assert (plan.release, plan.serving, plan.changes, plan.refused) == (1, None, True, False)
    assert {one.action for one in plan.objects} == {Action.CREATE}
    assert ("Deployment", "blog-web-main") in actions(plan, Action.CREATE)
    assert plan.migrations.known
    assert plan.back is None
    assert await everything(cluster, namespace) == before


async def test_what_is_live_needs_no_change_and_a_plan_makes_none(released, cluster, namespace):
    before = await everything(cluster, namespace)
    made = await make(released, BUILD, cluster, silent)
    assert (made.plan.objects, made.plan.drift, made.plan.rolls) == ((), (), ())
    assert not made.plan.changes
    assert not made.plan.migrations.known  # nobody plays the project's answer here
    assert await everything(cluster, namespace) == before


async def test_a_change_is_told_field_by_field_with_what_starts_anew(released, cluster, namespace, tmp_path):
    other = {**GIVEN, "COLOR: orange": f"COLOR: maroon\n  CACHE_URL: {URL}", "replicas: 3": "replicas: 2"}
    app = blog(namespace, tmp_path, **other)
    await values.put(app, {"SENTRY_DSN": (DSN + "1").encode()}, cluster)
    plan = (await make(app, BUILD, cluster, silent)).plan
    told = {field.path: (field.before, field.after) for one in plan.objects for field in one.fields}
    assert told["data.COLOR"] == ("orange", "maroon")
    assert told["spec.replicas"] == ("3", "2")
    assert plan.secrets == ("SENTRY_DSN",)
    (roll,) = plan.rolls
    assert (roll.name, roll.why) == ("blog-web-main", ("configuration", "secrets"))


async def test_drift_is_shown_with_its_manager_and_what_comes_of_it(released, cluster, namespace):
    await by_hand(cluster, namespace, "Deployment", "blog-web-main", {"spec": {"replicas": 5}}, "kubectl-scale")
    undeclared = container(env=[{"name": "DEBUG_SQL", "value": "1"}])
    await by_hand(cluster, namespace, "Deployment", "blog-web-main", undeclared, "kubectl-set")
    plan = (await make(released, BUILD, cluster, silent)).plan
    told = {(one.path.rpartition(".")[2], one.manager, one.outcome) for one in plan.drift}
    assert told == {("replicas", "kubectl-scale", Outcome.TAKEN_BACK), ("value", "kubectl-set", Outcome.LEFT)}
    assert plan.changes
    assert not plan.refused
    limits = container(resources={"limits": {"memory": "300Mi"}})
    await by_hand(cluster, namespace, "Deployment", "blog-web-main", limits)
    plan = (await make(released, BUILD, cluster, silent)).plan
    (finding,) = [one for one in plan.findings if one.id == "release.E360"]
    assert "limits.memory was set by hand (kubectl-edit)" in finding.message
    assert plan.refused
    manifest = (await make(released, BUILD, cluster, silent)).wanted.manifest
    with pytest.raises(Refused) as refused:
        await objects.refuse(released, manifest, cluster)
    assert [one.id for one in refused.value.findings] == ["release.E360"]


async def test_what_somebody_removed_is_made_again_and_what_nothing_needs_is_removed(
    released, cluster, namespace, tmp_path
):
    await cluster.delete("PodDisruptionBudget", namespace, "blog-web-main")
    unexposed = msgspec.structs.replace(released, expose=None)
    plan = (await make(unexposed, BUILD, cluster, silent)).plan
    (again,) = [one for one in plan.objects if one.kind == "PodDisruptionBudget"]
    assert (again.action, again.note) == (Action.CREATE, "somebody removed it")
    assert ("Service", "blog-public") in actions(plan, Action.REMOVE) or actions(plan, Action.REMOVE)


async def test_a_field_that_never_changes_is_refused_with_the_way(released, cluster, namespace):
    made = await make(released, BUILD, cluster, silent)
    for item in made.wanted.manifest.web:
        if item["kind"] == "Deployment":
            item["spec"]["selector"]["matchLabels"]["extra"] = "label"
            item["spec"]["template"]["metadata"]["labels"]["extra"] = "label"
    with pytest.raises(Refused) as refused:
        await objects.refuse(released, made.wanted.manifest, cluster)
    (finding,) = refused.value.findings
    assert finding.id == "release.E361"
    assert "immutable" in finding.message
    assert finding.hint.startswith(f"kubectl -n {namespace} delete deployment blog-web-main")


async def test_what_the_cluster_would_refuse_is_known_before(released, cluster, namespace):
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few", "namespace": namespace},
        "spec": {"hard": {"count/poddisruptionbudgets.policy": "1"}},
    }
    await cluster.create(quota)
    await cluster.delete("PodDisruptionBudget", namespace, "blog-web-main")
    one = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "x", "namespace": namespace}}
    one["spec"] = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "x"}}}
    await eventually(lambda: refuses(cluster, namespace, "exceeded quota", wanted=one))
    plan = (await make(released, BUILD, cluster, silent)).plan
    (finding,) = [one for one in plan.findings if one.id == "release.E362"]
    assert "exceeded quota: few" in finding.message
    assert plan.refused


async def test_objects_of_somebody_else_are_named(namespace, cluster, tmp_path):
    mine = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "blog-web-main", "namespace": namespace, "labels": {"app": "by-hand"}},
        "spec": {"ports": [{"port": 80}]},
    }
    await cluster.create(mine)
    app = blog(namespace, tmp_path)
    made = await make(app, BUILD, cluster, silent)
    assert [one.id for one in made.plan.findings if one.level == "error"] == ["release.E311"]
    with pytest.raises(NotOurs):
        await objects.refuse(app, made.wanted.manifest, cluster)


async def test_no_secret_is_in_a_plan_nor_in_what_is_kept_of_it(released, cluster, namespace, tmp_path):
    stolen = [
        {"name": "OTHER_URL", "value": "postgres://blog:hunter2-in-a-url@db/blog"},
        {"name": "STRIPE_API_KEY", "value": "sk_live_hunter2"},
        {"name": "INNOCENT", "value": DSN},
    ]
    await by_hand(cluster, namespace, "Deployment", "blog-web-main", container(env=stolen), "kubectl-set")
    annotation = {"metadata": {"annotations": {"proxy": URL, "copied": DSN}}}
    await by_hand(cluster, namespace, "Service", "blog-web-main", annotation)
    app = blog(namespace, tmp_path, **{**GIVEN, "COLOR: orange": f"COLOR: maroon\n  CACHE_URL: {URL}1"})
    await values.put(app, {"SENTRY_DSN": b"another-hunter2-value"}, cluster)
    made = await make(app, BUILD, cluster, silent)
    saved.write(saved.freeze(made, cluster), tmp_path / "plan.json")
    said = msgspec.json.encode(made.plan).decode() + (tmp_path / "plan.json").read_text()
    known = [
        value
        for secret in (await cluster.list("Secret", namespace)).items
        for key, value in secrets.decoded(secret).items()
        if key != "user"
    ]
    hidden = {value.decode() for value in known} | {base64.b64encode(value).decode() for value in known}
    hidden |= {"hunter2", "0123456789abcdef", "sk_live"}
    assert len(hidden) > 6
    assert [value for value in hidden if value in said] == []
    assert "STRIPE_API_KEY" in said
    assert (tmp_path / "plan.json").stat().st_mode & 0o77 == 0


async def test_a_plan_that_was_kept_holds_until_the_world_moves(released, cluster, namespace, tmp_path):
    async def moved(app=released):
        """What the kept plan says of the world, once something was done."""
        try:
            await saved.check(kept, app, cluster, await records.history(cluster, namespace, "blog", "local"))
        except Refused as refused:
            return [f"{one.place}: {one.message}" for one in refused.findings]
        return []

    async def keep():
        path = tmp_path / "plan.json"
        saved.write(saved.freeze(await make(released, BUILD, cluster, silent), cluster), path)
        return saved.read(path)

    async def edited(patch, manager="kubectl-edit"):
        await by_hand(cluster, namespace, "Deployment", "blog-web-main", patch, manager)

    kept = await keep()
    saved.meant(kept, released, cluster)
    await edited({"metadata": {"annotations": {"deployment.kubernetes.io/revision": "7"}}}, "kube-controller-manager")
    assert await moved() == []
    other = await moved(blog(namespace, tmp_path, **{**GIVEN, "COLOR: orange": "COLOR: maroon"}))
    assert [one.partition(": ")[0].rstrip("0123456789abcdef") for one in other] == [
        "ConfigMap/blog-env-",
        "ConfigMap/blog-env-",
        "Deployment/blog-web-main",
    ]
    await edited(container(env=[{"name": "DEBUG", "value": "1"}]))
    path = "spec.template.spec.containers[web]"
    assert await moved() == [f"Deployment/blog-web-main: {path}.env[DEBUG].value was changed"]
    kept = await keep()
    await edited(container(resources={"limits": {"memory": "300Mi"}}))
    await cluster.delete("PodDisruptionBudget", namespace, "blog-web-main")
    live = await cluster.get("Service", namespace, "blog-web-main")
    await cluster.delete("Service", namespace, "blog-web-main")
    about = {key: live["metadata"][key] for key in ("name", "namespace", "labels")}
    await cluster.create({"apiVersion": "v1", "kind": "Service", "spec": live["spec"], "metadata": about})
    assert sorted(await moved()) == [
        f"Deployment/blog-web-main: {path}.resources.limits.memory was changed",
        "PodDisruptionBudget/blog-web-main: was removed",
        "Service/blog-web-main: is another one of that name",
    ]
    kept = await keep()
    await values.put(released, {"SENTRY_DSN": b"another"}, cluster)
    assert await moved() == ["secrets: values were set since"]
    kept = await keep()
    ours = (await records.history(cluster, namespace, "blog", "local"))[0].record
    await cluster.create(encode(Stored(record=msgspec.structs.replace(ours, number=2), manifest=kept_manifest())))
    assert (await moved())[0].startswith("releases: release 2 of ")


def kept_manifest():
    return Manifest(foundation=[], services=[], expand=[], web=[], exposure=[])


async def test_without_rights_a_plan_says_what_it_could_not_look_at(released, cluster, namespace, kubeconfig, tmp_path):
    rules = [
        {"apiGroups": ["", "apps", "policy", "networking.k8s.io"], "resources": ["*"], "verbs": ["get", "list"]},
    ]
    about = {"name": "reader", "namespace": namespace}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": about}
    await cluster.create({**role, "rules": [{**rules[0], "resources": [
        "configmaps", "services", "deployments", "statefulsets", "serviceaccounts", "networkpolicies",
        "poddisruptionbudgets", "persistentvolumeclaims", "pods",
    ]}]})  # fmt: skip
    subject = {"kind": "ServiceAccount", "name": "blog", "namespace": namespace}
    binding = {**role, "kind": "RoleBinding", "subjects": [subject], "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader",
    }}  # fmt: skip
    await cluster.create(binding)
    asked = await cluster._transport.send(
        "POST",
        f"/api/v1/namespaces/{namespace}/serviceaccounts/blog/token",
        Asked("create", "token"),
        body=json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}).encode(),
    )
    document = yaml.safe_load(kubeconfig.read_text())
    document["users"][0]["user"] = {"token": asked.json()["status"]["token"]}
    weak = tmp_path / "weak"
    weak.write_text(yaml.safe_dump(document))
    async with Cluster.connect(weak) as reader:
        await allowed(reader, "ConfigMap", namespace)
        plan = (await make(released, BUILD, reader, silent)).plan
    ids = {one.id for one in plan.findings}
    assert {"release.W364", "release.E363", "release.W367"} <= ids
    assert plan.refused
