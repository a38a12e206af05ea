"""Another major version of PostgreSQL: which volume its set has, and what the pod that fills it may touch."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nuages.app.components import App, resolve
from nuages.app.objects import Object
from nuages.errors import Refused
from nuages.kube.client import Cluster
from nuages.progress import silent
from nuages.release.keeping import upgrade as upgrades
from nuages.release.services import apply, volumes
from nuages.release.services.change import claimed, major
from nuages.release.services.look import fitting
from nuages.release.services.volumes import full
from nuages.render import upgrade
from nuages.render.labels import DATA
from nuages.render.manifest import services
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

SPEC = """\
name: blog
image: a/b
services: {postgres: {run: {version: "17", storage: 2Gi, storageClass: fast}}}
environments: {local: }
"""


@pytest.fixture
def app() -> App:
    return resolve(parse(SPEC.encode(), "nuages.yaml"), "local")


def made(app: App) -> Object:
    return next(item for item in services(app) if item["kind"] == "StatefulSet")


def test_a_set_stands_on_the_volume_that_was_filled_for_its_version(app: App) -> None:
    moved = upgrade.housed(made(app), upgrade.moved(major(made(app))))
    assert (claimed(made(app)), claimed(moved)) == ("data-blog-postgres-0", "data-17-blog-postgres-0")
    (container,) = moved["spec"]["template"]["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {"data-17", "run", "shm", "tmp"}
    assert upgrade.housed(moved, upgrade.CLAIM) == made(app)
    # What is applied over it later keeps its name.
    assert claimed(fitting(upgrade.housed(made(app), "data-17"), moved)) == "data-17-blog-postgres-0"


def test_the_new_volume_is_as_the_spec_says_and_full_when_it_says_so(app: App) -> None:
    claim = upgrade.claim(app, "data-17-blog-postgres-0", made(app))
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"] == {"requests": {"storage": "2Gi"}}
    assert claim["metadata"]["annotations"][DATA] == "true"  # nothing prunes it
    assert not full(claim)
    claim["metadata"]["annotations"][upgrade.FILLED] = "true"
    assert full(claim)
    assert not full(None)


def test_the_pod_that_fills_it_has_the_new_version_s_programs_and_that_volume_alone(app: App) -> None:
    job = upgrade.fill(app, "blog-upgrade-x", "data-17-blog-postgres-0")
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "docker.io/library/postgres:17"
    claims = [volume["persistentVolumeClaim"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume]
    assert claims == [{"claimName": "data-17-blog-postgres-0"}]
    assert job["spec"]["backoffLimit"] == 0  # a second attempt would find half a copy


@pytest.mark.parametrize("script", [upgrade.REOPEN, upgrade._FILL])
def test_no_two_dollar_signs_stand_side_by_side(script: str) -> None:
    assert "$$" not in script  # the kubelet makes one of them


class Held:
    """A cluster that has these objects, and keeps what is done to them."""

    def __init__(self, *items: Object) -> None:
        self.items = {(item["kind"], item["metadata"]["name"]): item for item in items}
        self.done: list[tuple[str, ...]] = []

    async def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self.items.get((kind, name))

    async def list(self, kind: str, namespace: str, labels: dict[str, str]) -> Any:
        return SimpleNamespace(items=[item for (of, _), item in self.items.items() if of == kind])

    async def patch_merge(self, kind: str, namespace: str, name: str, patch: Object) -> None:
        (said,) = patch["metadata"]["annotations"].values()
        self.done.append(("marked", name, said))

    async def apply(self, item: Object) -> None:
        self.done.append(("applied", item["kind"], major(item)))


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was taken away."""
    names: list[str] = []

    async def without(live: Object, cluster: Cluster, *, propagation: str) -> None:
        names.append(live["metadata"]["name"])

    monkeypatch.setattr(volumes, "without", without)
    monkeypatch.setattr(upgrades, "without", without)
    return names


def filled(app: App, version: str, said: str = "true") -> Object:
    claim = upgrade.claim(app, f"data-{version}-blog-postgres-0", made(app))
    claim["metadata"]["annotations"][upgrade.FILLED] = said
    return claim


