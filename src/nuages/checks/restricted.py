"""Pod Security `restricted`, and the three things we ask for beyond it: numeric users, a read-only root, no token.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from collections.abc import Iterator

from nuages.app.objects import Object
from nuages.findings import Finding, Level, Place

_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def restricted(pod: Object, where: str) -> Iterator[Finding]:
    """Every way in which a pod spec falls short."""
    above = pod.get("securityContext") or {}
    if shared := [name for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name)]:
        yield _error("objects.E101", where, f"{', '.join(shared)}: the node's own", "leave it out")
    for volume in pod.get("volumes", []):
        if not volume.keys() & _VOLUMES:
            yield _error(
                "objects.E102", f"{where}.{volume['name']}", "a kind of volume that reaches the node", "a claim"
            )
    if pod.get("automountServiceAccountToken") is not False:
        yield _error(
            "objects.E103", where, "a token of the API server in each pod", "automountServiceAccountToken: false"
        )
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        yield from _container(above, container, f"{where}.{container['name']}")


def _container(above: Object, container: Object, where: str) -> Iterator[Finding]:
    own = container.get("securityContext") or {}
    both = above | own
    if own.get("privileged"):
        yield _error("objects.E104", where, "privileged", "leave it out")
    if own.get("allowPrivilegeEscalation") is not False:
        yield _error("objects.E105", where, "may gain privileges", "allowPrivilegeEscalation: false")
    capabilities = own.get("capabilities") or {}
    if capabilities.get("drop") != ["ALL"] or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield _error("objects.E106", where, "has capabilities", "capabilities: {drop: [ALL]}")
    user = both.get("runAsUser")
    if both.get("runAsNonRoot") is not True or not isinstance(user, int) or user == 0:
        yield _error("objects.E107", where, "may run as root", "runAsNonRoot: true and a numeric runAsUser")
    if (both.get("seccompProfile") or {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield _error("objects.E108", where, "no seccomp profile", "seccompProfile: {type: RuntimeDefault}")
    if own.get("readOnlyRootFilesystem") is not True:
        yield _error("objects.E109", where, "may change its own files", "readOnlyRootFilesystem: true")


def _error(code: str, path: str, message: str, hint: str) -> Finding:
    return Finding(code, Level.ERROR, message, Place(path=path), hint)
