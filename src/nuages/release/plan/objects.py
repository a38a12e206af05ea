"""What becomes of each object: asked of the API server, which says it without doing it (a dry run of the apply)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, Forbidden, Gone, NotOurs, Refused, Rejected
from nuages.findings import Finding, Level, Place
from nuages.kube.client import MANAGER, Cluster
from nuages.kube.failures import FieldConflict
from nuages.release import ownership, record, redact, standing
from nuages.release.plan.drift import drift
from nuages.release.plan.fields import changed, fields, owned, shown
from nuages.release.plan.shape import Action, Change, Drift, Outcome
from nuages.release.record import Stored
from nuages.render import pause
from nuages.render.autoscale import HPA, SCALED_OBJECT, scaler, succeeding
from nuages.render.release import Manifest
from nuages.spec.units import bytes_of

AT_ONCE = 8
"""Requests that are under way at a time: the API server gives each user a fair share."""

HASHED = re.compile(r"-[0-9a-f]{10}$")
"""How names end that change with their content (`blog-env-1f3a9c0b2d`)."""

# What a cluster answers that has an admission webhook with side effects: it can't be asked what it would say.
# https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
_NO_DRY_RUN = "does not support dry run"

# Jobs are steps of a release, no state: what they do is told as migrations.
_STEPS = frozenset({"Job"})

Hide = Callable[[str], str]


class Found(NamedTuple):
    """One object that is wanted: what becomes of it, and what is there now."""

    change: Change
    live: Object | None
    after: Object | None
    drift: list[Drift]
    findings: list[Finding]


async def refuse(app: App, manifest: Manifest, cluster: Cluster, serving: Stored | None = None) -> None:
    """Make sure that a release does not end halfway at an object: every one of them is tried first, by a dry run.

    Raises:
        NotOurs: some belong to somebody else; all of them are named.
        Refused: some can't become what is wanted, or somebody's hand was in them.
    """
    found = await look(manifest, app.instance, cluster, redact.text, namespace=True, serving=serving, briefly=True)
    findings = [one for each in found for one in each.findings if one.level is Level.ERROR]
    # A Job is made once and not tried; one of its name may be somebody else's all the same.
    steps = [item for item in manifest.objects if item["kind"] in _STEPS]
    jobs = await asyncio.gather(*(cluster.get("Job", app.namespace, item["metadata"]["name"]) for item in steps))
    findings += [one for live in jobs if live and (one := ownership.verdict(app.instance, live))]
    if foreign := [one for one in findings if one.id in ownership.FOREIGN]:
        raise NotOurs(
            f"{len(foreign)} objects in namespace {app.namespace} belong to somebody else; nothing was touched",
            findings=foreign,
            hint="one object has one owner: choose another namespace, or remove them there",
        )
    if findings:
        raise Refused("what stands can't become what is wanted; nothing was touched", findings=findings)


async def given_back(wanted: Object, serving: int | None, cluster: Cluster) -> bool:
    """Whether each field that others own is as the release that serves made it, or may be taken back: then nobody's
    change is lost by taking it over.
    """
    about = wanted["metadata"]
    number = record.name(about["labels"]["app.kubernetes.io/name"], serving or 0)
    kept = await cluster.get("ConfigMap", about["namespace"], number) if serving else None
    live = await cluster.get(wanted["kind"], about["namespace"], about["name"])
    if kept is None or live is None:
        return False
    served = {_key(item): item for item in record.decode(kept).manifest.objects}.get(_key(wanted))
    after = await cluster.apply(wanted, dry_run=True, force=True)
    return all(one.outcome is not Outcome.BLOCKS for one in drift(live, after, wanted, redact.text, served))


async def look(
    manifest: Manifest,
    instance: str,
    cluster: Cluster,
    hide: Hide,
    *,
    namespace: bool,
    serving: Stored | None = None,
    briefly: bool = False,
) -> list[Found]:
    """What becomes of each object of a manifest, in its order; `namespace`: whether theirs is there already.

    `briefly`: what comes first in a release, is what the serving one applied, and was touched by nobody since, is not
    tried: where the cluster does not take it any more after all, that is found before the database is touched.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    stores = {_key(item) for item in manifest.services}
    served = {_key(item): item for item in serving.manifest.objects} if serving else {}
    first = {_key(item) for item in manifest.foundation} if briefly else set()
    paged = namespace and await _paged(manifest, cluster)

    async def one(wanted: Object) -> Found:
        async with gate:
            key = _key(wanted)
            if not namespace:
                return Found(Change(action=Action.CREATE, kind=key[0], name=key[1]), None, None, [], [])
            return await _look(
                pause.led(wanted) if paged else wanted,
                instance,
                cluster,
                hide,
                store=key in stores,
                served=served.get(key),
                first=key in first,
            )

    return list(
        await asyncio.gather(*(one(item) for item in stateful(manifest.objects) if item["kind"] != "Namespace"))
    )


