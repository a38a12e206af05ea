"""What people may do in an environment's namespace: optional roles, bound to groups of the cluster's.

    viewer      looks: objects, logs, events; no secret, no shell
    developer   deploys, rolls back, reads logs, runs commands. Who may put code into a pod can do what the pod can:
                read secrets, change rows. A release removes StatefulSets (beat's), so a data store's too can be
                stopped; its volume, quota and roles are out of reach
    operator    all of it: volumes, quota, roles

A release applies them only where they differ from what is there: who may deploy need not be allowed to give rights.
"""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import RIGHTS, metadata

GROUP = "rbac.authorization.k8s.io"
GRANTED = frozenset({"ResourceQuota", "LimitRange", "Role", "RoleBinding"})
"""The kinds that a release leaves alone where they are as wanted."""

LOOK = ("get", "list", "watch")
CHANGE = ("create", "update", "patch", "delete")

_KINDS: dict[str, tuple[str, ...]] = {
    "": ("configmaps", "events", "persistentvolumeclaims", "pods", "serviceaccounts", "services"),
    "apps": ("deployments", "replicasets", "statefulsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "coordination.k8s.io": ("leases",),
    "discovery.k8s.io": ("endpointslices",),
    "gateway.networking.k8s.io": ("httproutes",),
    "keda.sh": ("scaledobjects", "triggerauthentications"),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "policy": ("poddisruptionbudgets",),
}
"""What a release makes, and what tells how it goes."""

_NOT_CHANGED = {"events", "endpointslices", "replicasets"}
_GRANTS = {"": ("limitranges", "resourcequotas"), GROUP: ("rolebindings", "roles")}
_METRICS = {"metrics.k8s.io": ("pods",)}
_ASKED = ("pods/log",)
_COMMANDS = ("pods/attach", "pods/exec", "pods/portforward")
_PROXIES = ("pods/proxy", "services/proxy")


def roles(app: App) -> list[Object]:
    """A role and its binding for each sort of people that the spec names groups for."""
    found = (
        ("viewer", app.access.viewers, viewer()),
        ("developer", app.access.developers, developer()),
        ("operator", app.access.operators, operator()),
    )
    more = {name: operated(app, change=name != "viewer") for name, _, _ in found}
    return [item for name, groups, rules in found if groups for item in _role(app, name, groups, [*rules, *more[name]])]


def viewer() -> list[Object]:
    """Looking, at all but secrets."""
    return [
        *(_rule(group, plurals, LOOK) for group, plurals in {**_KINDS, **_METRICS}.items()),
        *(_rule(group, plurals, LOOK) for group, plurals in _GRANTS.items()),
        _rule("", _ASKED, ("get",)),
    ]


def developer() -> list[Object]:
    """What `nuages deploy`, `rollback`, `run`, `logs` and `secrets set` take: all but the volumes' end, and GRANTED."""
    changed = {group: tuple(one for one in plurals if one not in _NOT_CHANGED) for group, plurals in _KINDS.items()}
    # A claim is made by a release, and never removed.
    changed[""] = tuple(one for one in changed[""] if one != "persistentvolumeclaims")
    return [
        *viewer(),
        *(_rule(group, plurals, CHANGE) for group, plurals in changed.items() if plurals),
        _rule("", ("persistentvolumeclaims",), ("create", "patch")),
        _rule("", ("secrets",), (*LOOK, *CHANGE)),
        _rule("", _COMMANDS, ("get", "create")),
        _rule("", _PROXIES, ("get",)),
        _rule("", ("pods/eviction",), ("create",)),
        _rule("apps", ("deployments/scale", "statefulsets/scale"), ("get", "patch", "update")),
    ]


def operator() -> list[Object]:
    """All of it: volumes may go, and others may be let in."""
    return [
        *developer(),
        _rule("", ("persistentvolumeclaims",), CHANGE),
        *(_rule(group, plurals, CHANGE) for group, plurals in _GRANTS.items()),
    ]


def operated(app: App, *, change: bool) -> list[Object]:
    """A PostgreSQL that an operator runs, where the app has one. A release makes and changes it; with it would go its
    volumes, so removing it is out of everybody's reach but who gave the rights.
    """
    if app.cloudnativepg is None:
        return []
    verbs = (*LOOK, *(("create", "update", "patch") if change else ()))
    return [_rule("postgresql.cnpg.io", ("clusters", "scheduledbackups"), verbs)]


def _role(app: App, name: str, groups: list[str], rules: list[Object]) -> list[Object]:
    named = f"{app.name}-{name}"
    about = metadata(app, named, RIGHTS)
    return [
        {"apiVersion": f"{GROUP}/v1", "kind": "Role", "metadata": about, "rules": rules},
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "RoleBinding",
            "metadata": about,
            "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": named},
            "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": group} for group in groups],
        },
    ]


def _rule(group: str, plurals: tuple[str, ...], verbs: tuple[str, ...]) -> Object:
    return {"apiGroups": [group], "resources": list(plurals), "verbs": list(verbs)}
