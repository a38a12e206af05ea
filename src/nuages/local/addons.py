"""What is installed into a cluster: its own parts (DNS, storage) always, add-ons when they are asked for.

Each is a manifest in manifests/, images of static programs, and the workloads that say when it is there.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from nuages.errors import MissingTool, UsageError
from nuages.local import images
from nuages.local.images import Static

MANIFESTS = Path(__file__).parent / "manifests"


class Addon(NamedTuple):
    """One part: its manifests, its images, and what is waited for (namespace, workload).

    `definitions` is a folder of a Go module whose manifests (CRDs) go first.
    """

    manifests: tuple[str, ...]
    images: tuple[Static, ...] = ()
    workload: tuple[str, str] | None = None
    definitions: tuple[str, str] | None = None


CORE = {
    "rbac": Addon(("rbac.yaml",), (images.PAUSE,)),
    "dns": Addon(("coredns.yaml",), (images.COREDNS,), ("kube-system", "deployment/coredns")),
    "storage": Addon(
        ("local-path.yaml",), (images.LOCAL_PATH,), ("local-path-storage", "deployment/local-path-provisioner")
    ),
}
ADDONS = {
    "metrics-server": Addon(("metrics-server.yaml",), (images.METRICS,), ("kube-system", "deployment/metrics-server")),
    "registry": Addon(("registry.yaml",), (images.REGISTRY,), ("registry", "deployment/registry")),
    "bucket": Addon(("bucket.yaml",), (images.BUCKET,), ("bucket", "deployment/bucket")),
    "cert-manager": Addon(
        ("cert-manager.yaml",),
        (images.CERT_MANAGER, images.SOLVER),
        ("cert-manager", "deployment/cert-manager"),
        ("github.com/cert-manager/cert-manager", "deploy/crds"),
    ),
    "traefik": Addon(
        ("traefik.yaml",),
        (images.TRAEFIK,),
        ("traefik", "deployment/traefik"),
        ("sigs.k8s.io/gateway-api", "config/crd/standard"),
    ),
}
HTTP_PORT, HTTPS_PORT = 8080, 8443  # of this machine, for the ingress controller, or the first free ones after them


def programs(addons: frozenset[str]) -> set[str]:
    """The programs that these add-ons' images hold.

    Raises:
        UsageError: there is no such add-on.
    """
    if unknown := sorted(addons - ADDONS.keys()):
        raise UsageError(f"no add-on is called {', '.join(unknown)}", hint=f"there are {', '.join(sorted(ADDONS))}")
    return {program for name in addons for image in ADDONS[name].images for program in image.programs}


def manifest(addons: Sequence[Addon], http_port: int | None, https_port: int | None = None, password: str = "") -> str:
    """The manifests of these parts as one text: filled in are the machine's ports for the ingress controller, and the
    password that is there already, or a new one.
    """
    texts = [(MANIFESTS / name).read_text() for addon in addons for name in addon.manifests]
    text = "---\n".join(texts).replace("${HTTP_PORT}", str(http_port)).replace("${HTTPS_PORT}", str(https_port))
    return text.replace("${PASSWORD}", password or secrets.token_urlsafe(30))


def free_port(wanted: int = HTTP_PORT) -> int:
    """The first port of this machine, from the wanted one on, that nobody listens on."""
    for port in range(wanted, wanted + 1000):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise MissingTool(f"no port from {wanted} on is free")