async def _paged(manifest: Manifest, cluster: Cluster) -> bool:
    """Whether a person has put a page in front: what leads to it goes on leading there behind a release."""
    service = next((item for item in manifest.objects if pause.in_front(item)), None)
    if service is None:
        return False
    try:
        return pause.stands(await cluster.get("Deployment", service["metadata"]["namespace"], pause.page_of(service)))
    except Forbidden:
        return False  # who may not look is told so of each object


def stateful(objects: Iterable[Object]) -> list[Object]:
    """The objects that are there to stay."""
    return [item for item in objects if item["kind"] not in _STEPS]


def removed(live: list[Object]) -> list[Change]:
    """The objects that nothing needs any more."""
    return [Change(action=Action.REMOVE, kind=item["kind"], name=item["metadata"]["name"]) for item in stateful(live)]


def paired(changes: list[Change], serving: list[Object], wanted: list[Object], hide: Hide) -> list[Change]:
    """Those whose name carries their content's hash, told as one change of what they hold; the old one stays as long as
    a record needs it.
    """
    old = {(item["kind"], HASHED.sub("", item["metadata"]["name"])): item for item in serving if _hashed(item)}
    new = {_key(item): item for item in wanted}
    told, replaced = [], set()
    for change in changes:
        before = old.get((change.kind, HASHED.sub("", change.name)))
        if change.action is Action.CREATE and HASHED.search(change.name) and before:
            wants = new[change.kind, change.name]
            differ = [(path, a, b) for path, a, b in changed(before, wants, wants, "") if path[0] != "metadata"]
            gone = [(path, value, None) for path, value in fields(before).items() if path not in fields(wants)]
            all_of = [*differ, *(one for one in gone if one[0][0] != "metadata")]
            told.append(
                msgspec.structs.replace(
                    change,
                    action=Action.UPDATE,
                    replaces=before["metadata"]["name"],
                    fields=tuple(shown(change.kind, *one, hide) for one in all_of),
                )
            )
            replaced.add((before["kind"], before["metadata"]["name"]))
        else:
            told.append(change)
    return [
        change for change in told if change.action is not Action.REMOVE or (change.kind, change.name) not in replaced
    ]


async def _look(
    wanted: Object, instance: str, cluster: Cluster, hide: Hide, *, store: bool, served: Object | None, first: bool
) -> Found:
    kind, name = wanted["kind"], wanted["metadata"]["name"]
    live = await cluster.get(kind, wanted["metadata"]["namespace"], name)
    if live is not None:
        if foreign := ownership.verdict(instance, live):
            return _blocked(wanted, live, [foreign])
        if stuck := standing.verdict(wanted, live):
            return _blocked(wanted, live, stuck)
        if store:
            return _kept(wanted, live)
        if standing.granted(wanted, live):
            return Found(Change(action=Action.SAME, kind=kind, name=name), live, live, [], [])
        if first and served == wanted and _untouched(live):
            return Found(Change(action=Action.SAME, kind=kind, name=name), live, live, [], [])
        if note := _larger(wanted, live):
            return Found(Change(action=Action.KEEP, kind=kind, name=name, note=note), live, live, [], [])
    try:
        after, conflict = await _applied(await _tried(wanted, live, instance, cluster), cluster)
    except (Rejected, Gone) as no:
        if _NO_DRY_RUN in no.message:
            return _unseen(wanted, live, no)
        return _blocked(wanted, live, [_refusal(wanted, no)])
    except Forbidden as no:
        return _blocked(wanted, live, [_forbidden(wanted, no)])
    if live is None:
        return Found(Change(action=Action.CREATE, kind=kind, name=name), None, after, [], [])
    by_hand = drift(live, after, wanted, hide, served)
    findings = [_conflict(one, wanted) for one in by_hand if one.outcome is Outcome.BLOCKS]
    if conflict and all(one.outcome is Outcome.LEFT for one in by_hand):  # told by nothing: the cluster's own words
        findings = [_refusal(wanted, conflict)]
    differ = tuple(shown(kind, *one, hide) for one in changed(live, after, wanted, MANAGER))
    action = Action.BLOCKED if findings else Action.UPDATE if differ else Action.SAME
    change = Change(action=action, kind=kind, name=name, fields=differ, rolls=_rolls(live, after))
    return Found(change, live, after, [one for one in by_hand if one.outcome is not Outcome.GIVEN_BACK], findings)


def _untouched(live: Object) -> bool:
    """Whether nobody but nuages ever wrote it, apart from its status."""
    entries = live["metadata"].get("managedFields") or [{}]
    return all(one.get("manager") == MANAGER for one in entries if one.get("subresource") != "status")


async def _tried(wanted: Object, live: Object | None, instance: str, cluster: Cluster) -> Object:
    """What is tried: the object as it is applied, after what goes before it has gone."""
    if live is None and wanted["kind"] == SCALED_OBJECT:
        before = await cluster.get(HPA, wanted["metadata"]["namespace"], wanted["metadata"]["name"])
        return succeeding(wanted) if before and not ownership.verdict(instance, before) else wanted
    return _as_scaled(wanted, live)


