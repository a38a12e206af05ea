"""How an environment stands: its release, its parts, the way in, what is wrong, what to do next. Pure.

What was seen of the cluster goes in, one value comes out, for people and for programs. Nothing here is slow to import:
`nuages status` is asked fifty times a day, and each time before anything else.
"""

from __future__ import annotations

import json
import ssl
from datetime import datetime
from typing import Any

from nuages.app.objects import Object
from nuages.release.brief import records, serves
from nuages.release.seen import Certificate, Component, Hold, Job, Problem, Schedule, Seen, Status
from nuages.release.site import Site
from nuages.release.usage import of_pod, together
from nuages.render.labels import BEAT, COMPONENT, FRONTEND, KEY, STATIC, WEB, WORKER
from nuages.rollout.watcher import Survey, survey

WORKLOADS = ("Deployment", "StatefulSet")
ORDER = (WEB, WORKER, BEAT, FRONTEND, STATIC)
"""The app's own parts, in the order in which a person looks for them; all others are data stores."""

RECENT = 5
"""Jobs that are shown: those of migrations, backups, commands."""


def workloads(seen: Seen) -> list[Object]:
    """What runs, in the order in which it is shown."""
    return sorted((item for kind in WORKLOADS for item in seen.items(kind)), key=_order)


def still(seen: Seen, now: datetime) -> bool:
    """Whether every workload is as it is wanted: none fails, and none waits though enough of its old pods are ready."""
    found = survey(workloads(seen), seen, now)
    return not (found.waiting or found.failed)


def picture(
    site: Site, seen: Seen, now: datetime, context: str, *, port: int | None = None, why: list[Problem] | None = None
) -> Status:
    """Put together what was seen.

    Args:
        site: which app and environment.
        seen: what is in the cluster.
        now: the time.
        context: the kubeconfig's name of the cluster.
        port: the ingress controller's, where that is not the usual one.
        why: what was found out about workloads that fail, or are not ready.
    """
    history = records(seen.items("ConfigMap"))
    serving = serves(history)
    newest = history[0] if history else None
    latest = newest if newest is not serving else None
    found = survey(workloads(seen), seen, now)
    states = {item["metadata"]["name"]: text for item, text in [*found.done, *found.waiting, *found.failed]}
    own = _certificates(site, seen.secret, now)
    schedules = _schedules(seen)
    paused = (newest or {}).get("paused") or {}
    problems = list(why or ()) or _failed(latest)
    problems += [
        *(Problem(one.secret, f"certificate {one.problem}", "", _RENEW) for one in own if one.problem),
        *(
            Problem(
                each.name, f"the last run failed{': ' if each.why else ''}{each.why}", "", f"nuages logs {each.key}"
            )
            for each in schedules
            if each.last == "failed"
        ),
    ]
    return Status(
        schema=1,
        app=site.name,
        environment=site.environment,
        namespace=site.namespace,
        context=context,
        release=serving["number"] if serving else None,
        image=_image(serving) if serving else None,
        since=(serving.get("live") or serving.get("ended")) if serving else None,
        latest=latest["number"] if latest else None,
        latest_outcome=latest["outcome"] if latest else None,
        components=[_component(item, states, seen) for item in workloads(seen)],
        addresses=[*site.urls(port), *addresses(seen.items("Service"))],
        problems=problems,
        phase=_phase(newest) if newest else None,
        waits=paused.get("reason"),
        hint=paused.get("hint") if paused else _again(latest),
        lock=seen.lock,
        schedules=schedules,
        jobs=_jobs(seen, now),
        certificates=own,
        metered=seen.used is not None,
        next=_unlock(seen.lock) if seen.lock else _next(serving, latest, problems, found),
        maintenance=_maintenance(seen),
    )


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


_PAGE = "nuages.dev/maintenance"
"""render/pause.py's, which is slow to import; a test holds them together."""

_RENEW = "renew it; with expose.tls.issuer cert-manager does, in time"


def _image(serving: Any) -> str | None:
    build = serving.get("build") or {}
    return build.get("reference")


def _maintenance(seen: Seen) -> str | None:
    """Since when a page is in front."""
    told = ((item["metadata"].get("annotations") or {}).get(_PAGE) for item in seen.items("Deployment"))
    return next((str(json.loads(said)["since"]) for said in told if said), None)


def _again(latest: Any) -> str | None:
    """The command that goes on with a release; another one, as without its --maintenance, begins a new one."""
    if latest is None or latest["outcome"] != "running":
        return None
    return f"{_command(latest)} goes on with it"


def _command(record: Any) -> str:
    """What began a release, as one types it; what is done by hand is kept without the program's name."""
    said = str(record.get("command") or "deploy")
    return said if said.startswith("nuages ") else f"nuages {said}"


