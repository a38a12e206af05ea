"""Findings about what is written beside what nuages would write: patches, objects, files, limits."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator

import msgspec

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.checks import shape
from nuages.findings import Finding, Level, Place
from nuages.render import labels
from nuages.render.autoscale import most
from nuages.render.extras import template_of
from nuages.render.manifest import render
from nuages.render.others import written
from nuages.render.patches import merged
from nuages.render.release import Release
from nuages.spec.units import bytes_of, millicores

_NOT_BUILT = "not-built@sha256:" + "0" * 64
_CLUSTERS = {
    "APIService", "ClusterRole", "ClusterRoleBinding", "ClusterSecretStore", "CustomResourceDefinition", "IngressClass",
    "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume", "PriorityClass", "StorageClass",
    "ValidatingWebhookConfiguration",
}  # fmt: skip
"""Kinds that no namespace holds: an app's release has no business with them."""


def check(app: App, build: Build | None) -> list[Finding]:
    """Every finding; paths are those of the app's spec."""
    return [*_patches(app, build), *_objects(app, build), *_limits(app, build), *_files(app)]


def _rendered(app: App, build: Build | None) -> list[Object]:
    """The app's objects without its patches, as a first release would have them."""
    known = build or Build(reference=f"{app.image}/{_NOT_BUILT}", wsgi="a:b", asgi="a:b", settings="a")
    release = Release(number=1, template=1, build=known, secrets=f"{app.secret}-0" if app.secrets else None)
    return render(msgspec.structs.replace(app, patches=[]), release).objects


def _patches(app: App, build: Build | None) -> Iterator[Finding]:
    if not app.patches:
        return
    objects = {(item["kind"], item["metadata"]["name"]): item for item in _rendered(app, build)}
    for index, patch in enumerate(app.patches):
        at, named = f"patches.{index}", (patch.target.kind, patch.target.name)
        item = objects.get(named)
        if item is None:
            yield _error("app.E155", f"{at}.target", f"there is no {named[0]} {named[1]}", _close(named, list(objects)))
            continue
        made = merged(item, patch.patch)
        if wrong := shape.broken(named[0], made):
            message = f"leaves no {named[0]} of {named[1]}: {wrong} is not what it must be"
            hint = "a map, a list or a text as `nuages render` prints it; null takes away what may be missing"
            yield _error("app.E145", f"{at}.patch", message, hint)
            continue
        if made == item:
            message = f"changes nothing of {named[0]} {named[1]}"
            yield _error("app.E156", at, message, "nuages renders it so already: leave it out")
        if kept := [name for name, value in _identity(item).items() if _identity(made).get(name) != value]:
            message = f"changes {', '.join(kept)}, by which nuages and Kubernetes know the object"
            yield _error("app.E157", at, message, "an object of its own: objects: [deploy/extra.yaml]")
        objects[named] = made


def _identity(item: Object) -> Object:
    """What a patch may not change: another object would come of it, or nobody would find its pods."""
    about, spec = item.get("metadata") or {}, item.get("spec") or {}
    ours = {"app.kubernetes.io/name", "app.kubernetes.io/instance", labels.COMPONENT, labels.KEY, labels.ENVIRONMENT}
    ours |= {"app.kubernetes.io/managed-by"}
    template = template_of(item) if item.get("kind") and isinstance(spec, dict) else None
    found: Object = {
        "kind": (item.get("apiVersion"), item.get("kind")),
        "metadata.name": (about.get("name"), about.get("namespace")),
        "metadata.labels": {name: (about.get("labels") or {}).get(name) for name in ours},
    }
    if template is not None:
        carried = (template.get("metadata") or {}).get("labels") or {}
        found["spec.selector"] = spec.get("selector")
        found["the pods' labels"] = {name: carried.get(name) for name in ours}
    elif item.get("kind") == "NetworkPolicy":
        found["spec.podSelector"] = spec.get("podSelector")
    return found


def _close(named: tuple[str, str], known: list[tuple[str, str]]) -> str:
    of_kind = [name for kind, name in known if kind == named[0]]
    if not of_kind:
        kinds = sorted({kind for kind, _ in known})
        close = difflib.get_close_matches(named[0], kinds, n=1)
        return f"did you mean {close[0]}?" if close else f"it renders {', '.join(kinds)}"
    close = difflib.get_close_matches(named[1], of_kind, n=1)
    return f"did you mean {close[0]}?" if close else f"one of {', '.join(of_kind[:8])}"


