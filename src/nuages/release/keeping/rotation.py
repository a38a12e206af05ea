"""Another password for PostgreSQL, while requests are answered.

1. The other one of two roles gets a new password; both are good now.
2. The Secret names that role and its password.
3. Pods are replaced, as by a release: new ones log in anew, old ones go on until they end.
4. When no pod is left that knows the old password, it is taken away.

What is done is in the Secret, so whoever runs the command again goes on where it was stopped.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import CommandFailed, Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.progress import Said, Sink, step
from nuages.release.environments import sleeping
from nuages.release.keeping.jobs import fresh, ran
from nuages.release.locks import lock
from nuages.release.locks.holder import user
from nuages.release.secrets import CHANGES, Change, changes, decoded, encoded
from nuages.release.world import utc
from nuages.render import rotation
from nuages.render.labels import BACKUP, COMPONENT, POSTGRES, instance
from nuages.render.postgres import PASSWORD_KEY, USER, USER_KEY
from nuages.render.rotation import NEXT_PASSWORD, NEXT_USER, NEXT_VERIFIER, OLD_USER
from nuages.render.run import BY
from nuages.rollout.diagnosis import diagnose
from nuages.rollout.kinds import Done, Failed, View
from nuages.rollout.pods import moment
from nuages.rollout.watcher import KINDS, judge

ROTATED = "nuages.dev/rotated"
"""The annotation of a pod template that was made anew for another password: when."""

NOT_OURS = "release.E389"
NEVER_DEPLOYED = "release.E390"
BLIND = "release.E394"
PATIENCE = timedelta(seconds=60)
"""How long what a person has started is waited for."""

ITERATIONS = 4096
"""scram_iterations, as the server has it by default."""


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended."""

    user: str
    """Who logs in now."""
    workloads: list[str]
    """Whose pods were replaced."""


async def rotate(app: App, cluster: Cluster, sink: Sink) -> Rotated:
    """Give PostgreSQL another password; no process is without a good one meanwhile.

    Raises:
        Refused: it is not run by nuages, or was never deployed; or pods would log in as the wrong role.
        CommandFailed: one of the steps failed; the same command goes on there.
    """
    if app.postgres is None:
        place = Place(path="services.postgres")
        hint = "whoever runs it changes its password; then set it in its Secret, and deploy"
        if store := app.cloudnativepg:
            hint = f"its operator takes the one that you write into Secret {store.secret}; then nuages restart"
        said = f"PostgreSQL of {app.name} in {app.environment} is not run by nuages"
        raise Refused("nothing was rotated", findings=[Finding(NOT_OURS, Level.ERROR, said, place, hint)])
    held = lock.held(cluster, app.namespace, lock.name(app.name), waiting=lambda line: sink(Said(line)))
    async with held as ours:
        await sleeping.rouse(app, cluster, sink)
        name = app.postgres.name
        await _fit(app, name, cluster)
        live = await _prepared(app, name, cluster)
        if NEXT_USER in decoded(live):
            with step(sink, f"a new password for {decoded(live)[NEXT_USER].decode()}") as shown:
                await ran(app, rotation.prepare(app, fresh(app, "rotate")), cluster, shown.say)
            await ours.check()
            live = await _named(app, name, live, cluster)
        with step(sink, "replace pods") as shown:
            rolled = await _rolled(app, name, _since(live), cluster, shown.say)
            shown.note = f"{len(rolled)} rolled"
        old = decoded(live)[OLD_USER].decode()
        with step(sink, f"take the password of {old} away") as shown:
            await ours.check()
            await ran(app, rotation.retire(app, fresh(app, "rotate"), old), cluster, shown.say)
        await cluster.patch_merge("Secret", app.namespace, name, {"data": {OLD_USER: None}})
    return Rotated(user=decoded(live)[USER_KEY].decode(), workloads=rolled)


