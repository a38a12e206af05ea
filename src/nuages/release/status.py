"""How an environment stands: its release, its components, the way in, and what is wrong."""

from __future__ import annotations

from datetime import datetime

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.release import records
from nuages.release.locks import lock
from nuages.release.locks.lease import Life, Sight, claim
from nuages.release.record import Outcome, Record
from nuages.release.world import utc
from nuages.render.labels import BEAT, COMPONENT, WEB, WORKER, instance
from nuages.rollout.diagnosis import diagnose
from nuages.rollout.watcher import KINDS, survey
from nuages.spec.model import Expose

WORKLOADS = ("Deployment", "StatefulSet")
ORDER = (WEB, WORKER, BEAT)


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One workload and how its pods are."""

    name: str
    kind: str
    ready: int
    wanted: int
    restarts: int
    state: str
    component: str = ""
    """What it is there for: `web`, `worker`, `beat`, `postgres`, `redis`."""
    key: str = ""
    """Its key in the spec, where there may be several: `main`."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong, why, and what to do."""

    name: str
    summary: str
    detail: str
    hint: str


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Who has the lock."""

    who: str
    since: str
    command: str
    message: str
    by_hand: bool
    """Whether `nuages lock` took it: no release is under way then."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages status` shows; with `--json` in exactly this shape, which only grows under one `schema`."""

    schema: int = 1
    app: str
    environment: str
    namespace: str
    context: str
    release: int | None
    """The release that serves; None where none went live yet."""
    image: str | None
    since: datetime | None
    latest: int | None
    """The newest release, where it is another one: it failed, was stopped, or is under way."""
    latest_outcome: str | None
    components: list[Component]
    addresses: list[str]
    problems: list[Problem]
    phase: str | None = None
    """Where the newest release is, while it is under way."""
    waits: str | None = None
    """What it waits for, where it is paused."""
    hint: str | None = None
    """How the newest release goes on, where it has not ended."""
    lock: Hold | None = None


async def status(app: App, cluster: Cluster, http_port: int | None = None) -> Status:
    """Look once at everything; `http_port` is where the ingress controller answers, where that is not the usual one."""
    history = await records.history(cluster, app.namespace, app.name, app.environment)
    serving = records.live(history)
    latest = history[0].record if history and history[0] is not serving else None
    lease = await cluster.get("Lease", app.namespace, lock.name(app.name))
    async with Mirror(cluster, app.namespace, KINDS, instance(app)) as mirror:
        workloads = sorted((item for kind in WORKLOADS for item in mirror.items(kind)), key=_order)
        found = survey(workloads, mirror, utc())
        states = {item["metadata"]["name"]: text for item, text in [*found.done, *found.waiting, *found.failed]}
        problems = [await _problem(item, text, cluster, mirror) for item, text in found.failed]
        if not (latest and latest.outcome is Outcome.RUNNING):
            # What is not ready though nothing is under way has a cause: a broker that is away, a probe that fails.
            late = [await _problem(item, "", cluster, mirror) for item, _ in found.waiting]
            problems += [problem for problem in late if problem.detail]
        paused = history[0].record.paused if history else None
        return Status(
            app=app.name,
            environment=app.environment,
            namespace=app.namespace,
            context=cluster.context,
            release=serving.record.number if serving else None,
            image=serving.record.build.reference if serving else None,
            since=(serving.record.live or serving.record.ended) if serving else None,
            latest=latest.number if latest else None,
            latest_outcome=latest.outcome.value if latest else None,
            components=[_component(item, states, mirror.items("Pod")) for item in workloads],
            addresses=await way_in(app, cluster, http_port),
            phase=_phase(history[0].record) if history else None,
            waits=paused.reason if paused else None,
            hint=paused.hint if paused else _again(latest),
            lock=_hold(lease),
            problems=problems or _failed(latest.failure if latest and latest.outcome is Outcome.FAILED else ""),
        )


