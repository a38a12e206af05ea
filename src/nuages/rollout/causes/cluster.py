"""Causes that lie in the cluster, before the program runs: image, configuration, node, volumes."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container, tail
from nuages.rollout.pods import Trouble

_KINDS = {"secret": "Secret", "configmap": "ConfigMap"}
_LOAD = "nuages cluster load IMAGE puts one on the node"


def image(evidence: Evidence) -> Cause | None:
    """The image is not there, not ours to pull, or not to be reached: in the words of containerd, CRI-O and Docker."""
    said = evidence.message
    if not re.search(_WHY, said):
        # Before Kubernetes 1.31 a pod that waits says only that it backs off; why stands in an event.
        said = evidence.said("Failed", but=r"^Error: ") or said
    name = _image(evidence.trouble)
    if "InvalidImageName" in said:
        return Cause("diag.D001", f"{name} is not the name of an image", "correct image in nuages.yaml", said)
    if re.search(r"short.name", said):
        hint = "write the registry, too: docker.io/library/NAME, as the node looks in none by itself"
        return Cause("diag.D001", f"{name} names no registry", hint, tail(said))
    if "ErrImageNeverPull" in said:
        return Cause("diag.D005", f"{name} is not on the node, and may not be pulled", _LOAD, said)
    if re.search(
        r"no match for platform|no matching manifest|does not match the specified platform|no image found in", said
    ):
        hint = "build it for the node's architecture: kubectl get nodes -L kubernetes.io/arch shows that"
        return Cause("diag.D007", f"{name} is not made for the node's processor", hint, tail(said))
    if re.search(r"no space left on device", said):
        hint = "whoever runs the cluster has to give it room, or take another node; smaller images help"
        return Cause("diag.D006", f"the node's disk has no room for {name}", hint, tail(said))
    if re.search(r"toomanyrequests|429 Too Many|pull rate limit", said):
        hint = "pull as somebody (imagePullSecret in nuages.yaml), or from a registry of your own"
        return Cause("diag.D006", f"the registry lets the cluster pull {name} no more for now", hint, tail(said))
    if re.search(_FORBIDDEN, said):
        hint = "name a Secret with the registry's credentials as imagePullSecret in nuages.yaml"
        if re.search(r"does not exist or may require|insufficient_scope", said):
            hint += "; is the name right? This registry answers the same where there is no such image"
        return Cause("diag.D003", f"the registry does not let the cluster pull {name}", hint, tail(said))
    if "server gave HTTP response to HTTPS client" in said:
        hint = "give the registry a certificate, or let the nodes' container runtime speak plain HTTP to it"
        return Cause("diag.D004", f"the registry of {name} speaks no HTTPS", hint, tail(said))
    if re.search(_UNREACHED, said):
        hint = f"is the registry's name right, and can the nodes reach it? In a local cluster: {_LOAD}"
        return Cause("diag.D004", f"the node does not reach the registry of {name}", hint, tail(said))
    if re.search(r"not found|manifest unknown|name unknown|NAME_UNKNOWN|MANIFEST_UNKNOWN|404", said):
        hint = f"was it pushed under this name? In a local cluster: {_LOAD}"
        return Cause("diag.D002", f"there is no image {name}", hint, tail(said))
    return Cause("diag.D006", f"the image {name} cannot be pulled", "its registry's words say why", tail(said))


_WHY = (
    r"(?i)[Ff]ail|[Ee]rror|denied|unauthorized|invalid|ErrImageNeverPull|not found|unknown|toomanyrequests|short.name"
)
_FORBIDDEN = (
    r"(?i)unauthorized|denied|authorization failed|authentication required|no basic auth|invalid username/password"
    r"|\b(?:401|403)\b(?=\W*(?:$|Unauthorized|Forbidden|\())|status(?: code)?:? (?:401|403)"
)
"""Words, and the numbers only where they are a status: a digest has such numbers in it, too."""

_UNREACHED = (
    r"(?i)no such host|dial tcp|i/o timeout|connection re(?:fused|set)|TLS|x509|deadline exceeded|Client\.Timeout"
    r"|unexpected EOF|: EOF|\b50[0234]\b (?:Internal|Bad|Service|Gateway)|server misbehaving|network is unreachable"
)


def configuration(evidence: Evidence) -> Cause | None:
    """A Secret or ConfigMap, or a key in it, that a container reads is not there."""
    said = evidence.message
    if key := re.search(r"couldn't find key (\S+) in (Secret|ConfigMap) \S+/(\S+)", said):
        return _lacks(f"{key[2]} {key[3]} has no key {key[1]}", key[2], said)
    if whole := re.search(r'(secret|configmap)s? "([^"]+)" not found', said):
        kind = _KINDS[whole[1]]
        return _lacks(f"there is no {kind} {whole[2]}", kind, said)
    hint = "give the image a user by its number (USER 10001 in the Dockerfile)"
    if named := re.search(r"non-numeric user \((\S+)\)", said):
        cause = f"the image's user is a name, {named[1]}, of which nobody can tell that it is not root"
        return Cause("diag.D012", cause, hint, said)
    if "runAsNonRoot" in said or "runAsUser breaks non-root" in said:
        return Cause("diag.D012", "the image runs as root, and the pod may not", hint, said)
    return Cause("diag.D012", "the container cannot be configured", "its own words say what to change", said)


def node(evidence: Evidence) -> Cause | None:
    """No node takes the pod: the scheduler's words, and below them those of what would bring another node."""
    said = evidence.message
    # Karpenter and its like say it by the scheduler's own reason.
    brings = [one for one in evidence.events if re.search(_BRINGS, f"{one.get('reason')} {one.get('message')}")]
    autoscaler = (brings[-1].get("message") or "") if brings else ""
    line = "\n".join(dict.fromkeys(filter(None, (said, autoscaler))))
    if lacking := sorted(set(re.findall(r"Insufficient ([\w/-]+(?:\.[\w/-]+)*)", said))):
        what = " and ".join(lacking)
        return Cause("diag.D050", f"no node has enough {what} left", "lower resources or replicas, or add a node", line)
    if "Too many pods" in said:
        return Cause("diag.D050", "no node takes one more pod", "fewer replicas, or another node", line)
    if "max volume count" in said:
        hint = "each node takes so many disks and no more: another node, or fewer volumes"
        return Cause("diag.D051", "no node takes one more volume", hint, line)
    if re.search(
        r"(?i)persistentvolumeclaim|volume node affinity|persistent ?volume|available volume zone|pvc\(s\)", said
    ):
        return _unbound(evidence, line)
    if asleep := re.search(rf"taint \{{node\.kubernetes\.io/({_UNWELL})", said):
        hint = "kubectl get nodes shows it; whoever runs the cluster has to look at it"
        return Cause("diag.D056", f"no node is left that is ready ({asleep[1]})", hint, line)
    if "no nodes available" in said:
        return Cause("diag.D056", "the cluster has no node", "kubectl get nodes shows what there is", line)
    if ports := re.search(r"didn't have free ports", said):
        hint = "a port of the host (hostPort) is for one pod of a node: use a Service"
        return Cause("diag.D037", f"the host's port is in use on every node ({ports[0]})", hint, line)
    hint = "placement in nuages.yaml has nodeSelector and tolerations"
    if re.search(r"node\(s\) were unschedulable|taint \{node\.kubernetes\.io/unschedulable", said):
        hint = "a node is closed to new pods: kubectl uncordon NODE opens it"
    return Cause("diag.D052", "no node fits (taints, affinity)", hint, line)


