"""What is rendered for CloudNativePG is what its own definitions allow; its operator's part, its words, is played."""

from __future__ import annotations

import asyncio
import json
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path

import msgspec
import pytest
import yaml
from eventually import eventually
from test_render_is_accepted import missing

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.errors import Gone, Refused, Rejected
from nuages.host.command import run
from nuages.kube.failures import Asked
from nuages.local.gotool import compiler
from nuages.local.toolchain import MODULE
from nuages.progress import silent
from nuages.release import claims, destroy, engine
from nuages.release.deploy import deploy
from nuages.release.keeping import backups, upgrade
from nuages.release.phases import verify
from nuages.release.record import Outcome
from nuages.release.services import look
from nuages.release.services.apply import apply
from nuages.release.services.change import Way
from nuages.release.services.record import Outcome as Ended
from nuages.render.manifest import services
from nuages.rollout.cloudnativepg import HEALTHY
from nuages.spec.load import load, parse

pytestmark = pytest.mark.api

EXAMPLE = Path(__file__).parents[2] / "examples/cloudnativepg.nuages.yaml"
VERSION = "v1.25.1"
GROUP = "postgresql.cnpg.io"
KINDS = {"clusters": "Cluster", "scheduledbackups": "ScheduledBackup"}
SPEC = """
name: blog
image: registry.example.com/acme/blog
services: {postgres: {cloudnativepg: {instances: 2, storage: 10Gi}}}
databases: {default: postgres}
secrets: {SECRET_KEY: {generate: true}}
environments: {local: {namespace: NAMESPACE}}
"""
BUILD = Build(
    reference="registry.example.com/acme/blog@sha256:" + "1" * 64,
    wsgi="blog.wsgi:application",
    settings="blog.settings",
    migrations={"posts": ["0001_initial"]},
)


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch):
    """No pod answers requests here, so none is waited for."""
    monkeypatch.setattr(verify, "VERIFY", timedelta(0))
    monkeypatch.setattr(engine, "PATIENCE", 0)


