"""What is installed into a cluster: its own parts (DNS, storage) always, add-ons when they are asked for.

Each is a manifest in manifests/, images of static programs, and the workloads that say when it is there.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from nuages.errors import UsageError
from nuages.local import images
from nuages.local.images import Static

MANIFESTS = Path(__file__).parent / "manifests"


class Addon(NamedTuple):
    """One part: its manifests, its images, and what is waited for (namespace, workload)."""

    manifests: tuple[str, ...]
    images: tuple[Static, ...] = ()
    workload: tuple[str, str] | None = None


CORE = {
    "rbac": Addon(("rbac.yaml",), (images.PAUSE,)),
    "dns": Addon(("coredns.yaml",), (images.COREDNS,), ("kube-system", "deployment/coredns")),
    "storage": Addon(
        ("local-path.yaml",), (images.LOCAL_PATH,), ("local-path-storage", "deployment/local-path-provisioner")
    ),
}
ADDONS: dict[str, Addon] = {}


def programs(addons: frozenset[str]) -> set[str]:
    """The programs that these add-ons' images hold.

    Raises:
        UsageError: there is no such add-on.
    """
    if unknown := sorted(addons - ADDONS.keys()):
        raise UsageError(f"no add-on is called {', '.join(unknown)}", hint=f"there are {', '.join(sorted(ADDONS))}")
    return {program for name in addons for image in ADDONS[name].images for program in image.programs}
