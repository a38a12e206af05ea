"""Causes that lie in the cluster, before the program runs: image, configuration, node, volumes, refusals."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container, tail
from nuages.rollout.pods import Trouble

_LOAD = "nuages cluster load IMAGE puts one on the node"


def image(evidence: Evidence) -> Cause | None:
    """The image is not there, not ours to pull, or not to be reached."""
    said = evidence.message
    name = _image(evidence.trouble)
    if "InvalidImageName" in said:
        return Cause("diag.D001", f"{name} is not the name of an image", "correct image in nuages.yaml", said)
    if "ErrImageNeverPull" in said:
        return Cause("diag.D005", f"{name} is not on the node, and may not be pulled", _LOAD, said)
    if re.search(r"unauthorized|denied|authorization failed|no basic auth|401|403", said):
        hint = "name a Secret with the registry's credentials as imagePullSecret in nuages.yaml"
        return Cause("diag.D003", f"the registry does not let the cluster pull {name}", hint, tail(said))
    if re.search(r"no such host|dial tcp|i/o timeout|connection refused|TLS|x509", said):
        hint = f"is the registry's name right, and can the nodes reach it? In a local cluster: {_LOAD}"
        return Cause("diag.D004", f"the node does not reach the registry of {name}", hint, tail(said))
    if re.search(r"not found|manifest unknown", said):
        hint = f"was it pushed under this name? In a local cluster: {_LOAD}"
        return Cause("diag.D002", f"there is no image {name}", hint, tail(said))
    return Cause("diag.D006", f"the image {name} cannot be pulled", "", tail(said))


def configuration(evidence: Evidence) -> Cause | None:
    """A Secret or ConfigMap, or a key in it, that a container reads is not there."""
    said = evidence.message
    if key := re.search(r"couldn't find key (\S+) in (Secret|ConfigMap) \S+/(\S+)", said):
        return _lacks(f"{key[2]} {key[3]} has no key {key[1]}", key[2], said)
    if whole := re.search(r'(secret|configmap) "([^"]+)" not found', said):
        kind = {"secret": "Secret", "configmap": "ConfigMap"}[whole[1]]
        return _lacks(f"there is no {kind} {whole[2]}", kind, said)
    return Cause("diag.D012", "the container cannot be configured", "", said)


def node(evidence: Evidence) -> Cause | None:
    """No node takes the pod."""
    said = evidence.message
    if lacking := sorted(set(re.findall(r"Insufficient ([\w/-]+(?:\.[\w/-]+)*)", said))):
        what = " and ".join(lacking)
        return Cause("diag.D050", f"no node has enough {what} left", "lower resources or replicas, or add a node", said)
    if re.search(r"(?i)persistentvolumeclaim|volume node affinity|persistent volume", said):
        return Cause(
            "diag.D051", "its volume is not bound, or lies on another node", "kubectl describe pvc says more", said
        )
    return Cause("diag.D052", "no node fits (taints, affinity)", "", said)


def mount(evidence: Evidence) -> Cause | None:
    """A volume cannot be mounted, or the pod's network not made."""
    if said := evidence.said("FailedMount", "FailedAttachVolume"):
        return Cause("diag.D053", "a volume cannot be mounted", "", said)
    if said := evidence.said("FailedCreatePodSandBox"):
        return Cause(
            "diag.D054", "the node cannot make the pod's sandbox", "look at the node, not at the project", said
        )
    return None


def creation(evidence: Evidence) -> Cause | None:
    """The cluster does not let the pods be made."""
    conditions = evidence.workload.get("status", {}).get("conditions", [])
    refused = [
        one.get("message", "") for one in conditions if one["type"] == "ReplicaFailure" and one["status"] == "True"
    ]
    said = refused[0] if refused else evidence.said("FailedCreate")
    if not said:
        return None
    if "exceeded quota" in said or "must specify limits" in said:
        return Cause("diag.D060", "the namespace's quota is used up", "raise the quota, or lower resources", said)
    if "violates PodSecurity" in said:
        return Cause("diag.D061", "the namespace's Pod Security level refuses the pods", "", said)
    return Cause("diag.D062", "the cluster refuses the pods", "", said)


def volume(evidence: Evidence) -> Cause | None:
    """A claim gets no volume."""
    if evidence.workload["kind"] != "PersistentVolumeClaim":
        return None
    said = evidence.said("ProvisioningFailed", "FailedBinding", "ExternalProvisioning")
    hint = "kubectl get storageclass shows what there is; storageClass in nuages.yaml names one"
    return Cause("diag.D055", "no volume is made for the claim", hint, said)


def address(evidence: Evidence) -> Cause | None:
    """A load balancer gives no address."""
    if evidence.workload["kind"] != "Service":
        return None
    hint = "use expose.kind nodePort or ingress where the cluster has no load balancers"
    return Cause(
        "diag.D080", "no load balancer gives the Service an address", hint, evidence.said("SyncLoadBalancerFailed")
    )


def deadline(evidence: Evidence) -> Cause | None:
    """A Job was ended by its own time limit; its pods are gone with it."""
    conditions = evidence.workload.get("status", {}).get("conditions", [])
    if any(one.get("reason") == "DeadlineExceeded" for one in conditions):
        return Cause("diag.D072", "the Job took longer than it may", "raise migrations.timeout in nuages.yaml")
    return None


def _lacks(cause: str, kind: str, said: str) -> Cause:
    number = {"Secret": "diag.D010", "ConfigMap": "diag.D011"}[kind]
    return Cause(
        number, cause, "deploy again makes what nuages makes; what you named yourself has to be there before", said
    )


def _image(trouble: Trouble | None) -> str:
    return str(container(trouble).get("image", "the image"))
