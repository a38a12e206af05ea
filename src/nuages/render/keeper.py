"""What ends an environment when its time is over, whoever has forgotten it: a CronJob with one right.

It may read and delete the one namespace it lives in, and nothing else anywhere: rights on a namespace of that name are
rights within it (https://kubernetes.io/docs/reference/access-authn-authz/rbac/), so no role of the whole cluster is
needed. Its time is that of the end; the program looks again whether it has come before it deletes anything.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import KEEPER, NETWORK, metadata, selector
from nuages.render.pods import container_security, pod_basics, temporary, temporary_mount

_GROUP = "rbac.authorization.k8s.io"


def name(app: App) -> str:
    """What all of it is called: `blog-keeper`."""
    return f"{app.name}-keeper"


def keeper(app: App, build: Build, ports: tuple[int, ...], ends: datetime) -> list[Object]:
    """All of it, in order; `ports` are those of the API server, as a wall sees them."""
    about = metadata(app, name(app), KEEPER)
    mine = selector(app, KEEPER)
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": about,
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "Role",
            "metadata": about,
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["namespaces"],
                    "resourceNames": [app.namespace],
                    "verbs": ["get", "delete"],
                }
            ],
        },
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "RoleBinding",
            "metadata": about,
            "roleRef": {"apiGroup": _GROUP, "kind": "Role", "name": name(app)},
            "subjects": [{"kind": "ServiceAccount", "name": name(app), "namespace": app.namespace}],
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata(app, name(app), NETWORK),
            "spec": {
                "podSelector": {"matchLabels": mine},
                "policyTypes": ["Egress"],
                "egress": [{"ports": [{"protocol": "TCP", "port": port} for port in ports]}],
            },
        },
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": about, "spec": _spec(app, build, ends)},
    ]


def cron(ends: datetime) -> str:
    """The minute after the end: a time that is never early."""
    after = ends.astimezone(UTC).replace(second=0) + timedelta(minutes=1)
    return f"{after.minute} {after.hour} {after.day} {after.month} *"


def _spec(app: App, build: Build, ends: datetime) -> Object:
    return {
        "schedule": cron(ends),
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": "Forbid",
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": {
            "metadata": {"labels": metadata(app, name(app), KEEPER)["labels"]},
            "spec": {
                "backoffLimit": 6,
                "activeDeadlineSeconds": 600,
                "template": {
                    "metadata": {"labels": metadata(app, name(app), KEEPER)["labels"]},
                    "spec": {
                        **pod_basics(app, user=build.user, account=name(app)),
                        "automountServiceAccountToken": True,
                        "restartPolicy": "Never",
                        "containers": [
                            {
                                "name": "keeper",
                                "image": build.reference,
                                "imagePullPolicy": "IfNotPresent",
                                "command": ["python", "-I", "-m", "nuages_runtime.keeper", app.namespace],
                                "resources": {
                                    "requests": {"cpu": "10m", "memory": "64Mi"},
                                    "limits": {"memory": "64Mi"},
                                },
                                "securityContext": container_security(),
                                "volumeMounts": [temporary_mount()],
                            }
                        ],
                        "volumes": [temporary()],
                    },
                },
            },
        },
    }