_BRINGS = r"^NotTriggerScaleUp |^FailedScheduling .*(?:nodepool|provisioner|NodePool)"


def _unbound(evidence: Evidence, line: str) -> Cause:
    """No node takes the pod for its volume: what was said of the claim tells more than the scheduler's words."""
    if lacks := re.search(r'persistentvolumeclaim "([^"]+)" not found', line):
        hint = "deploy again makes what nuages makes; a claim that you named yourself has to be there before"
        return Cause("diag.D051", f"there is no PersistentVolumeClaim {lacks[1]}", hint, line)
    if re.search(r"affinity conflict|available volume zone", line):
        hint = "a disk stays where it was made: that node, or zone, needs room, and placement has to let the pods there"
        return Cause("diag.D051", "its volume lies on another node, or in another zone", hint, line)
    if found := _unmade(evidence):
        return found._replace(line=f"{found.line}\n{line}")
    hint = "nuages doctor shows the cluster's storage classes; storageClass in nuages.yaml names one"
    return Cause("diag.D051", "its volume is not bound", hint, line)


_UNWELL = "not-ready|unreachable|disk-pressure|memory-pressure|pid-pressure|network-unavailable"


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
    if "local ephemeral" in why:
        return "it wrote more to its own disk than it may hold: write to a volume, or raise its ephemeral-storage"
    if "shutdown" in why:
        return "the node is shut down, for an update or because it was lent only: another pod comes"
    if short := re.search(r"had condition: \[(\w+)\]", why):
        return f"the node has {short[1]}: let resources say what the pods really need, or add a node"
    if lacking := re.search(r"low on resource: ([\w-]+)", why):
        return f"the node ran out of {lacking[1]}: let resources say what the pods really need, or add a node"
    if "ephemeral" in why:
        return "it wrote more to its own disk than resources allow"
    return ""


