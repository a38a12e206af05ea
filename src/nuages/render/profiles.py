"""What each cloud wants said: its load balancers, the classes of its volumes, the identity of pods.

Only what an object has to say so that the cloud does what the spec means; each cloud's page says what must be there
first (docs/guides/clusters.md). Sources, per cloud:
https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/ (eks),
https://cloud-provider-aws.sigs.k8s.io/service_controller/ (kops),
https://cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters (gke),
https://cloud-provider-azure.sigs.k8s.io/topics/loadbalancer/ (aks).
"""

from __future__ import annotations

import copy
import math

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.release import Manifest

_AWS = "service.beta.kubernetes.io/aws-load-balancer"
_AZURE = "service.beta.kubernetes.io/azure-load-balancer"
_ALB = "alb.ingress.kubernetes.io"

IDENTITY = {
    "eks": "eks.amazonaws.com/role-arn",
    "gke": "iam.gke.io/gcp-service-account",
    "aks": "azure.workload.identity/client-id",
    "kops": "eks.amazonaws.com/role-arn",
}
"""The annotation of the service account by which a cloud knows who its pods are."""

ALL_NODES = {"gke": "standard-rwx", "aks": "azurefile-csi"}
"""The storage class that a cloud has ready for volumes that pods of several nodes mount."""

ONE_NODE = frozenset({"eks", "gke", "aks", "kops", "k3s"})
"""Where the default class has volumes of one node only."""

_USED = {"azure.workload.identity/use": "true"}


def storage_class(app: App, access_mode: str) -> str | None:
    """The class of a volume of which the spec names none; None leaves it to the cluster's default."""
    profile = app.expose.profile if app.expose else None
    return ALL_NODES.get(profile or "") if access_mode == "ReadWriteMany" else None


def balancer(profile: str | None, seconds: int) -> dict[str, str]:
    """The annotations of a Service of type LoadBalancer.

    Args:
        profile: whose cluster it is.
        seconds: the longest that a connection may be silent: as long as a request may take.
    """
    match profile:
        case "eks":
            return {
                f"{_AWS}-type": "external",
                f"{_AWS}-nlb-target-type": "ip",
                # Without it, the balancer is reached from inside the network only.
                f"{_AWS}-scheme": "internet-facing",
                f"{_AWS}-healthcheck-protocol": "http",
                f"{_AWS}-healthcheck-path": "/-/ready",
                **_beyond(seconds, 350, f"{_AWS}-listener-attributes.TCP-80", "tcp.idle_timeout.seconds={}"),
            }
        case "kops":
            # The cloud's own controller, with a classic balancer, whose silence ends after 60 s unless it is told.
            return {
                f"{_AWS}-connection-idle-timeout": str(max(60, min(seconds, 4000))),
                f"{_AWS}-connection-draining-enabled": "true",
            }
        case "gke":
            return {"cloud.google.com/l4-rbs": "enabled"}
        case "aks":
            return _beyond(math.ceil(seconds / 60), 4, f"{_AZURE}-tcp-idle-timeout", "{}", most=100)
        case _:
            return {}


def application(app: App, seconds: int) -> dict[str, str]:
    """The annotations of an Ingress of the class `alb`; none of other classes'."""
    expose = app.expose
    if expose is None or expose.class_ != "alb":
        return {}
    ports = '[{"HTTP": 80}, {"HTTPS": 443}]' if expose.tls and expose.tls.none is None else '[{"HTTP": 80}]'
    return {
        f"{_ALB}/scheme": "internet-facing",
        f"{_ALB}/target-type": "ip",
        f"{_ALB}/listen-ports": ports,
        **({f"{_ALB}/ssl-redirect": "443"} if "443" in ports else {}),
        # What Django answers at / is the project's: a redirect, a page that needs the database.
        f"{_ALB}/healthcheck-path": "/-/ready",
        **_beyond(seconds, 60, f"{_ALB}/load-balancer-attributes", "idle_timeout.timeout_seconds={}", most=4000),
    }


def identified(app: App, manifest: Manifest) -> Manifest:
    """The same objects; where the account has an identity of Azure's, pods that run under it say that they use it.

    https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html: without
    the label, a pod gets no token.
    """
    if IDENTITY["aks"] not in app.account.annotations:
        return manifest
    parts = {
        name: [_labelled(item) for item in getattr(manifest, name)]
        for name in manifest.__struct_fields__
        if name != "hooks"
    }
    hooks = {
        name: msgspec.structs.replace(hook, objects=[_labelled(item) for item in hook.objects])
        for name, hook in manifest.hooks.items()
    }
    return msgspec.structs.replace(manifest, **parts, hooks=hooks)


def _labelled(item: Object) -> Object:
    made = copy.deepcopy(item)
    spec = made.get("spec", {})
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    if template:
        about = template.setdefault("metadata", {})
        about["labels"] = about.get("labels", {}) | _USED
    return made


def _beyond(needed: int, usual: int, name: str, value: str, *, most: int = 6000) -> dict[str, str]:
    """An annotation where more is needed than the cloud gives unasked, and no more than it ever gives."""
    return {name: value.format(min(needed, most))} if needed > usual else {}
