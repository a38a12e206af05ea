"""Causes that lie in an image that is not there, not ours to pull, or not to be reached."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container, tail
from nuages.rollout.pods import Trouble

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


def _image(trouble: Trouble | None) -> str:
    return str(container(trouble).get("image", "the image"))
