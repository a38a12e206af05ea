"""Another major version of PostgreSQL: which volume its set has, and what the pod that fills it may touch."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from nuages.app.components import App, resolve
from nuages.app.objects import Object
from nuages.errors import CommandFailed, Refused
from nuages.kube.client import Cluster
from nuages.progress import silent
from nuages.release.keeping import upgrade as upgrades
from nuages.release.services import apply, volumes
from nuages.release.services.change import claimed, major
from nuages.release.services.look import fitting
from nuages.release.services.volumes import full
from nuages.render import backup, upgrade
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
        item = self.items[kind, name]
        notes = patch["metadata"]["annotations"]
        self.done += [("marked", name, said) for said in notes.values() if said]
        merged = {key: value for key, value in {**item["metadata"]["annotations"], **notes}.items() if value}
        self.items[kind, name] = {**item, "metadata": {**item["metadata"], "annotations": merged}}

    async def apply(self, item: Object) -> None:
        self.items[item["kind"], item["metadata"]["name"]] = item
        self.done.append(("applied", item["kind"], major(item) if item["kind"] == "StatefulSet" else ""))


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
    assert cluster.done == [
        ("marked", "data-16-blog-postgres-0", "true"),
        ("marked", "data-17-blog-postgres-0", "false"),
        ("ran", "blog-reopen"),
    ]


@pytest.mark.parametrize("stood", ["16", "17"])
def test_whoever_is_killed_before_it_is_open_has_left_word_of_it(
    app: App, gone: list[str], monkeypatch: pytest.MonkeyPatch, stood: str
) -> None:
    """A release would meet a server that takes no write, and nothing said why."""
    live = upgrade.housed(of(app, stood), f"data-{stood}")
    cluster = Held(live, filled(app, "16"), amid(app))
    live["status"] = {"readyReplicas": 1}

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    async def nothing(*_: object) -> list[object]:
        return []

    monkeypatch.setattr(apply, "ran", killed)
    monkeypatch.setattr(apply.record, "history", nothing)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(apply.reopen(app, cast("Cluster", cluster), silent))
    assert asyncio.run(volumes.amid(app.namespace, {}, cast("Cluster", cluster))) is None  # there is no way back
    with pytest.raises(Refused) as refused:
        asyncio.run(volumes.settled(of(app, stood), cast("Cluster", cluster)))
    (found,) = refused.value.findings
    assert (found.id, found.hint) == (volumes.AMID, "nuages services apply lets it be")
    assert asyncio.run(apply.unended(app, cast("Cluster", cluster)))

    monkeypatch.setattr(apply, "ran", nothing)
    asyncio.run(apply.reopen(app, cast("Cluster", cluster), silent))
    asyncio.run(volumes.settled(of(app, stood), cast("Cluster", cluster)))
    assert not asyncio.run(apply.unended(app, cast("Cluster", cluster)))


def test_a_volume_is_emptied_behind_the_job_that_names_it(app: App, gone: list[str]) -> None:
    claim = filled(app, "17", "false")
    cluster = Held(claim, upgrade.fill(app, "fills", "data-17-blog-postgres-0"), upgrade.fill(app, "other", "another"))
    asyncio.run(upgrades._emptied(app, "data-17-blog-postgres-0", cast("Cluster", cluster)))
    assert gone == ["fills", "data-17-blog-postgres-0"]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The versions that a server is found to answer in; nobody else does."""
    versions = ["15", "17"]

    async def answers(app: App, wanted: Object, cluster: Cluster, say: object) -> None:
        if major(wanted) not in versions:
            raise CommandFailed(f"{major(wanted)} does not answer")

    async def ran(app: App, job: Object, cluster: Held, say: object) -> None:
        cluster.done.append(("ran", job["metadata"]["name"][:11]))

    monkeypatch.setattr(upgrades, "answers", answers)
    monkeypatch.setattr(apply, "ran", ran)
    return versions


def amid(app: App, said: str = "true") -> Object:
    """The claim for 17 of an upgrade from 15, of which nothing is known but what the cluster has."""
    claim = filled(app, "17", said)
    old = {"apiVersion": "apps/v1", **upgrades._again({"apiVersion": "apps/v1", **of(app, "15")})}
    claim["metadata"]["annotations"][upgrade.BEFORE] = msgspec.json.encode(old).decode()
    return claim


def moved(app: App) -> Object:
    return upgrade.housed(made(app), "data-17")


@pytest.mark.parametrize("there", [True, False], ids=["the new set stands", "no set"])
def test_a_new_server_that_does_not_answer_gives_way_to_the_old_one_whoever_was_killed_before(
    app: App, gone: list[str], answering: list[str], there: bool
) -> None:
    answering.remove("17")
    cluster = Held(amid(app), *([moved(app)] if there else []))
    planned = asyncio.run(upgrades.plan(app, cast("Cluster", cluster)))
    assert (planned.before, planned.filled, planned.back) == ("15", True, False)
    with pytest.raises(CommandFailed, match="17 does not answer"):
        asyncio.run(upgrades._switched(app, cast("Cluster", cluster), lambda _: None, silent))
    live = cluster.items["StatefulSet", "blog-postgres"]
    assert (major(live), claimed(live)) == ("15", "data-blog-postgres-0")
    assert cluster.done[-1] == ("ran", "blog-reopen")
    notes = cluster.items["PersistentVolumeClaim", "data-17-blog-postgres-0"]["metadata"]["annotations"]
    assert (notes[upgrade.FILLED], upgrade.BEFORE in notes) == ("false", False)


