"""Causes that lie in a rule of the cluster (quota, Pod Security, admission), for pods and for any object applied."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, tail

FOR_GOOD = frozenset({"diag.D061", "diag.D063", "diag.D065", "diag.D066"})
"""The refusals that no waiting ends."""


def refusal(said: str) -> Cause | None:
    """What the API server's words come to; None where they are of something else. Pure, for any refused object."""
    if quota := re.search(r"exceeded quota: (?P<name>[\w.-]+)(?P<rest>.*)", said):
        return Cause("diag.D060", _quota(quota["name"], quota["rest"]), "raise the quota, or lower resources", said)
    if limits := re.search(r"failed quota: (?P<name>[\w.-]+): must specify (?P<what>\S+)", said):
        cause = f"the quota {limits['name']} wants {limits['what']} said of each pod"
        return Cause("diag.D060", cause, "say it in the component's resources, or ask for a LimitRange", said)
    if "violates PodSecurity" in said:
        found = re.search(r'violates PodSecurity "(?P<level>[^":]+)[^"]*": (?P<rules>.*)', said)
        level = f" {found['level']}" if found else ""
        hint = "what nuages renders keeps restricted: look at patches, and at your own image's user"
        return Cause("diag.D061", f"the namespace's Pod Security level{level} refuses the pods", hint, said)
    if "unable to validate against any" in said:
        hint = "let the image's user be any number of group 0, or ask for a constraint that allows it"
        return Cause("diag.D061", "no security context constraint of the cluster allows the pods", hint, tail(said))
    if limit := re.search(_LIMITS, said):
        hint = "say so in the component's resources; kubectl describe limitrange shows what is allowed"
        return Cause("diag.D066", f"a LimitRange of the namespace says: {limit[0]}", hint, said)
    if denied := re.search(r'admission webhook "(?P<name>[^"]+)" denied the request', said):
        rule = re.search(_POLICY, said)
        which = f" ({next(filter(None, rule.groups()))})" if rule else ""
        return Cause("diag.D063", f"the admission webhook {denied['name']} refuses it{which}", _ASK, said)
    if lacks := re.search(r"no PriorityClass with name (?P<name>\S+) was found", said):
        return Cause(
            "diag.D062", f"the cluster has no PriorityClass {lacks['name']}", "kubectl get priorityclass", said
        )
    if denied := re.search(r"ValidatingAdmissionPolicy '(?P<name>[^']+)'.*denied request", said):
        return Cause("diag.D063", f"the admission policy {denied['name']} refuses it", _ASK, said)
    if silent := re.search(r'failed calling webhook "(?P<name>[^"]+)"', said):
        hint = "its own pods may be down; whoever runs the cluster knows it"
        return Cause("diag.D064", f"the admission webhook {silent['name']} does not answer", hint, tail(said))
    if account := re.search(
        r'error looking up service account (?P<name>\S+):|serviceaccount "(?P<other>[^"]+)" not found', said
    ):
        name = (account["name"] or account["other"]).rpartition("/")[2]
        hint = "deploy again makes what nuages makes; one that you named yourself has to be there before"
        return Cause("diag.D065", f"there is no ServiceAccount {name}", hint, said)
    return None


_LIMITS = r"(?:maximum|minimum) [\w.-]+(?: usage| limit to request ratio)? per (?:Container|Pod)[^,\]]+, but[^,\]]+"
"""https://kubernetes.io/docs/concepts/policy/limit-range/"""

_POLICY = r"following policies\s+([\w.-]+):|denied the request: \[([\w.-]+)\]"
"""Kyverno and Gatekeeper name the policy behind the webhook."""

_ASK = "its words say which rule; whoever runs the cluster made it"


def creation(evidence: Evidence) -> Cause | None:
    """The cluster does not let the pods be made."""
    conditions = evidence.workload.get("status", {}).get("conditions", [])
    refused = [
        one.get("message", "") for one in conditions if one["type"] == "ReplicaFailure" and one["status"] == "True"
    ]
    said = refused[0] if refused else evidence.said("FailedCreate")
    return (refusal(said) or Cause("diag.D062", "the cluster refuses the pods", "", said)) if said else None


def _quota(name: str, rest: str) -> str:
    """Name what is used up: "requested: pods=1, used: pods=2, limited: pods=2"."""
    parts = dict(re.findall(r"(requested|used|limited): ([^:]+?)(?=, (?:used|limited):|$)", rest))
    limits, used = (dict(re.findall(r"([\w./-]+)=([^,\s]+)", parts.get(part, ""))) for part in ("limited", "used"))
    what = [f"{used.get(one, '0')} of {limit} {one}" for one, limit in limits.items()]
    return f"the quota {name} is used up" + (f": {', '.join(what)} used" if what else "")
