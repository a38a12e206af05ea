"""What a failed release tells, to people and in its record: the cause, and no secret; and a refusal ends as one."""

from __future__ import annotations

import base64

import msgspec
import pytest
from kubelet import Kubelet
from test_release import BUILD, _nobody_answers, blog

from nuages.errors import NotOurs, Refused, ReleaseFailed, ReleaseRefused
from nuages.progress import silent
from nuages.release import engine, records
from nuages.release.back import rollback
from nuages.release.begin import begin, entered
from nuages.release.deploy import deploy
from nuages.release.events import Teller
from nuages.release.manner import Manner
from nuages.release.record import Outcome
from nuages.release.steps import Failed
from nuages.release.trials.promotion import abort

pytestmark = pytest.mark.api
__all__ = ["_nobody_answers"]  # a fixture


async def value(cluster, namespace, secret, key):
    found = await cluster.get("Secret", namespace, secret)
    return base64.b64decode(found["data"][key]).decode()


async def test_a_value_that_a_dying_pod_says_is_in_no_message_no_event_and_no_record(
    namespace, cluster, kubelet, tmp_path, monkeypatch
):
    app = blog(namespace, tmp_path)
    await deploy(app, BUILD, cluster, silent)
    key = await value(cluster, namespace, "blog-secrets", "SECRET_KEY")
    password = await value(cluster, namespace, "blog-postgres", "password")
    says = f"no such key: {key}, nor postgres://blog:{password}@blog-postgres/blog; {password}"
    before = {pod["metadata"]["name"] for pod in (await cluster.list("Pod", namespace)).items}
    plain = Kubelet._pod

    def dying(self, pod):
        status = plain(self, pod)
        if any(one.get("name") == "web" for one in status["containerStatuses"]) and maroon(pod):
            status["conditions"] = [{"type": kind, "status": "False"} for kind in ("Ready", "ContainersReady")]
            waiting = {"waiting": {"reason": "CreateContainerConfigError", "message": says}}
            status["containerStatuses"][0] |= {"ready": False, "state": waiting}
        return status

    def maroon(pod):
        return pod["metadata"]["name"] not in before

    monkeypatch.setattr(Kubelet, "_pod", dying)
    lines: list[str] = []
    teller = Teller(lines.append)
    with pytest.raises(ReleaseFailed) as failed:
        await deploy(
            blog(namespace, tmp_path, orange="maroon"), BUILD, cluster, teller.sink, manner=Manner(returns=False)
        )
    teller.ended(failed.value)
    history = await records.history(cluster, namespace, "blog", "local")
    error = failed.value
    told = "\n".join([error.message, error.detail, error.hint, *lines, msgspec.json.encode(history).decode()])
    assert "no such key: ***" in told
    assert key not in told
    assert password not in told


async def test_what_the_project_itself_refuses_ends_as_a_refusal(namespace, cluster, kubelet, tmp_path, monkeypatch):
    async def refuses(_release, _world):
        return Failed("migrations were refused", "blog.0002", "split them", refused=True)

    monkeypatch.setitem(engine.PHASES, "expand", refuses)
    lines: list[str] = []
    teller = Teller(lines.append)
    with pytest.raises(ReleaseRefused) as refused:
        await deploy(blog(namespace, tmp_path), BUILD, cluster, teller.sink)
    teller.ended(refused.value)
    assert refused.value.exit_code == 3
    assert '"outcome":"refused"' in lines[-1]
    history = await records.history(cluster, namespace, "blog", "local")
    assert [stored.record.outcome for stored in history] == [Outcome.FAILED]


async def test_a_job_of_somebody_elses_is_found_before_anything_is_written(namespace, cluster, kubelet, tmp_path):
    app = blog(namespace, tmp_path)
    await deploy(app, BUILD, cluster, silent)
    pod = {"restartPolicy": "Never", "containers": [{"name": "it", "image": "registry.example.com/it"}]}
    metadata = {"name": "blog-migrate-default-expand-2", "namespace": namespace}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": pod}}}
    await cluster.create(job)
    with pytest.raises(NotOurs) as theirs:
        await deploy(blog(namespace, tmp_path, orange="maroon"), BUILD, cluster, silent)
    assert [str(found.place) for found in theirs.value.findings] == ["Job/blog-migrate-default-expand-2"]
    assert len(await records.history(cluster, namespace, "blog", "local")) == 1


async def test_a_rollback_that_replaced_pods_is_not_said_to_be_aborted(namespace, cluster, kubelet, tmp_path):
    app = blog(namespace, tmp_path)
    await deploy(app, BUILD, cluster, silent)
    await deploy(blog(namespace, tmp_path, orange="maroon"), BUILD, cluster, silent)
    async with entered(app, cluster, silent) as (world, history):
        begun = await begin(rollback.plan(history, 1), history, world)
        await records.save(begun, begun.record.begun("beat", world.now(), []), world)
    with pytest.raises(Refused, match="past the point"):
        await abort(app, cluster, silent)
    assert (await records.history(cluster, namespace, "blog", "local"))[0].open


async def test_a_release_whose_secrets_are_gone_is_not_gone_back_to(namespace, cluster, kubelet, tmp_path):
    app = blog(namespace, tmp_path)
    first = await deploy(app, BUILD, cluster, silent)
    await deploy(blog(namespace, tmp_path, orange="maroon"), BUILD, cluster, silent)
    await cluster.delete("Secret", namespace, first.secrets)
    with pytest.raises(Refused, match="the secrets of release 1 are gone"):
        await rollback.rollback(app, None, cluster, silent)
    assert len(await records.history(cluster, namespace, "blog", "local")) == 2