@pytest.mark.parametrize("there", ["", "17"], ids=["no set", "the new set stands"])
def test_a_way_back_that_was_stopped_is_gone_to_its_end(
    app: App, gone: list[str], answering: list[str], there: str
) -> None:
    cluster = Held(amid(app, "false"), *([moved(app)] if there else []))
    planned = asyncio.run(upgrades.plan(app, cast("Cluster", cluster)))
    assert (planned.before, planned.after, planned.filled, planned.back) == ("15", "17", False, True)
    stopped = cluster.items["PersistentVolumeClaim", "data-17-blog-postgres-0"]
    answering.remove("15")
    with pytest.raises(CommandFailed):  # and again, as often as it takes
        asyncio.run(upgrades._back(app, stopped, cast("Cluster", cluster), silent))
    assert asyncio.run(volumes.amid(app.namespace, {}, cast("Cluster", cluster))) is not None
    answering.append("15")
    asyncio.run(upgrades._back(app, stopped, cast("Cluster", cluster), silent))
    assert major(cluster.items["StatefulSet", "blog-postgres"]) == "15"
    assert asyncio.run(volumes.amid(app.namespace, {}, cast("Cluster", cluster))) is None


def test_a_spec_with_the_old_version_again_brings_the_old_server_back(app: App, answering: list[str]) -> None:
    older = resolve(parse(SPEC.replace("17", "15").encode(), "nuages.yaml"), "local")
    planned = asyncio.run(upgrades.plan(older, cast("Cluster", Held(amid(app), moved(app)))))
    assert (planned.before, planned.after, planned.back) == ("15", "15", True)


def test_from_a_server_that_may_have_been_written_to_there_is_no_way_back(
    app: App, gone: list[str], answering: list[str]
) -> None:
    cluster = Held(amid(app), moved(app))
    asyncio.run(apply.reopen(app, cast("Cluster", cluster), silent))
    notes = cluster.items["PersistentVolumeClaim", "data-17-blog-postgres-0"]["metadata"]["annotations"]
    assert (notes[upgrade.FILLED], upgrade.BEFORE in notes) == ("true", False)
    answering.remove("17")
    with pytest.raises(CommandFailed):
        asyncio.run(upgrades._switched(app, cast("Cluster", cluster), lambda _: None, silent))
    assert gone == []
    assert major(cluster.items["StatefulSet", "blog-postgres"]) == "17"


def test_nothing_is_made_amid_an_upgrade(app: App) -> None:
    for stores in ((amid(app),), (amid(app), moved(app))):
        with pytest.raises(Refused) as refused:
            asyncio.run(volumes.settled(made(app), cast("Cluster", Held(*stores))))
        assert refused.value.findings[0].id == volumes.AMID
    with pytest.raises(Refused):
        asyncio.run(volumes.placed(made(app), None, cast("Cluster", Held(amid(app)))))
    asyncio.run(volumes.settled(made(app), cast("Cluster", Held(filled(app, "17"), moved(app)))))


def test_the_new_server_is_closed_until_it_is_known_to_answer() -> None:
    """Else one that answered once, and then not, would have been written to when the old one comes back."""
    script = upgrade._FILL
    assert script.index("new vacuumdb") < script.index(
        "new psql -XqAt -v ON_ERROR_STOP=1 -d postgres -c 'ALTER SYSTEM SET"
    )
    assert script.rindex("ALTER SYSTEM SET") < script.index("pg_ctl --mode=fast --wait --silent stop")


@pytest.mark.parametrize(("server", "follows"), [("17", "17"), ("15", "15"), ("13", "15")])
def test_what_dumps_at_its_time_is_no_older_than_the_server(server: str, follows: str) -> None:
    text = SPEC.replace("17", "15").replace("storage: 2Gi", "storage: 2Gi, backup: {to: {volume: 2Gi}}")
    (made,) = backup.schedule(resolve(parse(text.encode(), "nuages.yaml"), "local"), "image")
    newer = backup.following(made, f"docker.io/library/postgres:{server}")
    (container,) = newer["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"docker.io/library/postgres:{follows}"
    assert (newer is made) is (server != "17")


def test_the_copy_begins_when_the_server_has_said_that_it_is_read_only() -> None:
    script = upgrade._FILL
    asked = [
        script.index(part) for part in ("pg_db_role_setting", "SYSTEM SET", "SHOW default", "since=", "pg_dumpall")
    ]
    assert asked == sorted(asked)