def of(app: App, version: str) -> Object:
    item = made(app)
    item["spec"]["template"]["spec"]["containers"][0]["image"] = f"docker.io/library/postgres:{version}"
    return item


def test_a_set_that_is_made_anew_has_the_newest_volume_or_is_refused(app: App) -> None:
    async def placed(wanted: Object, *claims: Object) -> str:
        return claimed(await volumes.placed(wanted, None, cast("Cluster", Held(*claims))))

    assert asyncio.run(placed(of(app, "15"))) == "data-blog-postgres-0"
    assert asyncio.run(placed(of(app, "15"), filled(app, "17", "false"))) == "data-blog-postgres-0"
    assert asyncio.run(placed(of(app, "17"), filled(app, "16"), filled(app, "17"))) == "data-17-blog-postgres-0"
    for version, claims in (("15", ("17",)), ("16", ("16", "17")), ("18", ("17",))):
        with pytest.raises(Refused) as refused:  # by a release of before, or another branch's nuages.yaml
            asyncio.run(placed(of(app, version), *(filled(app, one) for one in claims)))
        assert 'version: "17"' in refused.value.findings[0].hint


def test_what_was_filled_is_given_up_before_the_old_server_is_written_to(
    app: App, gone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    live = upgrade.housed(of(app, "16"), "data-16")
    cluster = Held(live, filled(app, "16"), filled(app, "17"), upgrade.fill(app, "fills", "data-17-blog-postgres-0"))

    async def ran(app: App, job: Object, cluster: Held, say: object) -> None:
        cluster.done.append(("ran", job["metadata"]["name"][:11]))

    monkeypatch.setattr(apply, "ran", ran)
    asyncio.run(apply.reopen(app, cast("Cluster", cluster), silent))
    assert gone == ["fills"]  # it may be at work still, and would close it again
    assert cluster.done == [("marked", "data-17-blog-postgres-0", "false"), ("ran", "blog-reopen")]


def test_a_volume_is_emptied_behind_the_job_that_names_it(app: App, gone: list[str]) -> None:
    claim = filled(app, "17", "false")
    cluster = Held(claim, upgrade.fill(app, "fills", "data-17-blog-postgres-0"), upgrade.fill(app, "other", "another"))
    asyncio.run(upgrades._emptied(app, "data-17-blog-postgres-0", cast("Cluster", cluster)))
    assert gone == ["fills", "data-17-blog-postgres-0"]


@pytest.mark.parametrize(
    ("there", "applied"),
    [
        ({"uid": "2", "ready": 1}, False),  # it answers after all: somebody may have written to it
        ({"uid": "2", "ready": 0}, True),
        ({"uid": "1", "ready": 1}, False),  # the old one never went
        (None, True),
    ],
)
def test_the_old_server_comes_back_only_where_nobody_can_have_written_to_the_new_one(
    app: App, gone: list[str], monkeypatch: pytest.MonkeyPatch, there: dict[str, Any] | None, applied: bool
) -> None:
    old = of(app, "15")
    old["metadata"]["uid"] = "1"
    new = made(app)
    if there:
        new["metadata"]["uid"] = there["uid"]
        new["status"] = {"readyReplicas": there["ready"]}
    cluster = Held(*([new] if there else []))
    monkeypatch.setattr(upgrades, "answers", _nothing)
    monkeypatch.setattr(upgrades, "reopen", _nothing)
    asyncio.run(upgrades._back(app, old, cast("Cluster", cluster), silent))
    assert (("applied", "StatefulSet", "15") in cluster.done) is applied
    assert bool(gone) is bool(there and applied)


async def _nothing(*_: object) -> None:
    return None


def test_the_copy_begins_when_the_server_has_said_that_it_is_read_only() -> None:
    script = upgrade._FILL
    asked = [
        script.index(part) for part in ("pg_db_role_setting", "SYSTEM SET", "SHOW default", "since=", "pg_dumpall")
    ]
    assert asked == sorted(asked)
