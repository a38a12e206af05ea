"""What is known of a cluster between two commands, kept as `cluster.json` in its state folder."""

from __future__ import annotations

from pathlib import Path

import msgspec

from nuages.host import files
from nuages.host.process import Process
from nuages.local.places import names, places

DEFAULT = "nuages"
"""The cluster that is meant where none is named."""


class ClusterInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One local cluster.

    `provider` says who runs it: nuages itself, or the kind, k3d or minikube that was installed already.
    """

    name: str
    context: str
    server: str = ""
    address: str = ""  # the node's, as seen from this machine
    node: str = ""
    provider: str = "nuages"
    made: bool = True  # False where kind, k3d or minikube had it before: then it is not ours to delete
    api_only: bool = False
    network: int | None = None  # N of 10.213.N.0/24
    bin: str = ""
    process: Process | None = None  # the supervisor: process 1 of the node
    hostports: Process | None = None
    complete: bool = True  # False from a node's first step until its DNS and storage serve
    addons: list[str] = []
    http_port: int | None = None  # of this machine, where the ingress controller answers
    https_port: int | None = None  # the same, for TLS
    kubeconfig_file: str = ""  # where it is not ours to write

    @property
    def kubeconfig(self) -> Path:
        """The file that reaches it."""
        return Path(self.kubeconfig_file) if self.kubeconfig_file else places(self.name).kubeconfig

    @property
    def ours(self) -> bool:
        """Whether its processes are ours to start and to end."""
        return self.provider == "nuages"

    @property
    def running(self) -> bool:
        """Whether its processes run; those of another provider are that one's business, and taken as running."""
        return not self.ours or (self.process is not None and self.process.alive())

    @property
    def kubectl(self) -> list[str]:
        """The beginning of a kubectl command line for it."""
        return [f"{self.bin}/kubectl" if self.bin else "kubectl", f"--kubeconfig={self.kubeconfig}"]

    @property
    def containerd(self) -> str:
        """The socket of containerd, through the node's view of the file system."""
        return f"/proc/{self.process.pid}/root/run/containerd/containerd.sock" if self.process else ""


def read(name: str) -> ClusterInfo | None:
    """What is known of this cluster; None where there is none."""
    try:
        return msgspec.json.decode(places(name).info.read_bytes(), type=ClusterInfo)
    except FileNotFoundError:
        return None


def write(info: ClusterInfo) -> ClusterInfo:
    """Keep it, in one step."""
    files.replace(places(info.name).info, msgspec.json.format(msgspec.json.encode(info)).decode())
    return info


def every() -> list[ClusterInfo]:
    """All clusters of this machine (or user), running or not."""
    return [info for name in names() if (info := read(name))]


def local_kubeconfig() -> Path | None:
    """The file that reaches this machine's cluster, where it has one: what the environment `local` uses by default."""
    info = read(DEFAULT)
    return info.kubeconfig if info and info.running else None


def of_context(context: str) -> ClusterInfo | None:
    """The cluster of this machine that a context leads to; None where it leads elsewhere."""
    return next((info for info in filter(None, map(read, names())) if info.context == context), None)


def ingress_port(context: str, *, tls: bool = False) -> int | None:
    """The port of this machine where the ingress controller of a local cluster answers; None where there is none."""
    info = of_context(context)
    return (info.https_port if tls else info.http_port) if info else None
