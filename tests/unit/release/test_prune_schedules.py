"""What a release removes, and what it lets end first."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from nuages.release import leftover
from nuages.release.phases import prune
from nuages.release.steps import Finished

from .examples import live, record, stored

pytestmark = pytest.mark.unit


def schedule(*active):
    return {
        "kind": "CronJob",
        "metadata": {
            "name": "blog-schedule-nightly",
            "namespace": "blog-local",
            "uid": "u-1",
            "labels": {
                "app.kubernetes.io/name": "blog",
                "app.kubernetes.io/instance": record().instance,
                "app.kubernetes.io/managed-by": "nuages",
            },
        },
        "spec": {"suspend": False},
        "status": {"active": list(active)},
    }


class Cluster:
    """One that has this schedule, and keeps what is done to it."""

    def __init__(self, item):
        self.item = item
        self.done = []

    async def get(self, kind, namespace, name):
        return self.item

    async def list(self, kind, namespace, labels):
        return SimpleNamespace(items=[])

    async def patch_merge(self, kind, namespace, name, patch):
        self.done.append(("patched", name, patch))

    async def delete(self, kind, namespace, name, **_):
        self.done.append(("deleted", name))


async def nothing(*_):
    return None


@pytest.mark.parametrize(
    ("active", "done", "note"),
    [
        ([], [("deleted", "blog-schedule-nightly")], "1 removed"),
        (
            [{"name": "blog-schedule-nightly-2960"}],
            [("patched", "blog-schedule-nightly", {"spec": {"suspend": True}})],
            "nothing to remove; blog-schedule-nightly starts nothing any more, and stays until its command has ended",
        ),
    ],
)
def test_a_schedule_that_is_no_more_takes_no_running_command_along(monkeypatch, active, done, note):
    item = schedule(*active)
    before = live(1)
    before = msgspec.structs.replace(before, manifest=msgspec.structs.replace(before.manifest, schedules=[item]))
    release = stored(record(2))

    async def history(*_):
        return [release, before]

    monkeypatch.setattr(prune.records, "history", history)
    monkeypatch.setattr(prune.records, "forget", nothing)
    cluster = Cluster(item)
    world = SimpleNamespace(
        cluster=cluster, lock=SimpleNamespace(check=nothing), mirror=SimpleNamespace(items=lambda kind: [])
    )
    step = asyncio.run(prune.prune(release, world))
    assert isinstance(step, Finished)
    assert (cluster.done, step.note) == (done, note)


def test_what_a_pod_names_is_found_wherever_it_is_named():
    pod = {
        "serviceAccountName": "blog-worker",
        "initContainers": [{"env": [{"valueFrom": {"configMapKeyRef": {"name": "one", "key": "a"}}}]}],
        "containers": [{"env": [{"name": "A", "value": "b"}], "envFrom": [{"secretRef": {"name": "two"}}]}],
        "volumes": [
            {"configMap": {"name": "three"}},
            {"secret": {"secretName": "four"}},
            {"projected": {"sources": [{"secret": {"name": "five"}}, {"configMap": {"name": "six"}}]}},
            {"emptyDir": {}},
        ],
    }
    assert leftover.references(pod) == {
        ("ServiceAccount", "blog-worker"),
        *(("ConfigMap", name) for name in ("one", "three", "six")),
        *(("Secret", name) for name in ("two", "four", "five")),
    }
