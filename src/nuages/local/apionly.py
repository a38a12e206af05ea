"""A cluster without a node: etcd, API server and controllers as plain processes on 127.0.0.1. Needs no root."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import msgspec

from nuages.host import ports
from nuages.host.process import Process
from nuages.local import components, nodefiles, pki, supervisor
from nuages.local.info import ClusterInfo, read, write
from nuages.local.places import places
from nuages.progress import Sink, step


def start(name: str, bin_: Path, sink: Sink) -> ClusterInfo:
    """Start the processes and wait for the API server; a cluster that ran before keeps its address and its objects."""
    here = places(name)
    with step(sink, "start the API server", expected=5) as progress:
        before = read(name)
        api, etcd, peer, metrics = ports.free(4)
        if before:
            api = int(before.server.rpartition(":")[2])
        where = components.Plane(
            node=f"nuages-{name}",
            address="127.0.0.1",
            bind="127.0.0.1",
            api_port=api,
            etcd_port=etcd,
            peer_port=peer,
            metrics_port=metrics,
            bin=PurePosixPath(bin_),
            etc=PurePosixPath(here.etc),
            etcd_data=PurePosixPath(here.lib / "etcd"),
        )
        info = ClusterInfo(
            name=name, context=f"nuages-{name}", server=where.server, address="127.0.0.1", api_only=True, bin=str(bin_)
        )
        for folder in (here.etc / "volume-plugins", here.logs):
            folder.mkdir(parents=True, exist_ok=True)
        here.root.chmod(0o700)
        write(info)
        if not here.kubeconfig.exists():
            pki.make(bin_ / "kubeadm", nodefiles.kubeadm(where, name, here.etc / "pki"), here.etc)
            pki.write_kubeconfig(here.etc, here.kubeconfig, info.context, info.server)
        config = supervisor.Config(
            namespaces=False,
            directory=str(here.root),
            components=[
                components.etcd(where),
                components.api_server(where),
                components.controller_manager(where, port=0),
            ],
        )

        def keep(process: Process) -> None:
            write(msgspec.structs.replace(info, process=process))

        process = supervisor.start(config, here, bin_ / "node", keep)
        info = wait(msgspec.structs.replace(info, process=process))
        progress.note = info.server
    return info


def wait(info: ClusterInfo) -> ClusterInfo:
    """Wait until its processes serve: they may still be starting where the command that began it was stopped."""
    if info.process:
        names = ["kube-apiserver", "kube-controller-manager"]
        supervisor.wait_ready(names, places(info.name), info.process, patience=60)
    return info


def remove(info: ClusterInfo) -> None:
    """End the processes (they die with the supervisor) and remove their files."""
    supervisor.end(info.process)
    places(info.name).forget()
