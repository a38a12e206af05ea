"""`nuages cluster`, told once: a real Kubernetes on this machine comes up, is asked, gets images, goes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from nuages.errors import ClusterError, UsageError
from nuages.host import files
from nuages.host.lock import locked
from nuages.local import apionly, existing, hostports, images, install, node, supervisor, toolchain
from nuages.local.addons import CORE, programs
from nuages.local.info import DEFAULT, ClusterInfo, read, write
from nuages.local.places import base, places
from nuages.local.status import Status
from nuages.local.status import status as ask
from nuages.progress import Sink, silent, step

OURS = "nuages"
WARM = 15.0  # seconds that a node takes from its start to its DNS, measured on two cores


def up(
    name: str = DEFAULT,
    *,
    api_only: bool = False,
    addons: Collection[str] = (),
    provider: str | None = None,
    sink: Sink = silent,
) -> ClusterInfo:
    """Bring a cluster up, or heal it, or leave it as it is: afterwards it is there, with these add-ons.

    Args:
        name: several clusters live side by side under different names.
        api_only: etcd, API server and controllers as plain processes, without a node (and without root).
        addons: names of ADDONS; those that the cluster has already stay.
        provider: who runs it; by default who runs it already, then an installed kind, k3d or minikube, then nuages.
        sink: hears of each step.

    Raises:
        MissingTool: this machine lacks something; the hint says how to get on.
        UsageError: the cluster exists, but is of another sort, or no such add-on or provider.
        ClusterError: a component does not come up.
    """
    wanted = frozenset(addons)
    needed = programs(wanted)
    with locked(_lock(name), sink, f"another command on cluster {name}"):
        info = read(name)
        who = _provider(name, info, provider, api_only=api_only)
        if who != OURS:
            info = _borrowed(name, who, info, sink)
            if not wanted - set(info.addons):
                return info
            bin_ = toolchain.build({"kubectl", *needed}, sink)
            return install.addons(write(msgspec.structs.replace(info, bin=str(bin_))), wanted, bin_, sink)
        if api_only:
            bin_ = toolchain.build(toolchain.API_ONLY, sink)
            return apionly.wait(info) if info and info.running else apionly.start(name, bin_, sink)
        node.need(sink)
        bin_ = toolchain.build({*toolchain.NODE, *needed}, sink)
        if info is None or not info.running or not info.complete:
            info = _start(name, bin_, sink)
        return install.addons(hostports.ensure(info), wanted, bin_, sink)


def down(name: str = DEFAULT, sink: Sink = silent) -> bool:
    """End a cluster and leave nothing of it; answers whether there was one.

    One that kind, k3d or minikube had before `up` is only forgotten.
    """
    with locked(_lock(name), sink, f"another command on cluster {name}"):
        info = read(name)
        if info:
            with step(sink, f"take cluster {name} down", expected=3):
                _remove(info, sink)
        _lock(name).unlink(missing_ok=True)
    return info is not None


def status(name: str = DEFAULT) -> Status:
    """What the cluster is doing now.

    Raises:
        ClusterError: there is none of this name.
    """
    info = read(name)
    if info is None:
        raise ClusterError(f"cluster {name} does not exist", hint=_way_up(name))
    return ask(info)


def load(name: str, archives: Sequence[Path], sink: Sink = silent) -> None:
    """Load image archives (OCI, or what `docker save` writes) into the cluster's node.

    Raises:
        ClusterError: no such cluster runs, or it has no node.
    """
    info = running(name)
    if info.api_only:
        raise ClusterError(f"cluster {name} has no node that images could be loaded into")
    for archive in archives:
        with step(sink, f"load {archive.name}"):
            install.load(info, [archive])


def kubeconfig(name: str = DEFAULT) -> Path:
    """The file that reaches the cluster.

    Raises:
        ClusterError: no such cluster runs.
    """
    return running(name).kubeconfig


def running(name: str) -> ClusterInfo:
    """The running cluster of this name.

    Raises:
        ClusterError: there is none, or it does not run.
    """
    info = read(name)
    if info is None or not info.running:
        state = "does not exist" if info is None else "does not run"
        raise ClusterError(f"cluster {name} {state}", hint=_way_up(name))
    return info


def _provider(name: str, info: ClusterInfo | None, asked: str | None, *, api_only: bool) -> str:
    """Who runs it; refused where the existing cluster is another one's or of the other sort."""
    known = (OURS, *existing.PROVIDERS)
    if asked and asked not in known:
        raise UsageError(f"no provider is called {asked}", hint=f"there are {', '.join(known)}")
    if info is None:
        return asked or (OURS if api_only else existing.installed() or OURS)
    if info.api_only != api_only or asked not in {None, info.provider}:
        sort = f"run by {info.provider}, {'without' if info.api_only else 'with'} a node"
        raise UsageError(
            f"cluster {name} exists already: {sort}",
            hint=f"take it down first (nuages cluster down --name {name}), or choose another --name",
        )
    return info.provider


def _borrowed(name: str, who: str, info: ClusterInfo | None, sink: Sink) -> ClusterInfo:
    """Have kind, k3d or minikube run the cluster."""
    cluster = existing.PROVIDERS[who](name)
    with step(sink, f"{who} cluster {name}", expected=60) as progress:
        made = info.made if info else not cluster.exists()
        cluster.create()
        info = write(info or ClusterInfo(name=name, context=cluster.context, provider=who, made=made))
        files.replace(places(name).kubeconfig, cluster.kubeconfig(), mode=0o600)
        progress.note = f"context {cluster.context}"
    return info


def _start(name: str, bin_: Path, sink: Sink) -> ClusterInfo:
    """Start the node, and wait until it is Ready and its DNS and storage serve."""
    core = [*CORE.values()]
    began = datetime.now(UTC)
    with step(sink, "start the node", expected=WARM) as progress, ThreadPoolExecutor() as pool:
        archives = pool.submit(lambda: [images.archive(image, bin_) for part in core for image in part.images])
        info, process = node.start(name, bin_, sink)
        here = places(name)
        # Images go in as soon as containerd answers, while the API server is still starting.
        progress.say("control plane")
        supervisor.wait_ready(["containerd"], here, process)
        loading = pool.submit(lambda: install.load(info, archives.result()))
        supervisor.wait_ready(["kube-apiserver"], here, process)
        install.apply(info, core)
        progress.say("images")
        loading.result()
        progress.say("node")
        install.wait_node(info, began)
        progress.say("DNS and storage")
        install.wait_workloads(info, core)
        supervisor.wait_ready(list(supervisor.states(here)), here, process)
        progress.note = info.server
    return write(msgspec.structs.replace(info, complete=True))


def _remove(info: ClusterInfo, sink: Sink) -> None:
    if not info.ours:
        if info.made:
            existing.PROVIDERS[info.provider](info.name).delete()
        places(info.name).forget()
    elif info.api_only:
        apionly.remove(info)
    else:
        node.remove(info, sink)


def _way_up(name: str) -> str:
    return "nuages cluster up" + (f" --name {name}" if name != DEFAULT else "")


def _lock(name: str) -> Path:
    places(name)  # refuses what cannot be a name
    return base() / f"{name}.lock"
