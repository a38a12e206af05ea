"""The process outside the node that makes its ports answer on this machine's 127.0.0.1."""

from __future__ import annotations

import subprocess

import msgspec

from nuages.local.info import ClusterInfo, write
from nuages.local.places import places
from nuages.local.process import process


def ensure(info: ClusterInfo) -> ClusterInfo:
    """Start the agent's `hostports` mode where it does not run, in a session of its own."""
    if info.hostports and info.hostports.alive():
        return info
    here = places(info.name)
    with (here.logs / "hostports.log").open("w") as log:
        started = subprocess.Popen(
            [f"{info.bin}/agent", "hostports", f"--kubeconfig={here.etc}/agent.conf", f"--node={info.address}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    return write(msgspec.structs.replace(info, hostports=process(started.pid)))
