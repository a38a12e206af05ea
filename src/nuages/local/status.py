"""What a cluster is doing now: its processes by pid, its node, its add-ons, its addresses."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from nuages.errors import CommandFailed
from nuages.host.command import run
from nuages.host.process import Process, children
from nuages.local import hostports, supervisor
from nuages.local.info import ClusterInfo
from nuages.local.places import Places, places


class ComponentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One process of the cluster; `pid` as this machine sees it, None while it does not run."""

    name: str
    pid: int | None
    uptime: float  # seconds
    restarts: int
    ready: bool


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; `node` is the Ready condition's word, empty where there is no node."""

    schema: int = 1
    name: str
    context: str
    provider: str
    running: bool
    components: list[ComponentStatus] = []
    node: str = ""
    addons: list[str] = []
    addresses: dict[str, str] = {}
    kubeconfig: str = ""

    @property
    def healthy(self) -> bool:
        """Whether everything that should run does, and is ready."""
        return self.running and all(one.ready for one in self.components) and self.node in {"", "Ready"}


def status(info: ClusterInfo) -> Status:
    """Ask the supervisor, the process table and the API server."""
    addresses = {"API server": info.server, "node": info.address if not info.api_only else ""}
    if info.http_port:
        addresses["ingress"] = f"http://localhost:{info.http_port}"
    components = _components(info) if info.running else []
    return Status(
        name=info.name,
        context=info.context,
        provider=info.provider,
        running=info.running,
        components=components,
        node=_node(info) if info.running and not info.api_only else "",
        addons=info.addons,
        addresses={name: address for name, address in addresses.items() if address},
        kubeconfig=str(info.kubeconfig),
    )


def _components(info: ClusterInfo) -> list[ComponentStatus]:
    found = _supervised(places(info.name), info.process)
    return found if info.api_only else [*found, *_supervised(hostports.folder(info.name), info.hostports)]


def _supervised(here: Places, parent: Process | None) -> list[ComponentStatus]:
    """What a supervisor says of its components, as far as the process table bears it out."""
    now = datetime.now(UTC)
    pids = _host_pids(parent)
    return [
        ComponentStatus(
            name=name,
            pid=pids.get(state.pid),
            uptime=(now - state.started).total_seconds() if state.pid in pids else 0.0,
            restarts=state.restarts,
            ready=state.ready and state.pid in pids,
        )
        for name, state in supervisor.states(here).items()
    ]


def _host_pids(parent: Process | None) -> dict[int, int]:
    """The children's pids as the supervisor sees them (the last of NSpid, proc(5)) to those that this machine sees."""
    pids = {}
    for child in children(parent.pid) if parent and parent.alive() else []:
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            for line in Path(f"/proc/{child.pid}/status").read_text().splitlines():
                if line.startswith("NSpid:"):
                    pids[int(line.split()[-1])] = child.pid
    return pids


def _node(info: ClusterInfo) -> str:
    ready = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
    try:
        word = run([*info.kubectl, "get", "nodes", "--request-timeout=5s", f"--output=jsonpath={ready}"])
    except CommandFailed:
        return "unknown: the API server does not answer"
    return "Ready" if word == "True" else "NotReady"
