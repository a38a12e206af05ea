"""A node: its files, its first process, its cable. Needs root."""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePosixPath

import msgspec

from nuages.errors import MissingTool
from nuages.host import programs
from nuages.host.lock import locked
from nuages.host.process import Process
from nuages.local import cgroups, components, network, nodefiles, pki, supervisor, sysctl
from nuages.local.info import ClusterInfo, every, read, write
from nuages.local.network import Network
from nuages.local.places import Places, base, places
from nuages.progress import Sink

PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "iptables": "iptables",
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mount": "mount",
}
# How the node sees its folders, whatever they are called on this machine.
ETC = PurePosixPath("/var/lib/nuages")
BIN = PurePosixPath("/run/nuages/bin")
RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
SYSCTLS = {"net/ipv4/ip_forward": "1", "net/bridge/bridge-nf-call-iptables": "1"}


def need(sink: Sink) -> None:
    """See to it that a node can run here: it needs root, and programs that Debian has.

    Raises:
        MissingTool: we are not root, or a program can't be installed.
    """
    if os.geteuid() != 0:
        raise MissingTool(
            "a node needs root (namespaces, mounts, interfaces)",
            hint="run it with sudo, or use `nuages cluster up --api-only`, kind, k3d, minikube or --context",
        )
    programs.ensure(PROGRAMS, sink)


def resource(name: str) -> str:
    """What the cluster's cgroups, nft table and context are called."""
    return f"nuages-{name}"


def plane(node: str, cable: Network) -> components.Plane:
    """Where this node's control plane listens: the standard ports, in its own network namespace."""
    return components.Plane(
        node=node,
        address=cable.node,
        bind="0.0.0.0",  # noqa: S104 - of the node's own network namespace
        bin=BIN,
        etc=ETC,
        etcd_data=PurePosixPath("/var/lib/etcd"),
    )


def start(name: str, bin_: Path, sink: Sink) -> tuple[ClusterInfo, Process]:
    """Start the node of a new cluster, or again that of one whose first process is gone; its data stays."""
    here = places(name)
    before = read(name)
    if before:
        supervisor.end(before.process)  # it runs only where the command that started it was stopped half-way
    with locked(_lock(), sink, "another cluster that starts or ends"):
        taken = [info.network for info in every() if info.network is not None]
        cable = Network(before.network) if before and before.network is not None else network.free(taken)
        info = write(
            msgspec.structs.replace(
                before or ClusterInfo(name=name, context=resource(name)),
                node=resource(name),
                address=cable.node,
                server=f"https://{cable.node}:6443",
                network=cable.number,
                bin=str(bin_),
                process=None,
                complete=False,
            )
        )
        sysctl.raise_()  # once the cluster is known: another that ends now leaves the settings to it
        clear(info)
        files(info, cable, here)

        def prepare(node: Process) -> None:
            write(msgspec.structs.replace(info, process=node))
            cgroups.create(resource(name), node.pid)
            network.connect(cable, node.pid, resource(name))

        config = configuration(plane(info.node, cable), cable, here, bin_)
        node = supervisor.start(config, here, bin_ / "node", prepare)
    return msgspec.structs.replace(info, process=node), node


def configuration(where: components.Plane, cable: Network, here: Places, bin_: Path) -> supervisor.Config:
    """What the supervisor is told: mounts (the node has its own /var/lib, /var/log and /run) and components."""
    return supervisor.Config(
        namespaces=True,
        hostname=where.node,
        directory=str(here.root),
        mounts=[
            supervisor.Mount(str(here.lib), "/var/lib"),
            supervisor.Mount(str(here.log), "/var/log"),
            supervisor.Mount("", "/run"),
            supervisor.Mount(str(bin_), str(BIN)),
        ],
        sysctls=[supervisor.Sysctl(key, value) for key, value in SYSCTLS.items()],
        components=[
            components.etcd(where),
            components.api_server(where),
            components.containerd(where, programs.found("containerd") or "containerd"),
            components.controller_manager(where),
            components.scheduler(where),
            components.kubelet(where),
            components.kube_proxy(where),
            components.agent(where, cable.pool),
        ],
    )


def files(info: ClusterInfo, cable: Network, here: Places) -> None:
    """Write the configuration of all components; certificates only once."""
    where = plane(info.node, cable)
    for folder in (
        here.etc / "cni",
        here.etc / "volume-plugins",
        here.lib / "kubelet",
        here.lib / "etcd",
        here.log,
        here.logs,
    ):
        folder.mkdir(parents=True, exist_ok=True)
    here.root.chmod(0o700)  # keys, volumes of every pod
    if not here.kubeconfig.exists():
        pki.make(Path(info.bin) / "kubeadm", nodefiles.kubeadm(where, info.name, here.etc / "pki"), here.etc)
        pki.write_kubeconfig(here.etc, here.kubeconfig, info.context, info.server)
    written = {
        "kubelet.json": json.dumps(nodefiles.kubelet(where, f"/{resource(info.name)}"), indent=2),
        "kube-proxy.json": json.dumps(nodefiles.kube_proxy(where), indent=2),
        "containerd.toml": nodefiles.containerd(where),
        "cni/10-nuages.conflist": json.dumps(nodefiles.cni(), indent=2),
        "resolv.conf": nodefiles.resolv_conf(resolver(*RESOLVERS), cable.host),
    }
    for name, content in written.items():
        (here.etc / name).write_text(content)


def resolver(etc: Path, behind: Path) -> str:
    """The machine's resolv.conf, or the one that systemd-resolved asks itself: its own address is a loopback one."""
    text = etc.read_text() if etc.exists() else ""
    return behind.read_text() if "nameserver 127.0.0.53" in text and behind.exists() else text


def clear(info: ClusterInfo) -> None:
    """Remove what a node leaves on this machine when its first process is gone: cable, table and cgroups."""
    if info.network is not None:
        network.disconnect(Network(info.network), resource(info.name))
    cgroups.remove(resource(info.name))


def remove(info: ClusterInfo, sink: Sink) -> None:
    """End the node and leave nothing of it; the last one puts the machine's settings back."""
    for process in (info.hostports, info.process):
        supervisor.end(process)
    with locked(_lock(), sink, "another cluster that starts or ends"):
        clear(info)
        places(info.name).forget()
        if not any(other.network is not None for other in every()):
            sysctl.restore()


def _lock() -> Path:
    """Held while a network is taken, and while the machine's settings are changed for all clusters."""
    return base() / "network.lock"
