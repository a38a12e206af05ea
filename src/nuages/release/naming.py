"""Names as completion offers them: those of a spec, of a kubeconfig, and of what is in a cluster.

Nothing is checked here: a spec that is half written names what it names. Only what no shell and no terminal takes for
more than a name is handed on.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Forbidden
from nuages.kube.client import Cluster
from nuages.release.record import labels as records
from nuages.render import labels

RELEASE = "nuages.dev/release"

Named = tuple[str, str, str]
"""Kind, name, and what is said of it."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:/-]*=?")


def of_spec(file: str, environment: str) -> list[Named] | None:
    """Environments, components, secrets, services and jobs; None where the file can't be read just now."""
    from nuages.spec.document import read  # noqa: PLC0415 - completion looks for its names in a cache first
    from nuages.spec.environments import is_template, merged  # noqa: PLC0415
    from nuages.spec.shorthand import canonical  # noqa: PLC0415

    try:
        document, _ = read(Path(file).read_bytes(), file)
    except OSError:
        return None
    if not isinstance(document.value, dict):
        return None
    try:
        whole = canonical(document)
        patches = _map(whole.pop("environments", None))
        spec = _map(merged(whole, patches.get(environment) or {}))
        found = [
            *(("template" if is_template(patch) else "environment", name, "") for name, patch in patches.items()),
            *_processes(spec),
        ]
    except (AttributeError, TypeError):  # a list where a map should be: somebody is typing
        return None
    if "local" not in patches:
        found.append(("environment", "local", ""))
    return _safe(found)


def _processes(spec: dict[str, Any]) -> Iterator[Named]:
    """Components as `logs` takes them: a kind of process, and one of several of it."""
    several = {
        "web": _map(spec.get("web")) or {"main": {}},
        "worker": _map(spec.get("workers")),
        "schedule": _map(spec.get("schedules")),
        "frontend": _map(spec.get("frontends")),
    }
    for component, keys in several.items():
        if not keys:
            continue
        yield "component", component, ", ".join(keys)
        if len(keys) > 1:
            yield from (("component", f"{component}-{key}", "") for key in keys)
        if component in ("web", "worker"):
            named = [component] if len(keys) == 1 else [f"{component}-{key}" for key in keys]
            yield from (("scale", f"{name}=", "") for name in named)
    if spec.get("beat"):
        yield "component", "beat", "sends tasks at their time"
    for service, how in _map(spec.get("services")).items():
        yield "service", service, ""
        if "run" in _map(how):
            yield "component", service, "a data store"
    yield from (("secret", name, "") for name in _map(spec.get("secrets")))
    yield from (("job", name, "of `jobs`") for name in _map(spec.get("jobs")))


def of_contexts(files: Sequence[str]) -> list[Named]:
    """The contexts of kubeconfig files."""
    import yaml  # noqa: PLC0415

    found: list[Named] = []
    for file in filter(None, files):
        try:
            document = _map(yaml.load(Path(file).read_text(), Loader=yaml.CSafeLoader))
        except (OSError, yaml.YAMLError):
            continue
        found += [("context", str(each.get("name", "")), "") for each in document.get("contexts") or []]
    return _safe(found)


async def of_cluster(app: App, cluster: Cluster) -> list[Named]:
    """Releases and pods of an environment, and environments that were made from a template, as far as one may look.

    Raises:
        ClusterError: the cluster does not answer.
    """
    releases, pods, namespaces = await asyncio.gather(
        cluster.list("ConfigMap", app.namespace, labels=records(app.name, app.environment)),
        cluster.list("Pod", app.namespace, labels=labels.owned(app)),
        _made(app, cluster),
    )
    newest = sorted(releases.items, key=lambda each: -int(each["metadata"]["labels"][RELEASE]))
    return _safe(
        [
            *(("release", each["metadata"]["labels"][RELEASE], _since(each)) for each in newest),
            *(("pod", each["metadata"]["name"], each.get("status", {}).get("phase", "")) for each in pods.items),
            *(("made", name, "") for name in dict.fromkeys(namespaces)),
        ]
    )


async def _made(app: App, cluster: Cluster) -> list[str]:
    """The environments of the app that there are; none where nobody may list namespaces."""
    ours = {"app.kubernetes.io/part-of": app.name, "app.kubernetes.io/managed-by": labels.MANAGER}
    try:
        found = await cluster.list("Namespace", labels=ours)
    except Forbidden:
        return []
    return [each["metadata"]["labels"].get(labels.ENVIRONMENT, "") for each in found.items]


def _since(item: Object) -> str:
    return f"of {item['metadata']['creationTimestamp'][:16].replace('T', ' ')} UTC"


def of_model() -> list[tuple[str, str]]:
    """The paths of nuages.yaml down to the second level, as `config explain` takes them."""
    from nuages.spec import schema  # noqa: PLC0415

    definitions = schema.environment()["$defs"]
    found = []
    for name, field in definitions["EnvironmentSpec"]["properties"].items():
        found.append((name, field["description"]))
        inner = field.get("$ref") or next((one["$ref"] for one in field.get("anyOf", []) if "$ref" in one), "")
        within = definitions[inner.rpartition("/")[2]]["properties"] if inner else {}
        found += [(f"{name}.{below}", about["description"]) for below, about in within.items()]
    return found


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _safe(found: Sequence[Named]) -> list[Named]:
    return [each for each in found if _NAME.fullmatch(each[1]) and each[2].isprintable()]