def mount(evidence: Evidence) -> Cause | None:
    """A volume cannot be mounted, or the pod's network not made."""
    if said := evidence.said("FailedMount", "FailedAttachVolume", but=_WAITED):
        if whole := re.search(r'(secret|configmap)s? "(?:[^"/]+/)?([^"]+)" not found', said):
            kind = _KINDS[whole[1]]
            return _lacks(f"there is no {kind} {whole[2]}", kind, said)
        if key := re.search(r"references non-existent (secret|config) key: (\S+)", said):
            kind = {"secret": "Secret", "config": "ConfigMap"}[key[1]]
            return _lacks(f"a {kind} that it mounts has no key {key[2]}", kind, said)
        if driver := re.search(r"driver name (\S+) not found in the list of registered CSI drivers", said):
            hint = "its pods have to run on every node: whoever runs the cluster installs it"
            return Cause("diag.D053", f"the node lacks the volume's driver {driver[1]}", hint, said)
        if re.search(r"Multi-Attach|already (?:exclusively )?(?:attached|used|mounted)", said):
            hint = "it goes with the pod that has it; a volume of several pods wants accessMode ReadWriteMany"
            return Cause("diag.D053", "the volume is in use on another node", hint, said)
        if "bad option" in said or "mount helper" in said or "unknown filesystem" in said:
            hint = "the node lacks the program that mounts it, such as nfs-common"
            return Cause("diag.D053", "the node cannot mount a volume of this kind", hint, said)
        hint = "is it still in use on another node? kubectl describe pod says more"
        return Cause("diag.D053", "a volume cannot be mounted", hint, said)
    if said := evidence.said("FailedCreatePodSandBox", "NetworkNotReady"):
        hint = "look at the node, not at the project"
        if re.search(r"failed to assign an IP|no (?:available|free) IP|no IP addresses available|not enough IP", said):
            hint = "the pods' network has no address left: whoever runs the cluster has to make it wider"
        return Cause("diag.D054", "the node cannot make the pod's sandbox", hint, said)
    return None


_WAITED = r"Unable to attach or mount volumes|timed out waiting for the condition|not registered$"
"""What the kubelet says beside the event that has the reason; and what it says once, until it has seen an object."""


def volume(evidence: Evidence) -> Cause | None:
    """A claim gets no volume."""
    if evidence.workload["kind"] != "PersistentVolumeClaim":
        return None
    hint = "nuages doctor shows the cluster's storage classes; storageClass in nuages.yaml names one"
    return _unmade(evidence) or Cause("diag.D055", "no volume is made for the claim", hint)


def _unmade(evidence: Evidence) -> Cause | None:
    """What the controllers say of a claim that stays without a volume; a refusal tells more than that one waits."""
    said = evidence.said("ProvisioningFailed", "FailedBinding") or evidence.said("ExternalProvisioning")
    hint = "nuages doctor shows the cluster's storage classes; storageClass in nuages.yaml names one"
    if not said:
        return None
    if lacks := re.search(r'storageclass\S* "([^"]+)" not found', said):
        return Cause("diag.D055", f"there is no StorageClass {lacks[1]}", hint, said)
    if "no storage class is set" in said:
        return Cause("diag.D055", "no StorageClass is the cluster's default, and the claim names none", hint, said)
    if "failed to provision volume" in said:
        hint = "its driver says why: a right or a quota that the cluster lacks in its cloud, or a zone"
        return Cause("diag.D055", "the storage class makes no volume for the claim", hint, tail(said))
    if driver := re.search(r"external provisioner '([^']+)'", said):
        hint = f"is {driver[1]} installed, and do its pods run? Whoever runs the cluster knows it"
        return Cause("diag.D055", f"{driver[1]} makes no volume for the claim", hint, said)
    return Cause("diag.D055", "no volume is made for the claim", hint, said)


def address(evidence: Evidence) -> Cause | None:
    """A load balancer gives no address."""
    if evidence.workload["kind"] != "Service":
        return None
    hint = "use expose.kind nodePort or ingress where the cluster has no load balancers"
    said = evidence.said(
        "SyncLoadBalancerFailed", "FailedBuildModel", "FailedDeployModel", "CreatingLoadBalancerFailed"
    )
    if said:
        hint = "its controller says why: quota, subnets, or a right that it lacks"
    return Cause("diag.D080", "no load balancer gives the Service an address", hint, said)


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
