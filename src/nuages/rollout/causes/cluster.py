"""Causes that lie in the cluster, before the program runs: image, configuration, node, volumes."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container, tail
from nuages.rollout.pods import Trouble

_KINDS = {"secret": "Secret", "configmap": "ConfigMap"}
_LOAD = "nuages cluster load IMAGE puts one on the node"


def image(evidence: Evidence) -> Cause | None:
    """The image is not there, not ours to pull, or not to be reached."""
    said = evidence.message
    name = _image(evidence.trouble)
    if "InvalidImageName" in said:
        return Cause("diag.D001", f"{name} is not the name of an image", "correct image in nuages.yaml", said)
    if "ErrImageNeverPull" in said:
        return Cause("diag.D005", f"{name} is not on the node, and may not be pulled", _LOAD, said)
    if re.search(r"no match for platform|no matching manifest|does not match the specified platform", said):
        hint = "build it for the node's architecture: kubectl get nodes -L kubernetes.io/arch shows that"
        return Cause("diag.D007", f"{name} is not made for the node's processor", hint, tail(said))
    if re.search(r"unauthorized|denied|authorization failed|no basic auth|401|403", said):
        hint = "name a Secret with the registry's credentials as imagePullSecret in nuages.yaml"
        return Cause("diag.D003", f"the registry does not let the cluster pull {name}", hint, tail(said))
    if re.search(r"no such host|dial tcp|i/o timeout|connection refused|TLS|x509", said):
        hint = f"is the registry's name right, and can the nodes reach it? In a local cluster: {_LOAD}"
        return Cause("diag.D004", f"the node does not reach the registry of {name}", hint, tail(said))
    if re.search(r"not found|manifest unknown", said):
        hint = f"was it pushed under this name? In a local cluster: {_LOAD}"
        return Cause("diag.D002", f"there is no image {name}", hint, tail(said))
    return Cause("diag.D006", f"the image {name} cannot be pulled", "its registry's words say why", tail(said))


def configuration(evidence: Evidence) -> Cause | None:
    """A Secret or ConfigMap, or a key in it, that a container reads is not there."""
    said = evidence.message
    if key := re.search(r"couldn't find key (\S+) in (Secret|ConfigMap) \S+/(\S+)", said):
        return _lacks(f"{key[2]} {key[3]} has no key {key[1]}", key[2], said)
    if whole := re.search(r'(secret|configmap) "([^"]+)" not found', said):
        kind = _KINDS[whole[1]]
        return _lacks(f"there is no {kind} {whole[2]}", kind, said)
    if "runAsNonRoot" in said:
        hint = "give the image a user by its number (USER 10001 in the Dockerfile)"
        return Cause("diag.D012", "the image runs as root, and the pod may not", hint, said)
    return Cause("diag.D012", "the container cannot be configured", "its own words say what to change", said)


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
    if asleep := re.search(r"untolerated taint \{node\.kubernetes\.io/(not-ready|unreachable)", said):
        hint = "kubectl get nodes shows it; whoever runs the cluster has to look at it"
        return Cause("diag.D056", f"no node is left that is ready ({asleep[1]})", hint, said)
    if ports := re.search(r"didn't have free ports", said):
        hint = "a port of the host (hostPort) is for one pod of a node: use a Service"
        return Cause("diag.D037", f"the host's port is in use on every node ({ports[0]})", hint, said)
    hint = "placement in nuages.yaml has nodeSelector and tolerations"
    return Cause("diag.D052", "no node fits (taints, affinity)", hint, said)


def lost(evidence: Evidence) -> Cause | None:
    """The node ended the pod, did not take it, or does not answer any more; another pod comes in its place."""
    said = evidence.message
    name = evidence.trouble.pod["spec"].get("nodeName", "its node") if evidence.trouble else "its node"
    if said == "NodeNotReady":
        line = evidence.said("NodeNotReady", "TaintManagerEviction")
        hint = "kubectl get nodes shows it; its pods are made anew elsewhere after five minutes"
        return Cause("diag.D056", f"the node {name} is not ready", hint, line)
    reason, _, why = said.partition(": ")
    if reason in {"Evicted", "Preempting", "Terminated", "NodeShutdown", "Shutdown"}:
        return Cause("diag.D057", f"the node {name} evicted it", _room(why), why or said)
    return Cause(
        "diag.D058", f"the node {name} did not take it ({reason})", "another pod comes in its place", why or said
    )


def _room(why: str) -> str:
    """What would have kept it: less of what was used up, or more of it."""
    if "EmptyDir volume" in why:
        return "it wrote more to a volume of its own, such as /tmp, than that may hold"
    if lacking := re.search(r"low on resource: ([\w-]+)", why):
        return f"the node ran out of {lacking[1]}: let resources say what the pods really need, or add a node"
    if "ephemeral" in why:
        return "it wrote more to its own disk than resources allow"
    return ""


def mount(evidence: Evidence) -> Cause | None:
    """A volume cannot be mounted, or the pod's network not made."""
    if said := evidence.said("FailedMount", "FailedAttachVolume"):
        if whole := re.search(r'(secret|configmap) "(?:[^"/]+/)?([^"]+)" not found', said):
            kind = _KINDS[whole[1]]
            return _lacks(f"there is no {kind} {whole[2]}", kind, said)
        if key := re.search(r"references non-existent (secret|config) key: (\S+)", said):
            kind = {"secret": "Secret", "config": "ConfigMap"}[key[1]]
            return _lacks(f"a {kind} that it mounts has no key {key[2]}", kind, said)
        hint = "is it still in use on another node? kubectl describe pod says more"
        return Cause("diag.D053", "a volume cannot be mounted", hint, said)
    if said := evidence.said("FailedCreatePodSandBox"):
        return Cause(
            "diag.D054", "the node cannot make the pod's sandbox", "look at the node, not at the project", said
        )
    return None


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
        seconds = evidence.workload["spec"].get("activeDeadlineSeconds")
        limit = f" ({seconds} s)" if seconds else ""
        return Cause("diag.D072", f"the Job took longer than it may{limit}", "raise migrations.timeout in nuages.yaml")
    return None


def _lacks(cause: str, kind: str, said: str) -> Cause:
    number = {"Secret": "diag.D010", "ConfigMap": "diag.D011"}[kind]
    return Cause(
        number, cause, "deploy again makes what nuages makes; what you named yourself has to be there before", said
    )


def _image(trouble: Trouble | None) -> str:
    return str(container(trouble).get("image", "the image"))