def _as_scaled(wanted: Object, live: Object | None) -> Object:
    """With the number of pods there are, where it is handed over: a release leaves it as it is."""
    if live is None or not scaler(wanted) or "replicas" in wanted["spec"]:
        return wanted
    if ("spec", "replicas") not in owned(live, MANAGER):
        return wanted
    return {**wanted, "spec": {**wanted["spec"], "replicas": live["spec"]["replicas"]}}


async def _applied(wanted: Object, cluster: Cluster) -> tuple[Object, FieldConflict | None]:
    """The object as it would be, every declared field taken; with the conflict, where there is one."""
    try:
        return await cluster.apply(wanted, dry_run=True), None
    except FieldConflict as conflict:
        return await cluster.apply(wanted, dry_run=True, force=True), conflict


def _kept(wanted: Object, live: Object) -> Found:
    """A data store: no release changes it."""
    note = standing.kept(wanted, live) if wanted["kind"] == "StatefulSet" else ""
    action = Action.KEEP if note else Action.SAME
    return Found(
        Change(action=action, kind=wanted["kind"], name=wanted["metadata"]["name"], note=note), live, live, [], []
    )


def _larger(wanted: Object, live: Object) -> str:
    """Why a volume stays as it is: it never shrinks."""
    if wanted["kind"] != "PersistentVolumeClaim":
        return ""
    asked, has = (claim["spec"]["resources"]["requests"]["storage"] for claim in (wanted, live))
    return f"stays at {has}: a volume can't shrink to {asked}" if bytes_of(has) > bytes_of(asked) else ""


def _rolls(live: Object, after: Object) -> bool:
    """Whether its pods are started anew: a workload's do when anything in their template is another one."""
    return live["kind"] in ("Deployment", "StatefulSet", "DaemonSet") and live["spec"].get("template") != after[
        "spec"
    ].get("template")


def _blocked(wanted: Object, live: Object | None, findings: list[Finding]) -> Found:
    change = Change(action=Action.BLOCKED, kind=wanted["kind"], name=wanted["metadata"]["name"])
    return Found(change, live, None, [], findings)


def _unseen(wanted: Object, live: Object | None, no: ClusterError) -> Found:
    """One that the cluster lets nobody try: what is declared stands beside what is, and defaults are not known."""
    differ = changed(live, _merged(live, wanted), wanted, MANAGER) if live else []
    action = Action.CREATE if live is None else Action.UPDATE if differ else Action.SAME
    kind, name = wanted["kind"], wanted["metadata"]["name"]
    change = Change(action=action, kind=kind, name=name, fields=tuple(shown(kind, *one, redact.text) for one in differ))
    said = f"compared without the cluster's help: {no.message}"
    return Found(change, live, None, [], [Finding("release.I369", Level.INFO, said, _place(wanted))])


def _merged(live: Object, wanted: Object) -> Object:
    """The declared fields over those that are there, for want of the server's own merge."""
    return {**live, **{key: value for key, value in wanted.items() if key not in ("apiVersion", "kind", "metadata")}}


def _place(wanted: Object) -> Place:
    return Place(path=f"{wanted['kind']}/{wanted['metadata']['name']}")


def _conflict(found: Drift, wanted: Object) -> Finding:
    said = f"{found.path} was set by hand ({found.manager}), and a release never overwrites that silently"
    hint = f"keep it: say {found.live or 'nothing'} in nuages.yaml; or set it back to what it was, or will be: "
    hint += f"kubectl -n {wanted['metadata']['namespace']} edit {found.kind.lower()} {found.name}"
    return Finding("release.E360", Level.ERROR, said, _place(wanted), hint)


def _refusal(wanted: Object, no: ClusterError) -> Finding:
    said = no.detail.splitlines()[0] if no.detail else no.message
    if "immutable" in no.message + no.detail or "updates to statefulset spec" in no.message:
        hint = (
            f"kubectl -n {wanted['metadata']['namespace']} delete {wanted['kind'].lower()} {wanted['metadata']['name']}"
        )
        hint += ", and deploy: it is made anew; what it serves is away until then"
        return Finding("release.E361", Level.ERROR, f"can't become what is wanted: {said}", _place(wanted), hint)
    return Finding("release.E362", Level.ERROR, f"the cluster would refuse it: {said}", _place(wanted), no.hint)


def _forbidden(wanted: Object, no: Forbidden) -> Finding:
    return Finding("release.E363", Level.ERROR, f"no right to look at it: {no.message}", _place(wanted), no.hint)


def _key(item: Object) -> tuple[str, str]:
    return item["kind"], item["metadata"]["name"]


def _hashed(item: Object) -> bool:
    return bool(HASHED.search(item["metadata"]["name"]))
