"""What the app's processes are told: each variable as its pods have it, where it comes from, and no secret.

The pods that are live are asked, not the spec: so what a patch, an older release or another hand made of it is shown.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Forbidden, Refused
from nuages.kube.client import Cluster
from nuages.release import named, redact
from nuages.release.named import Part
from nuages.render import access
from nuages.render.labels import TRACK, WEB, instance
from nuages.spec.load import Spec
from nuages.spec.origins import origin

UNREAD = "(in a Secret that we may not read)"
_OURS = re.compile(r"NUAGES_|DJANGO_SETTINGS_MODULE$|PORT$|RELEASE$")


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """One variable of a container."""

    name: str
    value: str
    """As it is, or *** where it is secret; of a URL all but its password."""
    source: str
    """Who says it: a place in nuages.yaml, a service, a Secret, a ConfigMap, nuages."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What one component's pods are told."""

    component: str
    """`web-main`."""
    variables: list[Variable]


class Variables(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages env vars --json` prints; it only grows under one `schema`."""

    schema: int = 1
    app: str
    environment: str
    namespace: str
    components: list[Told]


async def told(app: App, spec: Spec, chosen: str, cluster: Cluster) -> Variables:
    """What the pods of a component are told; "" is every one of the app's own.

    Raises:
        Refused: nothing is live.
        UsageError: there is no such component.
    """
    kinds = ("Deployment", "StatefulSet")
    lists = await asyncio.gather(*(cluster.list(kind, app.namespace, labels=instance(app)) for kind in kinds))
    live = own(item for each in lists for item in each.items)
    if not live:
        raise Refused(f"nothing of {app.name} runs in {app.namespace}", hint="nuages deploy")
    components = []
    for part in named.one_of(app, chosen, list(live)) if chosen else live:
        container = live[part]["spec"]["template"]["spec"]["containers"][0]
        whole = await _whole(app.namespace, container, cluster)
        components.append(Told(component=str(part), variables=explained(app, spec, container, whole)))
    return Variables(app=app.name, environment=app.environment, namespace=app.namespace, components=components)


def own(items: Iterable[Object]) -> dict[Part, Object]:
    """The workloads that run the project's code, webs first; no set beside them. Pure."""
    found = {named.of(item): item for item in items if _own(item) and TRACK not in item["metadata"]["labels"]}
    return {part: found[part] for part in sorted(found, key=lambda part: (part.component != WEB, part))}


def explained(app: App, spec: Spec, container: Object, whole: dict[str, tuple[str, str]]) -> list[Variable]:
    """Each variable of a container with its source; `whole` is what comes of ConfigMaps and Secrets as they are. Pure.

    What stands in `env` wins over what comes whole (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/).
    """
    services = access.explained(app, [])
    found = {name: Variable(name=name, value=value, source=_source(app, spec, name, said, services))
             for name, (value, said) in whole.items()}  # fmt: skip
    for entry in container.get("env", []):
        name, refers = entry["name"], entry.get("valueFrom", {})
        if secret := refers.get("secretKeyRef"):
            value, said = redact.HIDDEN, f"Secret {secret['name']}, key {secret['key']}"
        elif kept := refers.get("configMapKeyRef"):
            value, said = f"(key {kept['key']})", f"ConfigMap {kept['name']}, key {kept['key']}"
        elif refers:
            value, said = "(of its pod)", next(iter(refers))
        else:
            value, said = redact.variable(name, entry.get("value", "")), ""
        found[name] = Variable(name=name, value=value, source=_source(app, spec, name, said, services))
    return [found[name] for name in sorted(found)]


def _source(app: App, spec: Spec, name: str, said: str, services: dict[str, tuple[str, str]]) -> str:
    if name in app.env or name in app.secrets:
        part = "env" if name in app.env else "secrets"
        place = origin(spec, app.environment, (part, name)).place
        where = ":".join(str(each) for each in place[:2]) if place else part
        declared = app.secrets.get(name)
        made = ", generated" if declared and declared.generate else ""
        return f"{where}{made}"
    if name in services:
        return services[name][0]
    if _OURS.match(name):
        return "nuages"
    return said or "nuages"


async def _whole(namespace: str, container: Object, cluster: Cluster) -> dict[str, tuple[str, str]]:
    """What ConfigMaps and Secrets hand over as they are: name -> value and whence. A Secret's values stay there."""
    found: dict[str, tuple[str, str]] = {}
    for source in container.get("envFrom", []):
        if kept := source.get("configMapRef"):
            live = await cluster.get("ConfigMap", namespace, kept["name"])
            for name, value in ((live or {}).get("data") or {}).items():
                found[name] = (redact.variable(name, value), f"ConfigMap {kept['name']}")
        elif secret := source.get("secretRef"):
            try:
                live = await cluster.get("Secret", namespace, secret["name"])
            except Forbidden:
                found[f"({secret['name']})"] = (UNREAD, f"Secret {secret['name']}")
                continue
            for name in (live or {}).get("data") or {}:
                found[name] = (redact.HIDDEN, f"Secret {secret['name']}")
    return found


def _own(item: Object) -> bool:
    """Whether it runs the project's code: its pods are told which settings."""
    containers = item["spec"]["template"]["spec"]["containers"]
    return any(entry["name"] == "DJANGO_SETTINGS_MODULE" for entry in containers[0].get("env", []))
