"""Causes that lie in a volume: one that is not made, not bound, or not mounted; and in the pod's own network."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import KINDS, Cause, Evidence, lacks, tail


def mount(evidence: Evidence) -> Cause | None:
    """A volume cannot be mounted, or the pod's network not made."""
    if said := evidence.said("FailedMount", "FailedAttachVolume", but=_WAITED):
        if whole := re.search(r'(secret|configmap)s? "(?:[^"/]+/)?([^"]+)" not found', said):
            kind = KINDS[whole[1]]
            return lacks(f"there is no {kind} {whole[2]}", kind, said)
        if key := re.search(r"references non-existent (secret|config) key: (\S+)", said):
            kind = {"secret": "Secret", "config": "ConfigMap"}[key[1]]
            return lacks(f"a {kind} that it mounts has no key {key[2]}", kind, said)
        if driver := re.search(r"driver name (\S+) not found in the list of registered CSI drivers", said):
            hint = "its pods have to run on every node: whoever runs the cluster installs it"
            return Cause("diag.D053", f"the node lacks the volume's driver {driver[1]}", hint, said)
        if re.search(r"Multi-Attach|already (?:exclusively )?(?:attached|used|mounted)", said):
            hint = "it goes with the pod that has it; a volume of several pods wants accessMode ReadWriteMany"
            return Cause("diag.D053", "the volume is in use on another node", hint, said)
        if "bad option" in said or "mount helper" in said or "unknown filesystem" in said:
            hint = "the node lacks the program that mounts it, such as nfs-common"
            return Cause("diag.D053", "the node cannot mount a volume of this kind", hint, said)
        hint = "its driver's words say why; is it still in use on another node?"
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
    if named := re.search(r'storageclass\S* "([^"]+)" not found', said):
        return Cause("diag.D055", f"there is no StorageClass {named[1]}", hint, said)
    if "no storage class is set" in said:
        return Cause("diag.D055", "no StorageClass is the cluster's default, and the claim names none", hint, said)
    if "failed to provision volume" in said:
        hint = "its driver says why: a right or a quota that the cluster lacks in its cloud, or a zone"
        return Cause("diag.D055", "the storage class makes no volume for the claim", hint, tail(said))
    if driver := re.search(r"external provisioner '([^']+)'", said):
        hint = f"is {driver[1]} installed, and do its pods run? Whoever runs the cluster knows it"
        return Cause("diag.D055", f"{driver[1]} makes no volume for the claim", hint, said)
    return Cause("diag.D055", "no volume is made for the claim", hint, said)


def unbound(evidence: Evidence, line: str) -> Cause:
    """No node takes the pod for its volume: what was said of the claim tells more than the scheduler's words."""
    if named := re.search(r'persistentvolumeclaim "([^"]+)" not found', line):
        hint = "deploy again makes what nuages makes; a claim that you named yourself has to be there before"
        return Cause("diag.D051", f"there is no PersistentVolumeClaim {named[1]}", hint, line)
    if re.search(r"affinity conflict|available volume zone", line):
        hint = "a disk stays where it was made: that node, or zone, needs room, and placement has to let the pods there"
        return Cause("diag.D051", "its volume lies on another node, or in another zone", hint, line)
    if found := _unmade(evidence):
        return found._replace(line=f"{found.line}\n{line}")
    hint = "nuages doctor shows the cluster's storage classes; storageClass in nuages.yaml names one"
    return Cause("diag.D051", "its volume is not bound", hint, line)
