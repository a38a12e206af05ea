"""The rights that a release takes, asked one by one, and a Role that would do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.checks.spec import not_built
from nuages.kube.client import Cluster
from nuages.kube.kinds import KNOWN
from nuages.release.doctor.findings import Look, broken, works
from nuages.render.access_roles import GROUP as RBAC
from nuages.render.access_roles import developer, operated
from nuages.render.manifest import render
from nuages.render.release import Release

GROUP = "rights"
AT_ONCE = 24
"""Questions under way; each is answered from the API server's memory, or by a webhook's."""

# What only some apps have: asked for where theirs does.
_OPTIONAL = {
    ("autoscaling", "horizontalpodautoscalers"),
    ("batch", "cronjobs"),
    ("gateway.networking.k8s.io", "httproutes"),
    ("keda.sh", "scaledobjects"),
    ("keda.sh", "triggerauthentications"),
    ("networking.k8s.io", "ingresses"),
    ("", "persistentvolumeclaims"),
    ("", "limitranges"),
    ("", "resourcequotas"),
    (RBAC, "roles"),
    (RBAC, "rolebindings"),
    ("metrics.k8s.io", "pods"),
}


class Right(NamedTuple):
    """One verb on one resource; `pods/log` is a resource of its own."""

    group: str
    resource: str
    verb: str


def needed(app: App | None) -> list[Right]:
    """What deploying, looking and running commands take; without an app, what every app takes. Pure."""
    has = _rendered(app) if app else set()
    rights = {
        Right(group, resource, verb): None
        for rule in [*developer(), *(operated(app, change=True) if app else [])]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        if (group, resource) not in _OPTIONAL or (group, resource) in has
    }
    return list(rights)


async def look(needs: list[Right], namespace: str, user: str, cluster: Cluster) -> list[Look]:
    """Ask for each; what lacks is one line for each resource."""
    return told(needs, await lacking(needs, namespace, cluster), namespace, user)


def told(needs: list[Right], missing: list[Right], namespace: str, user: str) -> list[Look]:
    """What the answers mean; pure."""
    if not missing:
        return [works(GROUP, "rights", f"all {len(needs)} that a release takes in namespace {namespace}")]
    found = [
        broken(GROUP, f"{resource}.{group}" if group else resource, f"{user} may not {', '.join(verbs)}")
        for (group, resource), verbs in _by_resource(missing).items()
    ]
    said = f"{len(missing)} of {len(needs)} that a release takes in namespace {namespace} are missing"
    return [*found, broken(GROUP, "rights", said, "nuages doctor --role prints a Role that would do")]


async def lacking(needs: list[Right], namespace: str, cluster: Cluster) -> list[Right]:
    """Those that we have not; who may do anything is asked once."""
    if await _allowed(Right("*", "*", "*"), namespace, cluster):
        return []
    gate = asyncio.Semaphore(AT_ONCE)

    async def asked(right: Right) -> bool:
        async with gate:
            return await _allowed(right, namespace, cluster)

    answers = await asyncio.gather(*(asked(right) for right in needs))
    return [right for right, allowed in zip(needs, answers, strict=True) if not allowed]


def role(needs: list[Right], namespace: str, user: str) -> list[Object]:
    """A Role with all of them, and its binding to who asks. Pure."""
    named = {"name": "nuages", "namespace": namespace}
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), verbs in _by_resource(needs).items():
        groups.setdefault((group, tuple(verbs)), []).append(resource)
    rules = [
        {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}
        for (group, verbs), resources in groups.items()
    ]
    return [
        {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": named, "rules": rules},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": named,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": named["name"]},
            "subjects": [_subject(user)],
        },
    ]


def _subject(user: str) -> Object:
    """https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/: how accounts are called."""
    kind, _, account = user.partition("system:serviceaccount:")
    namespace, _, name = account.partition(":")
    if not kind and name:
        return {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    return {"apiGroup": RBAC, "kind": "User", "name": user}


async def _allowed(right: Right, namespace: str | None, cluster: Cluster) -> bool:
    resource, _, sub = right.resource.partition("/")
    wanted = {"group": right.group, "resource": resource, "verb": right.verb}
    wanted |= {"subresource": sub} if sub else {}
    wanted |= {"namespace": namespace} if namespace else {}
    answer = await cluster.review("SelfSubjectAccessReview", {"resourceAttributes": wanted})
    return bool(answer["allowed"])


async def may_make_namespaces(cluster: Cluster) -> bool:
    """Whether an environment's namespace can be made by its first release."""
    return await _allowed(Right("", "namespaces", "create"), None, cluster)


def _rendered(app: App) -> set[tuple[str, str]]:
    """The API group and plural of all kinds that the app's objects have."""
    release = Release(number=1, template=1, build=not_built(app.image))
    kinds = {(item["apiVersion"].rpartition("/")[0], item["kind"]) for item in render(app, release).objects}
    found = {(group, KNOWN[kind].plural if kind in KNOWN else f"{kind.lower()}s") for group, kind in kinds}
    # A StatefulSet makes its claims by itself; who looks at volumes reads them.
    return found | ({("", "persistentvolumeclaims")} if ("apps", "statefulsets") in found else set())


def _by_resource(rights: Iterable[Right]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for right in rights:
        found.setdefault((right.group, right.resource), []).append(right.verb)
    return found
