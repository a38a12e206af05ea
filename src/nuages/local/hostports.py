"""The process outside the node that makes its ports answer on this machine's 127.0.0.1, with its own supervisor."""

from __future__ import annotations

from pathlib import Path

import msgspec

from nuages.host.process import Process
from nuages.local import supervisor
from nuages.local.components import Component
from nuages.local.info import ClusterInfo, write
from nuages.local.places import Places, places


def folder(name: str) -> Places:
    """Where its supervisor writes: beside what the node's own does."""
    return Places(places(name).root / "host")


def ensure(info: ClusterInfo) -> ClusterInfo:
    """Start it where it does not run."""
    if info.hostports and info.hostports.alive():
        return info
    here = folder(info.name)
    here.root.mkdir(exist_ok=True)
    agent_conf = places(info.name).etc / "agent.conf"
    argv = [f"{info.bin}/agent", "hostports", f"--kubeconfig={agent_conf}", f"--node={info.address}"]
    config = supervisor.Config(
        namespaces=False, directory=str(here.root), components=[Component(name="hostports", argv=argv)]
    )

    def keep(started: Process) -> None:
        write(msgspec.structs.replace(info, hostports=started))

    return msgspec.structs.replace(info, hostports=supervisor.start(config, here, Path(info.bin) / "node", keep))