def verifier(password: str, salt: bytes) -> str:
    """What the server keeps of a password (RFC 5803, as PostgreSQL writes it): the password can't be had from it.

    https://www.postgresql.org/docs/current/catalog-pg-authid.html
    """
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    written = [base64.b64encode(one).decode() for one in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{written[0]}${written[1]}:{written[2]}"


def other(current: str) -> str:
    """The role whose turn it is."""
    return rotation.OTHER if current == USER else USER


def reads(item: Object, secret: str) -> bool:
    """Whether some container gets a value of a Secret as a variable, or the Secret as files."""
    return secret in set(_named_in(item))


def _named_in(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key in {"secretKeyRef", "secretRef"}:
                yield value["name"]
            elif key == "secret" and isinstance(value, dict) and "secretName" in value:
                yield value["secretName"]
            else:
                yield from _named_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from _named_in(value)


def blind(item: Object, secret: str) -> bool:
    """Whether some container is told the password and not whose it is, as by a release of an older nuages: with the
    other role's password it would log in as the one it always did.
    """
    pod = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
    containers = pod.get("template", {}).get("spec", {}).get("containers", [])
    keys = [{key for name, key in _keys(each) if name == secret} for each in containers]
    return any(PASSWORD_KEY in each and USER_KEY not in each for each in keys)


def _keys(container: Object) -> Iterator[tuple[str, str]]:
    for variable in container.get("env", []):
        if told := variable.get("valueFrom", {}).get("secretKeyRef"):
            yield told["name"], told["key"]


async def _fit(app: App, name: str, cluster: Cluster) -> None:
    """Make sure that whoever reads the password reads whose it is, too.

    Raises:
        Refused: some do not.
    """
    found = []
    for kind in ("Deployment", "StatefulSet", "CronJob"):
        for item in (await cluster.list(kind, app.namespace, labels=instance(app))).items:
            if item["metadata"]["labels"].get(COMPONENT) != POSTGRES and blind(item, name):
                place = Place(path=f"{kind}/{item['metadata']['name']}")
                said = f"its pods are told the password, and log in as {USER} whoever it is of"
                hint = "nuages deploy tells them; a variable of the spec's own: {service: postgres, key: user}"
                found.append(Finding(BLIND, Level.ERROR, said, place, hint))
    if found:
        raise Refused("nothing was rotated", findings=found)


async def _prepared(app: App, name: str, cluster: Cluster) -> Object:
    """The Secret, with what comes next in it; as it is where an earlier attempt has got further."""
    live = await cluster.get("Secret", app.namespace, name)
    held = decoded(live)
    if live is None or PASSWORD_KEY not in held:
        said = f"Secret {app.namespace}/{name} has no password: there is no PostgreSQL yet"
        raise Refused(
            "nothing was rotated",
            findings=[Finding(NEVER_DEPLOYED, Level.ERROR, said, Place(path="services.postgres"), "nuages deploy")],
        )
    if NEXT_USER in held or OLD_USER in held:
        return live
    password = secrets.token_urlsafe(48)
    data = {
        USER_KEY: held.get(USER_KEY, USER.encode()),
        NEXT_USER: other(held.get(USER_KEY, USER.encode()).decode()).encode(),
        NEXT_PASSWORD: password.encode(),
        NEXT_VERIFIER: verifier(password, secrets.token_bytes(16)).encode(),
    }
    return await _patched(live, {key: encoded(value) for key, value in data.items()}, {}, cluster)


async def _named(app: App, name: str, live: Object, cluster: Cluster) -> Object:
    """Let the Secret name the new role; from now on each pod that starts logs in as it."""
    held = decoded(live)
    data: dict[str, str | None] = dict.fromkeys((NEXT_USER, NEXT_PASSWORD, NEXT_VERIFIER))
    data |= {USER_KEY: encoded(held[NEXT_USER]), PASSWORD_KEY: encoded(held[NEXT_PASSWORD])}
    data |= {OLD_USER: encoded(held[USER_KEY])}
    told = changes(live) | {PASSWORD_KEY: Change(at=utc(), by=user())}
    return await _patched(live, data, {CHANGES: msgspec.json.encode(told).decode()}, cluster)


async def _patched(
    live: Object, data: dict[str, str] | dict[str, str | None], annotations: dict[str, str], cluster: Cluster
) -> Object:
    about = live["metadata"]
    version = {"resourceVersion": about["resourceVersion"], **({"annotations": annotations} if annotations else {})}
    patch = {"metadata": version, "data": data}
    return await cluster.patch_merge("Secret", about["namespace"], about["name"], patch)


def _since(live: Object) -> datetime:
    """When the Secret began to name the new role."""
    return changes(live)[PASSWORD_KEY].at


async def _rolled(app: App, secret: str, since: datetime, cluster: Cluster, say: Callable[[str], None]) -> list[str]:
    """Make all pods anew that read the Secret, and wait until none is left that did before."""
    stamp = f"{since:%Y-%m-%dT%H:%M:%SZ}"
    async with Mirror(cluster, app.namespace, KINDS, instance(app)) as mirror:
        readers = [
            item
            for kind in ("Deployment", "StatefulSet")
            for item in mirror.items(kind)
            if reads(item, secret) and item["metadata"]["labels"].get(COMPONENT) != POSTGRES
        ]
        anew = {"spec": {"template": {"metadata": {"annotations": {ROTATED: stamp}}}}}
        for item in readers:
            about = item["metadata"]
            mirror.saw(await cluster.patch_merge(item["kind"], app.namespace, about["name"], anew))
        began = utc()
        while True:
            seen = mirror.version
            waits = await _waits(readers, cluster, mirror)
            pods = left(secret, stamp, since, mirror)
            if pods and not waits and all(stays(pod, began, utc()) for pod in pods):
                raise _held_up(pods)
            waits += [f"{pod['metadata']['name']} to end" for pod in pods]
            if not waits:
                return [f"{item['kind']}/{item['metadata']['name']}" for item in readers]
            say("; ".join(waits[:3]))
            await mirror.changed(5.0, since=seen)


async def _waits(readers: list[Object], cluster: Cluster, mirror: Mirror) -> list[str]:
    """Those that are not replaced yet.

    Raises:
        CommandFailed: the new pods of one can't start; the old ones serve on, by a password that is good still.
    """
    waits = []
    for item in readers:
        name = item["metadata"]["name"]
        match judge(item, mirror, utc()):
            case Done():
                continue
            case Failed(reason):
                found = await diagnose(cluster, mirror, item)
                said = found.summary if found else reason
                detail = found.text if found else ""
                raise CommandFailed(f"{name}: {said}", detail=detail, hint="both passwords are good; run it again")
            case verdict:
                waits.append(f"{name} {verdict.reason}")
    return waits


def stays(pod: Object, began: datetime, now: datetime) -> bool:
    """Whether a pod is not waited for any longer: it is a person's, who ends it when they like; or it should have ended
    long ago, and its node may be lost. All others end by themselves: in the time that a pod has, or a Job.
    """
    about = pod["metadata"]
    if over := about.get("deletionTimestamp"):
        return now > moment(over) + PATIENCE
    owned = any(owner.get("controller") or owner["kind"] == "Job" for owner in about.get("ownerReferences") or [])
    return not owned and now > began + PATIENCE


def _held_up(pods: list[Object]) -> CommandFailed:
    named = []
    for pod in pods:
        about = pod["metadata"]
        by = (about.get("annotations") or {}).get(BY, "")
        named.append(f"{about['name']} ({by})" if by else about["name"])
    said = f"{', '.join(named)} was told the old password, and did not end within {PATIENCE.seconds} s"
    hint = "both passwords are good; once it has ended, nuages secrets rotate postgres takes the old one away"
    names = " ".join(pod["metadata"]["name"] for pod in pods)
    detail = f"to end it: kubectl -n {pods[0]['metadata']['namespace']} delete pod {names}"
    return CommandFailed(said, detail=detail, hint=hint)


def left(secret: str, stamp: str, since: datetime, mirror: View) -> list[Object]:
    """The pods that were given the old password: of what is rolled those without its stamp, else the older ones.

    A backup that is under way logs in again and again, until its end. One that has not begun is given the new password:
    a container is told what a Secret has as it starts.
    """
    found = []
    for pod in mirror.items("Pod"):
        about, phase = pod["metadata"], pod.get("status", {}).get("phase")
        component = about["labels"].get(COMPONENT)
        ended = phase in ("Succeeded", "Failed") or (component == BACKUP and phase == "Pending")
        stamped = about.get("annotations", {}).get(ROTATED) == stamp
        if component == POSTGRES or ended or stamped or not reads(pod, secret):
            continue
        if _of_a_workload(pod) or moment(about["creationTimestamp"]) <= since:
            found.append(pod)
    return found


def _of_a_workload(pod: Object) -> bool:
    owners = pod["metadata"].get("ownerReferences") or []
    return any(owner["kind"] in ("ReplicaSet", "StatefulSet") for owner in owners)
