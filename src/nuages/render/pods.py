"""What all pods share: Pod Security `restricted`, and more than it asks for.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.app.timing import WorkerTiming
from nuages.spec.model import Resources
from nuages.spec.units import canonical_cpu, canonical_memory

TEMPORARY = "tmp"


def pod_security(user: int) -> Object:
    """A pod's security context: numeric, since the kubelet can't tell whether a name is root.

    fsGroup lets the user write to volumes; "on root mismatch" spares walking through large ones at each start.
    """
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> Object:
    """A container's security context; the read-only root is ours, the rest is what `restricted` asks for."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def resources(wanted: Resources) -> Object:
    """Requests as they are, and a memory limit that equals its request; CPU is shared fairly without a limit.

    A CPU limit throttles a pod on an idle node; a memory limit above the request gets other pods killed.
    """
    memory = canonical_memory(wanted.memory)
    return {"requests": {"cpu": canonical_cpu(wanted.cpu), "memory": memory}, "limits": {"memory": memory}}


def temporary() -> Object:
    """The volume for /tmp, which a read-only root needs and uploads pass through; memory would count against the limit.

    A pod that writes more is evicted, so there is room for a few large uploads at a time.
    """
    return {"name": TEMPORARY, "emptyDir": {"sizeLimit": "1Gi"}}


def temporary_mount() -> Object:
    """Where that volume goes."""
    return {"name": TEMPORARY, "mountPath": "/tmp"}  # noqa: S108 - the container's own


def from_secret(name: str, secret: str, key: str) -> Object:
    """A variable whose value lies in a Secret, and in no object that refers to it."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def cluster_ip(about: Object, matching: dict[str, str], name: str, port: int) -> Object:
    """A Service: the name of pods inside the cluster. `name` is what their port is called."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": about,
        "spec": {
            "type": "ClusterIP",
            "selector": matching,
            "ports": [{"name": name, "port": port, "targetPort": name, "protocol": "TCP"}],
        },
    }


def pod_basics(app: App, *, user: int, account: str) -> Object:
    """The fields of a pod that are the same whatever it runs: no token, no variables of other Services."""
    basics: Object = {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(user),
    }
    return basics | {"imagePullSecrets": [{"name": app.image_pull_secret}]} if app.image_pull_secret else basics


def near(matching: dict[str, str]) -> Object:
    """Better on the node of these pods than elsewhere: where a volume is one node's, only there it can be mounted."""
    there = {"labelSelector": {"matchLabels": matching}, "topologyKey": "kubernetes.io/hostname"}
    term = {"weight": 100, "podAffinityTerm": there}
    return {"affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}}


def spread(matching: dict[str, str]) -> list[Object]:
    """Over nodes and zones where there are several; on one node they still start."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": matching},
            # Old and new pods are spread each for themselves.
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]


def disruption_budget(about: Object, matching: dict[str, str]) -> Object:
    """At most one pod at a time by a drain. With one replica that is an outage, but the drain goes on: a budget that
    allows none would hold a node for ever. Pods that are not ready don't count, they can't get worse.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": about,
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": matching},
        },
    }


def alive(timing: WorkerTiming) -> Object:
    """The probes of what answers no requests: the runtime looks how old its sign of life is, without the project.

    Ready is only what has reached its broker: nobody sends it requests, but a release waits for it. A broker that is
    away restarts nothing.
    """
    ask = ["python", "-I", "-m", "nuages_runtime.alive", str(timing.alive)]

    def probe(command: list[str], period: int, failures: int) -> Object:
        return {
            "exec": {"command": command},
            "periodSeconds": period,
            "timeoutSeconds": timing.probe_timeout,
            "failureThreshold": failures,
        }

    return {
        "startupProbe": probe(ask, timing.startup_period, timing.startup_failures),
        "readinessProbe": probe([*ask, "running"], timing.readiness_period, 1),
        "livenessProbe": probe(ask, timing.liveness_period, timing.liveness_failures),
    }
