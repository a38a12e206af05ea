"""Findings about Kubernetes objects, ours or anybody's: Pod Security `restricted`, and what goes wrong most often.

The faults are those of published Django manifests: data beside the volume, deadlines that make retries meaningless,
passwords in ConfigMaps, a database open to the world, a development server, several tags of one image.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from nuages.app.objects import Object
from nuages.checks.restricted import restricted
from nuages.findings import Finding, Level, Place
from nuages.render.labels import BEAT, COMPONENT, STATIC, WORKER

_SECRET_NAME = re.compile(
    r"(^|_)(PASSWORD|PASSWD|SECRET|SECRET_KEY|TOKEN|PRIVATE_KEY|API_KEY|ACCESS_KEY)$", re.IGNORECASE
)
_DATABASE_PORTS = {5432, 3306, 6379, 5672, 11211, 27017}
_SERVING = {"Deployment", "StatefulSet", "DaemonSet"}


def check(objects: list[Object]) -> list[Finding]:
    """Every finding about a set of objects that belong together."""
    return [*(finding for item in objects for finding in _object(item)), *_images(objects)]


def pod_of(item: Object) -> Object | None:
    """The pod spec inside a workload, or of a pod itself; None for everything else."""
    match item["kind"]:
        case "Pod":
            spec: Object = item["spec"]
        case "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job":
            spec = item["spec"]["template"]["spec"]
        case "CronJob":
            spec = item["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        case _:
            return None
    return spec


def _object(item: Object) -> Iterator[Finding]:
    where = f"{item['kind']}/{item['metadata']['name']}"
    if pod := pod_of(item):
        yield from restricted(pod, where)
        for container in pod.get("initContainers", []):
            yield from _any_container(container, f"{where}.{container['name']}")
        for container in pod["containers"]:
            yield from _container(item, pod, container, f"{where}.{container['name']}")
    match item["kind"]:
        case "Job":
            yield from _job(item, where)
        case "ConfigMap":
            for name, value in item.get("data", {}).items():
                if value and _SECRET_NAME.search(name):
                    yield _error("objects.E121", f"{where}.{name}", "a secret in a ConfigMap", "put it into a Secret")
        case "Service":
            yield from _service(item, where)


def _any_container(container: Object, where: str) -> Iterator[Finding]:
    """What holds of steps and sidecars too."""
    image = container.get("image", "")
    if "@sha256:" not in image and (":" not in image.rpartition("/")[2] or image.endswith(":latest")):
        yield _error("objects.E110", where, f"image {image} changes under its name", "name a version or a digest")
    if "memory" not in container.get("resources", {}).get("limits", {}):
        yield _error(
            "objects.E111", where, "no memory limit: one leak takes the node", "limits.memory = requests.memory"
        )
    if not {"cpu", "memory"} <= container.get("resources", {}).get("requests", {}).keys():
        yield _error(
            "objects.E112", where, "no requests: the scheduler does not know what it takes", "set cpu and memory"
        )


def _container(item: Object, pod: Object, container: Object, where: str) -> Iterator[Finding]:
    yield from _any_container(container, where)
    if item["kind"] in _SERVING and not _works(item):
        for probe in ("readinessProbe", "livenessProbe"):
            if probe not in container:
                yield _error("objects.E113", where, f"no {probe}", "requests reach pods that can't answer")
    if "runserver" in " ".join([*container.get("command", []), *container.get("args", [])]):
        yield _error("objects.E114", where, "Django's development server", "gunicorn, or what the project serves with")
    if item["kind"] not in {"CronJob", "Job"}:  # these use its programs, and are no server
        yield from _database_volume(pod, container, where)
    for variable in container.get("env", []):
        written = re.sub(r"\$\(\w+\)", "", variable.get("value") or "")  # what another variable holds is no value
        if written and _SECRET_NAME.search(variable["name"]):
            yield _error(
                "objects.E122", f"{where}.{variable['name']}", "a secret's value in the manifest", "secretKeyRef"
            )


def _works(item: Object) -> bool:
    """Whether it is one of ours that nobody sends requests: its probes, where it can have any, are its liveness."""
    labels = item["spec"]["template"].get("metadata", {}).get("labels", {})
    return labels.get(COMPONENT) in (WORKER, BEAT)


def _database_volume(pod: Object, container: Object, where: str) -> Iterator[Finding]:
    """PostgreSQL writes to PGDATA; the volume must be that folder or above it."""
    if not re.search(r"(^|/)postgres(:|@|$)", container.get("image", "")):
        return
    env = {variable["name"]: variable.get("value", "") for variable in container.get("env", [])}
    data = env.get("PGDATA") or "/var/lib/postgresql/data"
    mounts = {mount["mountPath"].rstrip("/"): mount["name"] for mount in container.get("volumeMounts", [])}
    holding = [name for path, name in mounts.items() if data == path or data.startswith(f"{path}/")]
    passing = {volume["name"] for volume in pod.get("volumes", []) if "emptyDir" in volume}
    if not set(holding) - passing:
        yield _error(
            "objects.E120", where, f"no volume holds {data}: the data ends with the pod", f"mount it at {data}"
        )


def _job(item: Object, where: str) -> Iterator[Finding]:
    spec = item["spec"]
    deadline, retries = spec.get("activeDeadlineSeconds"), spec.get("backoffLimit", 6)
    # Waits between retries double from 10 s (https://kubernetes.io/docs/concepts/workloads/controllers/job/).
    waits = sum(min(360, 10 * 2**attempt) for attempt in range(retries))
    if deadline is not None and deadline < waits:
        message = f"{retries} retries wait {waits} s between them, and the Job ends after {deadline} s"
        yield _error("objects.E115", where, message, "a lower backoffLimit, or a later deadline")


def _service(item: Object, where: str) -> Iterator[Finding]:
    kind = item["spec"].get("type", "ClusterIP")
    ports = {port["port"] for port in item["spec"].get("ports", [])}
    if kind in ("NodePort", "LoadBalancer") and ports & _DATABASE_PORTS:
        yield _error(
            "objects.E123", where, f"a data store open to the outside by {kind}", "ClusterIP, and port-forward"
        )


def _images(objects: list[Object]) -> Iterator[Finding]:
    """One repository, one version: components of a release that differ were not tested together."""
    versions: dict[str, set[str]] = defaultdict(set)
    # What keeps the files of several releases is of whichever image had them first.
    for item in (item for item in objects if item["metadata"].get("labels", {}).get(COMPONENT) != STATIC):
        for container in (pod_of(item) or {}).get("containers", []):
            repository = re.sub(r"(@.*|:[^/]*)$", "", container.get("image", ""))
            versions[repository].add(container.get("image", ""))
    for repository, images in sorted(versions.items()):
        if len(images) > 1:
            message = f"{len(images)} versions side by side: {', '.join(sorted(images))}"
            yield _error("objects.E116", repository, message, "one digest for all components of a release")


def _error(code: str, path: str, message: str, hint: str) -> Finding:
    return Finding(code, Level.ERROR, message, Place(path=path), hint)