@cache
def defined():
    """The CustomResourceDefinitions, by their plurals, as that version of the operator installs them."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "go.mod").write_text("module cloudnativepg\n\ngo 1.24\n")
        asked = [compiler(MODULE, silent), "mod", "download", "-json"]
        asked += [f"github.com/cloudnative-pg/cloudnative-pg@{VERSION}"]
        found = Path(json.loads(run(asked, cwd=Path(folder)))["Dir"]) / "config/crd/bases"
    return {plural: yaml.safe_load((found / f"{GROUP}_{plural}.yaml").read_text()) for plural in KINDS}


@pytest.fixture
async def definitions(cluster):
    """Its kinds, known to the API server; they stay."""
    for plural, definition in defined().items():
        definition["metadata"].pop("creationTimestamp", None)
        await eventually(lambda plural=plural: not_on_its_way_out(cluster, plural), 120)
        await cluster.apply(definition)
    for kind in KINDS.values():
        await eventually(lambda kind=kind: served(cluster, kind), 120)


async def definition_of(cluster, plural):
    return await cluster.get("CustomResourceDefinition", None, f"{plural}.{GROUP}")


async def not_on_its_way_out(cluster, plural):
    found = await definition_of(cluster, plural)
    return found is None or "deletionTimestamp" not in found["metadata"]


async def served(cluster, kind):
    try:
        await cluster.list(kind, "default")
    except (Gone, Rejected):
        return False
    return True


def app(namespace, spec=SPEC, **replaced):
    for old, new in ({"NAMESPACE": namespace} | replaced).items():
        spec = spec.replace(old, new)
    return resolve(parse(spec.encode(), "nuages.yaml"), "local")


async def says(cluster, namespace, **status):
    """Write what its operator would."""
    await cluster._transport.send(
        "PATCH",
        f"/apis/{GROUP}/v1/namespaces/{namespace}/clusters/blog-db/status",
        Asked("patch", "clusters"),
        body=msgspec.json.encode({"status": status}),
        content_type="application/merge-patch+json",
    )


async def healthy(cluster, namespace, ready=2):
    await says(
        cluster, namespace, phase=HEALTHY, readyInstances=ready, currentPrimary="blog-db-1", targetPrimary="blog-db-1"
    )


async def made(cluster, namespace):
    async def there():
        return await cluster.get("Cluster", namespace, "blog-db") is not None

    await eventually(there, 120)


async def test_an_operator_that_is_missing_is_found_before_anything_is_touched(cluster, namespace):
    for plural in KINDS:
        await cluster.delete("CustomResourceDefinition", None, f"{plural}.{GROUP}")

    async def gone():
        there = [await definition_of(cluster, plural) for plural in KINDS]
        return not any(there) and not await served(cluster, "Cluster")

    await eventually(gone, 120)
    with pytest.raises(Refused) as refused:
        await claims.check(app(namespace), cluster)
    assert [finding.id for finding in refused.value.findings] == ["release.E385"]


@pytest.mark.usefixtures("definitions")
async def test_rows_that_are_served_are_not_left_for_an_empty_database(cluster, namespace):
    run = app(namespace, cloudnativepg="run", **{"instances: 2, ": ""})
    for item in services(run):
        await cluster.apply(item)
    with pytest.raises(Refused) as refused:
        await claims.check(app(namespace), cluster)
    assert [finding.id for finding in refused.value.findings] == ["release.E395"]
    await cluster.delete("StatefulSet", namespace, "blog-postgres")
    await claims.check(app(namespace), cluster)


@pytest.mark.usefixtures("definitions")
async def test_its_definitions_keep_all_that_is_sent(cluster, namespace):
    example = resolve(load(EXAMPLE), "production")
    for item in services(msgspec.structs.replace(example, namespace=namespace)):
        kept = await cluster.apply(item)
        assert missing(item["spec"], kept["spec"]) == []


@pytest.mark.usefixtures("definitions")
async def test_a_release_waits_until_it_can_be_written_to_and_never_changes_it(cluster, namespace, kubelet):
    wanted = app(namespace)
    release = asyncio.create_task(deploy(wanted, BUILD, cluster, silent))
    await made(cluster, namespace)
    await says(cluster, namespace, phase="Setting up primary")
    # Nothing that needs it is made meanwhile.
    assert await cluster.get("Job", namespace, "blog-migrate-1") is None
    assert await cluster.get("Deployment", namespace, "blog-web-main") is None
    assert not release.done()
    await healthy(cluster, namespace, ready=1)
    assert (await release).outcome is Outcome.LIVE

    before = await cluster.get("Cluster", namespace, "blog-db")
    larger = app(namespace, instances="storage: 20Gi, instances", **{", storage: 10Gi": ""})
    assert (await deploy(larger, BUILD, cluster, silent)).outcome is Outcome.LIVE
    after = await cluster.get("Cluster", namespace, "blog-db")
    assert after["metadata"]["generation"] == before["metadata"]["generation"]

    # It goes with its data only, and its volumes go with it.
    remade, data = await destroy.contents(larger, cluster)
    assert "Cluster" in {item["kind"] for item in data}
    assert "Cluster" not in {item["kind"] for item in remade}


@pytest.mark.usefixtures("definitions")
async def test_changes_are_planned_and_applied_as_those_of_any_store_are(cluster, namespace):
    wanted = app(namespace)
    (store,) = await look.look(wanted, cluster)
    assert store.way is Way.MAKE
    for item in services(wanted):
        await cluster.apply(item)
    (entry,) = (await look.listing(wanted, cluster)).services
    assert (entry.where, entry.ready, entry.storage) == ("cluster", False, "10Gi")
    await healthy(cluster, namespace)
    assert (await look.look(wanted, cluster))[0].way is Way.SAME

    grown = app(namespace, **{"10Gi": "20Gi"})
    (store,) = await look.look(grown, cluster)
    assert (store.way, store.storage) == (Way.GROW, "20Gi")
    more = app(namespace, **{"instances: 2": "instances: 3"})
    (store,) = await look.look(more, cluster)
    assert (store.way, [field.path for field in store.fields]) == (Way.ROLL, ["spec.instances"])
    (store,) = await look.look(app(namespace, **{"10Gi": "5Gi"}), cluster)
    assert (store.way, [finding.id for finding in store.findings]) == (Way.REFUSED, ["release.E382"])

    changing = asyncio.create_task(apply(more, cluster, silent))

    async def asked():
        return (await cluster.get("Cluster", namespace, "blog-db"))["spec"]["instances"] == 3

    await eventually(asked, 120)
    await says(cluster, namespace, phase="Creating a new replica")
    await healthy(cluster, namespace, ready=3)
    (changed,) = await changing
    assert (changed.service, changed.outcome) == ("postgres", Ended.DONE)


async def test_what_its_operator_does_is_not_done_a_second_time(cluster, namespace):
    with pytest.raises(Refused) as no:
        backups.check(app(namespace))
    assert "kubectl cnpg backup" in no.value.findings[0].hint
    with pytest.raises(Refused) as no:
        await upgrade.plan(app(namespace), cluster)
    assert [finding.id for finding in no.value.findings] == ["release.E370"]
