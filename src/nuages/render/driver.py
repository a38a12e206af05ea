"""A Job that drives a release in the cluster, and what it stands on: an account with exactly the rights it takes.

All of it belongs to the Job (owner references) and goes with it, a day after it ended.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import NETWORK, labels, metadata
from nuages.render.pods import container_security, pod_security, temporary, temporary_mount

DRIVER = "driver"
"""Its component."""

USER = 65532
KEPT_SECONDS = 24 * 3600
RETRIES = 5
"""How often a pod that was evicted, or lost its node, is made anew; it goes on with the record."""

ENDED = (1, 2, 3, 4)
"""The exit codes after which trying again changes nothing: the release has ended, or somebody took it over."""

WATCHED = ("get", "list", "watch")
WRITTEN = ("get", "create", "patch", "delete")


class Drive(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be driven, and what it touches."""

    release: int
    image: str
    """nuages' own, by digest."""
    by: str
    """user@host, in whose name it goes on."""
    arguments: tuple[str, ...] = ()
    kinds: tuple[tuple[str, str], ...]
    """What the release applies, and what those before it did: API group and plural."""
    given: tuple[tuple[str, str, str], ...] = ()
    """Rights and limits, which whoever handed it over has given: API group, plural and name. It only looks at them."""
    taken: tuple[tuple[str, str, str], ...] = ()
    """Those of them that end with this release, or with going back from it."""
    watched: tuple[tuple[str, str], ...]
    """What it follows: API group and plural."""
    secrets: tuple[str, ...]
    """The copies of secrets that it may remove, and the addresses of webhooks that it reads."""
    ports: tuple[int, ...] = (443, 6443)
    """Where the API server listens."""


def name(app: str, release: int) -> str:
    """The Job's name, and that of all that belongs to it: `blog-driver-8`."""
    return f"{app}-driver-{release}"


def job(app: App, wanted: Drive) -> Object:
    """The Job. A pod that is evicted is made anew; one that ended the release, well or not, is not."""
    about = metadata(app, name(app.name, wanted.release), DRIVER)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": about,
        "spec": {
            "backoffLimit": RETRIES,
            "completions": 1,
            "parallelism": 1,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "podFailurePolicy": {
                "rules": [
                    {"action": "FailJob", "onExitCodes": {"operator": "In", "values": list(ENDED)}},
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                ]
            },
            "template": {"metadata": {"labels": labels(app, DRIVER)}, "spec": _pod(app, wanted)},
        },
    }


def belongings(app: App, wanted: Drive, owner: Object) -> list[Object]:
    """What the Job stands on, in the order in which it is made; `owner` is the Job as it was made."""
    named = name(app.name, wanted.release)
    mine = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": False,
        "blockOwnerDeletion": False,
    }

    def about(component: str = DRIVER) -> Object:
        return metadata(app, named, component) | {"ownerReferences": [mine]}

    group = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": about(), "rules": rights(wanted)},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": about(),
            "roleRef": {"apiGroup": group, "kind": "Role", "name": named},
            "subjects": [{"kind": "ServiceAccount", "name": named, "namespace": app.namespace}],
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": about(NETWORK),
            "spec": {
                "podSelector": {"matchLabels": labels(app, DRIVER)},
                "policyTypes": ["Egress"],
                # An API server has no pods that a policy could select; addresses of webhooks are anywhere too.
                "egress": [{"ports": [{"protocol": "TCP", "port": port} for port in sorted(set(wanted.ports))]}],
            },
        },
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": about(),
            "automountServiceAccountToken": False,
        },
    ]


def rights(wanted: Drive) -> list[Object]:
    """What driving this release takes, and nothing else: no other secret, no shell, no right to give or change rights,
    nor to lift a limit.
    """
    written = {*wanted.kinds, ("", "configmaps")}
    rules = [_rule(group, plurals, WRITTEN) for group, plurals in _grouped(written)]
    rules += [_rule(group, plurals, WATCHED) for group, plurals in _grouped(wanted.watched)]
    rules += [
        _rule("", ["configmaps"], ("list", "update")),  # the records
        _rule("coordination.k8s.io", ["leases"], ("get", "list", "create", "update", "patch", "delete")),
        _rule("", ["events"], ("list",)),
        _rule("", ["pods/log", "pods/proxy", "services/proxy"], ("get",)),
        _rule("metrics.k8s.io", ["pods"], ("list",)),
        _rule("", ["pods"], ("delete",)),
    ]
    for verb, these in (("get", wanted.given), ("delete", wanted.taken)):
        for group, plurals in _grouped([(group, plural) for group, plural, _ in these]):
            for plural in plurals:
                names = sorted({name for *kind, name in these if kind == [group, plural]})
                rules.append(_rule(group, [plural], (verb,)) | {"resourceNames": names})
    secrets = sorted(set(wanted.secrets))
    if secrets:
        rules.append(_rule("", ["secrets"], ("get", "delete")) | {"resourceNames": secrets})
    return rules


def _grouped(kinds: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Plurals by their API group."""
    groups = sorted({group for group, _ in kinds})
    return [(group, sorted(plural for of, plural in set(kinds) if of == group)) for group in groups]


def _rule(group: str, plurals: list[str], verbs: tuple[str, ...]) -> Object:
    return {"apiGroups": [group], "resources": plurals, "verbs": list(verbs)}


def _pod(app: App, wanted: Drive) -> Object:
    pull = {"imagePullSecrets": [{"name": app.image_pull_secret}]} if app.image_pull_secret else {}
    return {
        "serviceAccountName": name(app.name, wanted.release),
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "securityContext": pod_security(USER),
        **pull,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 30,
        "containers": [
            {
                "name": "nuages",
                "image": wanted.image,
                "imagePullPolicy": "IfNotPresent",
                "args": [app.name, app.environment, app.namespace, str(wanted.release), *wanted.arguments],
                "env": [{"name": "LOGNAME", "value": wanted.by}],
                "resources": {"requests": {"cpu": "50m", "memory": "192Mi"}, "limits": {"memory": "192Mi"}},
                "securityContext": container_security(),
                "volumeMounts": [temporary_mount()],
            }
        ],
        "volumes": [temporary()],
    }