def _phase(record: Any) -> str | None:
    """The phase that an open release is in: the newest that began."""
    if record.get("ended"):
        return None
    return next((str(passed["phase"]) for passed in reversed(record.get("passed") or [])), "lock")


def _unlock(lock: Hold) -> str | None:
    return "nuages unlock" if lock.by_hand else None


def _next(serving: Any, latest: Any, problems: list[Problem], found: Survey) -> str | None:
    """One command, the first that helps, where nobody is at work."""
    if latest and latest.get("paused"):
        return "nuages promote"
    if latest and latest["outcome"] == "running":
        return _command(latest)
    if serving is None and latest is None:
        return "nuages deploy"
    if found.failed or (problems and found.waiting):
        item = (found.failed or found.waiting)[0][0]
        labels = item["metadata"].get("labels", {})
        return " ".join(["nuages logs", "-".join(filter(None, (labels.get(COMPONENT, ""), labels.get(KEY, ""))))])
    if problems and latest and latest["outcome"] == "failed":
        return f"nuages releases show {latest['number']}"
    return None


def _failed(latest: Any) -> list[Problem]:
    """What the newest release failed of, as its record has it: its pods may be gone."""
    failure = latest.get("failure") if latest and latest["outcome"] == "failed" else ""
    return [Problem("last release", failure, "", "")] if failure else []


def _order(workload: Object) -> tuple[int, str]:
    """What a person looks for first comes first."""
    component = workload["metadata"].get("labels", {}).get(COMPONENT, "")
    return ORDER.index(component) if component in ORDER else len(ORDER), workload["metadata"]["name"]


def _component(workload: Object, states: dict[str, str], seen: Seen) -> Component:
    selected = workload["spec"]["selector"]["matchLabels"].items()
    own = [pod for pod in seen.items("Pod") if selected <= pod["metadata"].get("labels", {}).items()]
    containers = [status for pod in own for status in pod.get("status", {}).get("containerStatuses", [])]
    labels = workload["metadata"].get("labels", {})
    return Component(
        name=workload["metadata"]["name"],
        kind=workload["kind"],
        ready=workload.get("status", {}).get("readyReplicas", 0),
        wanted=workload["spec"].get("replicas", 1),
        restarts=sum(container["restartCount"] for container in containers),
        state=states.get(workload["metadata"]["name"], ""),
        component=labels.get(COMPONENT, ""),
        key=labels.get(KEY, ""),
        usage=together(of_pod(pod, seen.used) for pod in own),
    )


def _schedules(seen: Seen) -> list[Schedule]:
    if not seen.items("CronJob"):
        return []
    from nuages.rollout.runs import runs  # noqa: PLC0415 - most apps have none

    told = [runs(each, seen.items("Job")) for each in seen.items("CronJob")]
    return [
        Schedule(each.name, each.key, each.cron, each.suspended, each.last, each.began, each.why)
        for each in sorted(told, key=lambda one: one.name)
    ]


def _jobs(seen: Seen, now: datetime) -> list[Job]:
    """Those that run, and the newest others; what a schedule started is told beside it."""
    own = [job for job in seen.items("Job") if not _scheduled(job)]
    newest = sorted(own, key=lambda job: str(job["metadata"].get("creationTimestamp", "")), reverse=True)[:RECENT]
    found = survey(newest, seen, now)
    failed = {item["metadata"]["name"] for item, _ in found.failed}
    return [
        Job(
            name=item["metadata"]["name"],
            component=item["metadata"].get("labels", {}).get(COMPONENT, ""),
            began=item.get("status", {}).get("startTime"),
            state=text,
            failed=item["metadata"]["name"] in failed,
        )
        for item, text in [*found.failed, *found.waiting, *found.done]
    ]


def _scheduled(job: Object) -> bool:
    return any(ref["kind"] == "CronJob" for ref in job["metadata"].get("ownerReferences", ()))


def _certificates(site: Site, secret: Object | None, now: datetime) -> list[Certificate]:
    """When the app's certificate ends, asked of OpenSSL (release/certificates.py)."""
    if not site.certificate or not site.hosts:
        return []
    if secret is None:
        return [Certificate(site.certificate, site.hosts, None)]
    from base64 import b64decode  # noqa: PLC0415

    from nuages.release.certificates import SOON, Unfit, until  # noqa: PLC0415

    data = secret.get("data") or {}
    try:
        ends = until(b64decode(data.get("tls.crt", "")), b64decode(data.get("tls.key", "")), site.hosts[0])
    except (Unfit, ssl.SSLError) as unfit:
        return [Certificate(site.certificate, site.hosts, None, str(unfit))]
    left = ends - now
    problem = f"ends in {left.days} days" if left < SOON else ""
    return [Certificate(site.certificate, site.hosts, ends.isoformat().replace("+00:00", "Z"), problem)]