def _objects(app: App, build: Build | None) -> Iterator[Finding]:
    if not app.objects:
        return
    rendered = Counter((item["kind"], item["metadata"]["name"]) for item in _rendered(app, build))
    for index, file in enumerate(app.objects):
        at = f"objects.{index}"
        for item in written(app.inlined.get(file, "")):
            kind, about = item["kind"], item["metadata"]
            name = about["name"]
            if kind in _CLUSTERS:
                message = f"{kind} {name} is the whole cluster's, not the app's"
                yield _error("app.E158", at, message, "kubectl apply, by whoever runs the cluster")
            elif about.get("namespace", app.namespace) != app.namespace:
                message = f"{kind} {name} is in namespace {about['namespace']}, not in the app's"
                yield _error("app.E158", at, message, "leave metadata.namespace out")
            elif rendered[(kind, name)] > 1:
                message = f"{kind} {name} is an object of nuages' own, or there twice"
                yield _error("app.E158", at, message, "another name; what nuages renders is changed by patches")
            if kind == "Secret" and (item.get("data") or item.get("stringData")):
                message = f"Secret {name} has its values in a file"
                hint = "nuages secrets set, or a SealedSecret or ExternalSecret that makes it"
                yield _error("app.E159", at, message, hint)


def _limits(app: App, build: Build | None) -> Iterator[Finding]:
    """What an environment may take must hold a release: new pods beside old ones, and the migrate Job before them."""
    if app.limits is None:
        return
    objects = _rendered(app, build)
    cpu = memory = number = 0
    jobs = [(0, 0)]
    for item in objects:
        template = template_of(item)
        if template is None:
            continue
        one = _taken(template["spec"])
        if item["kind"] in ("Job", "CronJob"):
            jobs.append(one)
            continue
        many = _most(item)
        cpu, memory, number = cpu + many * one[0], memory + many * one[1], number + many
    cpu, memory, number = cpu + max(one[0] for one in jobs), memory + max(one[1] for one in jobs), number + 1
    storage = sum(bytes_of(size) for size in _claims(objects))
    for name, limit, needed, unit in (
        ("cpu", app.limits.cpu and millicores(app.limits.cpu), cpu, f"{cpu}m"),
        ("memory", app.limits.memory and bytes_of(app.limits.memory), memory, f"{-(-memory // 1024**2)}Mi"),
        ("storage", app.limits.storage and bytes_of(app.limits.storage), storage, f"{-(-storage // 1024**2)}Mi"),
        ("pods", app.limits.pods, number, str(number)),
    ):
        if limit and needed > limit:
            message = f"a release takes {unit}, its new pods beside the old ones, and {name} allows less"
            yield _error("app.E160", f"limits.{name}", message, f"{name}: {unit} at least, or fewer replicas")


def _most(item: Object) -> int:
    """How many pods of a workload there may be in the middle of a rollout."""
    many = most(item)
    surge = item["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge", 0)
    return many + (-(-many * int(surge.rstrip("%")) // 100) if isinstance(surge, str) else surge)


def _taken(pod: Object) -> tuple[int, int]:
    """CPU asked for, in thousandths, and memory allowed, in bytes: a step alone, or all that run at once."""
    steps = [one for one in pod.get("initContainers", []) if one.get("restartPolicy") != "Always"]
    beside = [one for one in pod.get("initContainers", []) if one.get("restartPolicy") == "Always"]
    cpu = sum(millicores(one["resources"]["requests"]["cpu"]) for one in [*pod["containers"], *beside])
    memory = sum(bytes_of(one["resources"]["limits"]["memory"]) for one in [*pod["containers"], *beside])
    for one in steps:
        cpu = max(cpu, millicores(one["resources"]["requests"]["cpu"]))
        memory = max(memory, bytes_of(one["resources"]["limits"]["memory"]))
    return cpu, memory


def _claims(objects: list[Object]) -> Iterator[str]:
    for item in objects:
        claims = [item] if item["kind"] == "PersistentVolumeClaim" else item.get("spec", {})
        found = claims if isinstance(claims, list) else claims.get("volumeClaimTemplates", [])
        for claim in found:
            yield claim["spec"]["resources"]["requests"]["storage"]


def _files(app: App) -> Iterator[Finding]:
    """A file may lie in a folder that is a volume, but never be one."""
    for path in app.files:
        if path in ("/tmp", "/dev/shm") or path.startswith(("/proc/", "/sys/", "/dev/")):  # noqa: S108
            yield _error("app.E161", f"files.{path}", f"{path} is the container's own", "a path of the project's")


def _error(code: str, path: str, message: str, hint: str) -> Finding:
    return Finding(code, Level.ERROR, message, Place(path=path), hint)
