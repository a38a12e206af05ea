"""Causes that lie in the cluster, before the program runs: its configuration, its node, its address, its time."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import KINDS, Cause, Evidence, lacks
from nuages.rollout.causes.volumes import unbound


def configuration(evidence: Evidence) -> Cause | None:
    """A Secret or ConfigMap, or a key in it, that a container reads is not there."""
    said = evidence.message
    if key := re.search(r"couldn't find key (\S+) in (Secret|ConfigMap) \S+/(\S+)", said):
        return lacks(f"{key[2]} {key[3]} has no key {key[1]}", key[2], said)
    if whole := re.search(r'(secret|configmap)s? "([^"]+)" not found', said):
        kind = KINDS[whole[1]]
        return lacks(f"there is no {kind} {whole[2]}", kind, said)
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
        return unbound(evidence, line)
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