def _again(latest: Record | None) -> str | None:
    """The command that goes on with a release; another one, as without its --maintenance, begins a new one."""
    if latest is None or latest.outcome is not Outcome.RUNNING:
        return None
    return f"{latest.command or 'nuages deploy'} goes on with it"


def _phase(record: Record) -> str | None:
    """The phase that an open release is in: the newest that began."""
    if record.ended:
        return None
    return next((passed.phase for passed in reversed(record.passed)), "lock")


def _hold(lease: Object | None) -> Hold | None:
    """Who has the lock; None where nobody has, or a process of this machine died over it."""
    if lease is None or not lease["spec"].get("holderIdentity") or Sight().judge(lease) is Life.NONE:
        return None
    says = claim(lease)
    return Hold(who=says.who, since=says.since, command=says.command, message=says.message, by_hand=says.by_hand)


async def way_in(app: App, cluster: Cluster, http_port: int | None = None) -> list[str]:
    """Where the app answers, as URLs."""
    services = await cluster.list("Service", app.namespace, labels=instance(app))
    return [*hosts(app.expose, http_port), *addresses(services.items)]


def hosts(expose: Expose | None, http_port: int | None = None) -> list[str]:
    """Where an app answers through an Ingress or a Gateway, as URLs; pure."""
    if expose is None or expose.kind not in ("ingress", "gateway"):
        return []
    scheme, port = "https" if encrypted(expose) else "http", f":{http_port}" if http_port else ""
    return [f"{scheme}://{host}{port}" for host in expose.hosts if "*" not in host]


def encrypted(expose: Expose | None) -> bool:
    """Whether browsers come by https, as far as the spec knows."""
    return bool(expose and expose.tls and expose.tls.none is None)


def addresses(services: list[Object]) -> list[str]:
    """Where an app answers by its Services, as URLs; pure."""
    found = []
    for service in services:
        ports = service["spec"].get("ports", [])
        if service["spec"]["type"] == "LoadBalancer":
            for ingress in service.get("status", {}).get("loadBalancer", {}).get("ingress", []):
                host = ingress.get("ip") or ingress.get("hostname")
                found += [f"http://{host}" + (f":{port['port']}" if port["port"] != 80 else "") for port in ports]
        elif service["spec"]["type"] == "NodePort":
            found += [f"http://localhost:{port['nodePort']}" for port in ports]
    return found


def _order(workload: Object) -> tuple[int, str]:
    """What a person looks for first comes first."""
    component = workload["metadata"].get("labels", {}).get(COMPONENT, "")
    return ORDER.index(component) if component in ORDER else len(ORDER), workload["metadata"]["name"]


def _component(workload: Object, states: dict[str, str], pods: list[Object]) -> Component:
    labels = workload["spec"]["selector"]["matchLabels"].items()
    own = [pod for pod in pods if labels <= pod["metadata"].get("labels", {}).items()]
    containers = [status for pod in own for status in pod.get("status", {}).get("containerStatuses", [])]
    return Component(
        name=workload["metadata"]["name"],
        kind=workload["kind"],
        ready=workload.get("status", {}).get("readyReplicas", 0),
        wanted=workload["spec"].get("replicas", 1),
        restarts=sum(container["restartCount"] for container in containers),
        state=states.get(workload["metadata"]["name"], ""),
        component=workload["metadata"].get("labels", {}).get(COMPONENT, ""),
        key=workload["metadata"].get("labels", {}).get("nuages.dev/key", ""),
    )


async def _problem(workload: Object, reason: str, cluster: Cluster, mirror: Mirror) -> Problem:
    found = await diagnose(cluster, mirror, workload)
    name = workload["metadata"]["name"]
    if found is None:
        return Problem(name=name, summary=reason, detail="", hint="")
    return Problem(name=name, summary=found.summary, detail=found.text, hint=found.hint)


def _failed(failure: str) -> list[Problem]:
    """What the newest release failed of, as its record has it: its pods may be gone."""
    return [Problem(name="last release", summary=failure, detail="", hint="")] if failure else []
