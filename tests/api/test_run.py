"""Who ran what, and what is left of it, in a real cluster; its pods are played."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from nuages.app.components import resolve
from nuages.errors import Refused
from nuages.kube.failures import Asked
from nuages.kube.watch import Mirror
from nuages.progress import silent
from nuages.release import audit, forwarding, named, run
from nuages.release.audit import Ran
from nuages.release.ran import LONGEST
from nuages.spec.load import load

pytestmark = pytest.mark.api
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SPEC = """
name: blog
image: registry.example.com/acme/blog
web: {main: {}}
environments: {local: {namespace: NAMESPACE}}
"""


@pytest.fixture
def app(namespace, tmp_path):
    path = tmp_path / "nuages.yaml"
    path.write_text(SPEC.replace("NAMESPACE", namespace))
    return resolve(load(path), "local")


def ran(number, **changes):
    before = Ran(
        pod=f"blog-run-{number:05}",
        by="ada@laptop",
        command=("true",),
        release=1,
        started=NOON + timedelta(seconds=number),
    )
    return msgspec.structs.replace(before, **changes)


async def played(app, cluster, name, *, code, ended, stdin):
    """A pod that ended then."""
    wanted = run.of(app, ("true",), ttl=60)
    about = {"name": name, "namespace": app.namespace, "labels": {
        "app.kubernetes.io/name": "blog", "app.kubernetes.io/instance": "blog-local",
        "app.kubernetes.io/component": "run"}}  # fmt: skip
    container = {"name": "run", "image": "x", "stdin": stdin, "command": list(wanted.command)}
    await cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": {"containers": [container]}})
    state = {"terminated": {"exitCode": code, "finishedAt": ended.isoformat().replace("+00:00", "Z")}}
    status = {"name": "run", "image": "x", "imageID": "x", "ready": False, "restartCount": 0, "state": state}
    await cluster._transport.send(
        "PATCH",
        f"/api/v1/namespaces/{app.namespace}/pods/{name}/status",
        Asked("patch", "Pod"),
        body=msgspec.json.encode({"status": {"phase": "Failed", "containerStatuses": [status]}}),
        content_type="application/merge-patch+json",
    )


async def test_without_a_release_there_is_nothing_to_run_in(app, cluster):
    wanted = run.of(app, ("true",), ttl=60)
    with pytest.raises(Refused, match="no release of blog is live"):
        await run.start(app, wanted, cluster, kind=run.in_project, sink=silent)


async def test_two_who_run_something_at_once_are_both_written_down(app, cluster):
    await audit.write(app, ran(0), cluster)
    await asyncio.gather(*(audit.write(app, ran(number), cluster) for number in range(1, 9)))
    found = await audit.history(app, cluster)
    assert [one.pod for one in found] == [f"blog-run-{number:05}" for number in range(8, -1, -1)]


async def test_the_oldest_go_and_the_log_never_grows_beyond_its_bound(app, cluster, monkeypatch):
    monkeypatch.setattr(audit, "KEPT", 3)
    for number in range(5):
        await audit.write(app, ran(number), cluster)
    assert [one.pod[-1] for one in await audit.history(app, cluster)] == ["4", "3", "2"]


async def test_an_end_is_written_once_and_a_long_line_is_cut(app, cluster):
    await audit.write(app, ran(1, command=("echo", "x" * 5000)), cluster)
    await audit.end(app, "blog-run-00001", cluster, at=NOON, exit_code=7)
    await audit.end(app, "blog-run-00001", cluster, at=NOON, exit_code=None, note="removed")
    (found,) = await audit.history(app, cluster)
    assert (found.exit_code, found.note, len(found.command[0])) == (7, "", LONGEST + 1)


async def test_what_ended_and_was_left_is_removed_and_its_end_written_down(app, cluster):
    now = datetime.now(UTC).replace(microsecond=0)
    cases = [(1, timedelta(minutes=10), True), (2, timedelta(minutes=1), True), (3, timedelta(hours=2), False)]
    for number, ago, stdin in cases:
        await audit.write(app, ran(number), cluster)
        await played(app, cluster, f"blog-run-{number:05}", code=number, ended=now - ago, stdin=stdin)
    await run.sweep(app, cluster)
    left = (await cluster.list("Pod", app.namespace)).items
    assert {pod["metadata"]["name"] for pod in left if "deletionTimestamp" not in pod["metadata"]} == {
        "blog-run-00002",
        "blog-run-00003",
    }
    assert {one.pod[-1]: one.exit_code for one in await audit.history(app, cluster)} == {"1": 1, "2": None, "3": None}


async def test_who_opens_a_port_is_written_down_and_leaving_is_how_it_ends(app, cluster, kubelet):
    about = {"name": "blog-web-main-x", "namespace": app.namespace, "labels": {
        "app.kubernetes.io/name": "blog", "app.kubernetes.io/instance": "blog-local",
        "app.kubernetes.io/component": "web", "nuages.dev/name": "main"}}  # fmt: skip
    told = [{"name": "NUAGES_RELEASE", "value": "7"}]
    container = {"name": "web", "image": "x", "ports": [{"containerPort": 8000}], "env": told}
    await cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": {"containers": [container]}})
    async with Mirror(cluster, app.namespace, ("Pod",)) as mirror, asyncio.timeout(60):
        while not named.ready(mirror.get("Pod", "blog-web-main-x")):
            await mirror.changed(since=mirror.version)
    opened = asyncio.Event()

    async def forwards():
        wanted = [forwarding.Wanted(0, "")]
        async with forwarding.forwarded(app, "blog-web-main-x", wanted, cluster, print):
            opened.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(forwards())
    async with asyncio.timeout(60):
        await opened.wait()
    (begun,) = await audit.history(app, cluster)
    assert (begun.command[:2], begun.pod, begun.release) == (("port-forward", "blog-web-main-x"), "blog-web-main-x", 7)
    assert begun.ended is None
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (ended,) = await audit.history(app, cluster)
    assert (ended.exit_code, ended.note) == (0, "")
    assert ended.ended
