"""`nuages cluster`, told once: a real Kubernetes on this machine comes up, is asked, gets images, goes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from nuages.errors import ClusterError, UsageError
from nuages.local import addons as parts
from nuages.local import apionly, debian, hostports, images, node, supervisor, sysctl, toolchain
from nuages.local.addons import ADDONS, CORE, Addon
from nuages.local.info import ClusterInfo, every, read, write
from nuages.local.lock import locked
from nuages.local.places import base, places
from nuages.local.process import Process, follow, run
from nuages.progress import Sink, silent, step

WARM = 20.0  # seconds that a node takes from its start to its DNS, measured on two cores


def up(
    name: str = "nuages", *, api_only: bool = False, addons: Collection[str] = (), sink: Sink = silent
) -> ClusterInfo:
    """Bring a cluster up, or heal it, or leave it as it is: afterwards it is there, with these add-ons.

    Args:
        name: several clusters live side by side under different names.
        api_only: etcd, API server and controllers as plain processes, without a node (and without root).
        addons: names of ADDONS; those that the cluster has already stay.
        sink: hears of each step.

    Raises:
        MissingTool: this machine lacks something; the hint says how to get on.
        UsageError: the cluster exists, but is of the other kind, or no such add-on.
        ClusterError: a component does not come up.
    """
    here = places(name)
    wanted = frozenset(addons)
    programs = {*(toolchain.API_ONLY if api_only else toolchain.NODE), *parts.programs(wanted)}
    with locked(_lock(name), sink, f"another command on cluster {name}"):
        info = read(name)
        if info and info.api_only != api_only:
            raise UsageError(
                f"cluster {name} is {'without' if info.api_only else 'with'} a node",
                hint=f"take it down first (nuages cluster down {name}), or choose another --name",
            )
        if not api_only:
            node.require_root()
            debian.ensure(debian.NODE, sink)
        bin_ = toolchain.build(programs, sink)
        if api_only:
            return info if info and info.running else apionly.start(name, bin_, sink)
        installed: Collection[str] = info.addons if info else ()
        if info is None or not info.running:
            began = datetime.now(UTC)
            with step(sink, "start the node", expected=WARM) as progress:
                info = node.start(name, bin_, sink)
                progress.say("control plane")
                # Programs start side by side: images go in as soon as containerd answers.
                with ThreadPoolExecutor() as pool:
                    loading = pool.submit(_load, info, [*CORE.values()], bin_)
                    supervisor.wait_ready(["kube-apiserver"], here, _process(info))
                    info = hostports.ensure(info)
                    _apply(info, [*CORE.values()])
                    progress.say("node and DNS")
                    loading.result()
                _wait_node(info, began)
                _wait_workloads(info, [*CORE.values()])
                progress.note = f"{info.server}"
        info = hostports.ensure(info)
        if missing := wanted - set(installed):
            info = _install(info, missing, bin_, sink)
        return info


def down(name: str = "nuages", sink: Sink = silent) -> bool:
    """End a cluster and leave nothing of it; answers whether there was one."""
    with locked(_lock(name), sink, f"another command on cluster {name}"):
        info = read(name)
        try:
            if info is None:
                return False
            with step(sink, f"take cluster {name} down", expected=3):
                (apionly if info.api_only else node).remove(info)
                if not every() and not info.api_only:
                    sysctl.restore()
        finally:
            _lock(name).unlink(missing_ok=True)
    return True


def load(name: str, archives: Sequence[Path], sink: Sink = silent) -> None:
    """Load image archives (OCI, or what `docker save` writes) into the cluster's node.

    Raises:
        ClusterError: no such cluster runs, or it has no node.
    """
    info = existing(name)
    if info.api_only:
        raise ClusterError(f"cluster {name} has no node that images could be loaded into")
    for archive in archives:
        with step(sink, f"load {archive.name}"):
            images.load(info.containerd, [archive])


def existing(name: str) -> ClusterInfo:
    """The running cluster of this name.

    Raises:
        ClusterError: there is none, or it does not run.
    """
    info = read(name)
    if info is None or not info.running:
        state = "does not exist" if info is None else "does not run"
        raise ClusterError(f"cluster {name} {state}", hint=f"nuages cluster up --name {name}")
    return info


def _install(info: ClusterInfo, names: Collection[str], bin_: Path, sink: Sink) -> ClusterInfo:
    for name in sorted(names):
        with step(sink, f"add {name}", expected=10):
            addon = ADDONS[name]
            _load(info, [addon], bin_)
            _apply(info, [addon])
            _wait_workloads(info, [addon])
            info = write(msgspec.structs.replace(info, addons=sorted({*info.addons, name})))
    return info


def _load(info: ClusterInfo, addons: Sequence[Addon], bin_: Path) -> None:
    archives = [images.archive(image, bin_) for addon in addons for image in addon.images]
    supervisor.wait_ready(["containerd"], places(info.name), _process(info))
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda archive: images.load(info.containerd, [archive]), archives))


def _apply(info: ClusterInfo, addons: Sequence[Addon]) -> None:
    files = [f"--filename={parts.MANIFESTS / name}" for addon in addons for name in addon.manifests]
    run([*info.kubectl, "apply", "--server-side", "--force-conflicts", "--field-manager=nuages-cluster", *files])


def _wait_node(info: ClusterInfo, since: datetime) -> None:
    """Watch until the kubelet says Ready, and says it after `since`: an older word is from before a restart."""
    condition = '{range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{end}{"\\n"}'

    def ready(line: str) -> bool:
        status, _, heartbeat = line.partition(" ")
        return status == "True" and datetime.fromisoformat(heartbeat) >= since.replace(microsecond=0)

    follow([*info.kubectl, "get", "nodes", "--watch", "--request-timeout=90s", f"--output=jsonpath={condition}"], ready)


def _wait_workloads(info: ClusterInfo, addons: Sequence[Addon]) -> None:
    for namespace, workload in (addon.workload for addon in addons if addon.workload):
        run([*info.kubectl, "--namespace", namespace, "rollout", "status", workload, "--timeout=120s"])


def _process(info: ClusterInfo) -> Process:
    if info.process is None:
        raise ClusterError(f"cluster {info.name} does not run")
    return info.process


def _lock(name: str) -> Path:
    places(name)  # refuses what cannot be a name
    return base() / f"{name}.lock"
