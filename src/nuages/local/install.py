"""Putting things into a running cluster, and waiting until they serve: by watches, through kubectl."""

from __future__ import annotations

import base64
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from nuages.errors import ClusterError, CommandFailed
from nuages.host.command import LAST_LINES, follow, run
from nuages.local import existing, images, supervisor, toolchain
from nuages.local.addons import ADDONS, HTTPS_PORT, Addon, free_port, manifest
from nuages.local.info import ClusterInfo, write
from nuages.local.places import places
from nuages.progress import Sink, step

PATIENCE = 300  # seconds for a node or a workload to become ready; with nothing else to do it takes ten
UNKNOWN = "no matches for kind"
"""What kubectl says of an object whose definition the API server does not serve yet."""


def addons(info: ClusterInfo, names: Collection[str], bin_: Path, sink: Sink) -> ClusterInfo:
    """Install the add-ons that the cluster does not have yet; answers what is known of it then."""
    for name in sorted(set(names) - set(info.addons)):
        addon = ADDONS[name]
        with step(sink, f"add {name}", expected=10) as progress:
            if name == "traefik":
                info = msgspec.structs.replace(
                    info, http_port=info.http_port or free_port(), https_port=info.https_port or free_port(HTTPS_PORT)
                )
                progress.note = f"http://NAME.localhost:{info.http_port}"
            load(info, [images.archive(image, bin_) for image in addon.images])
            if addon.definitions:
                module, path = addon.definitions
                _apply(info, f"--filename={toolchain.source(module, path, sink)}")
                established = ["wait", "--for=condition=Established", "crd", "--all"]
                run([*info.kubectl, *established, f"--timeout={PATIENCE}s"])
            apply(info, [addon])
            wait_workloads(info, [addon])
            info = write(msgspec.structs.replace(info, addons=sorted({*info.addons, name})))
    return info


def load(info: ClusterInfo, archives: Sequence[Path]) -> None:
    """Bring image archives to where the cluster's kubelet looks for images."""
    if not info.ours:
        existing.PROVIDERS[info.provider](info.name).load(archives)
        return
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda archive: images.load(info.containerd, [archive]), archives))


def apply(info: ClusterInfo, parts: Sequence[Addon]) -> None:
    """Apply the manifests of these parts; one that is there already keeps its password, which others were told."""
    password = _password(info) if ADDONS["bucket"] in parts else ""
    _apply(info, "--filename=-", stdin=manifest(parts, info.http_port, info.https_port, password))


def _password(info: ClusterInfo) -> str:
    """What opens the bucket; "" where nothing does yet."""
    argv = [*info.kubectl, "--namespace=bucket", "get", "secret", "bucket", "--ignore-not-found"]
    found = run([*argv, "--output=jsonpath={.data.AWS_SECRET_ACCESS_KEY}"])
    return base64.b64decode(found).decode()


def wait_node(info: ClusterInfo, since: datetime) -> None:
    """Watch until the kubelet says Ready, and says it after `since`: an older word is from before a restart."""
    condition = '{range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{end}{"\\n"}'

    def ready(line: str) -> bool:
        word, _, heartbeat = line.partition(" ")
        return word == "True" and datetime.fromisoformat(heartbeat) >= since.replace(microsecond=0)

    deadline = time.monotonic() + PATIENCE
    run([*info.kubectl, "wait", "--for=create", f"node/{info.node}", f"--timeout={PATIENCE}s"])
    while (left := deadline - time.monotonic()) > 0:  # the API server may end a watch at any time
        argv = [*info.kubectl, "get", "node", info.node, "--watch", f"--output=jsonpath={condition}"]
        if follow([*argv, f"--request-timeout={left:.0f}s"], ready):
            return
    log = places(info.name).logs / "kubelet.log"
    raise ClusterError(
        f"the node is not Ready after {PATIENCE} s", detail=supervisor.last_lines(log), hint=f"its log: {log}"
    )


def wait_workloads(info: ClusterInfo, parts: Sequence[Addon]) -> None:
    """Wait until these parts' workloads are rolled out.

    Raises:
        ClusterError: one is not in time; with the last lines that its pods logged.
    """
    for namespace, workload in (part.workload for part in parts if part.workload):
        kubectl = [*info.kubectl, f"--namespace={namespace}"]
        try:
            run([*kubectl, "rollout", "status", workload, f"--timeout={PATIENCE}s"])
        except CommandFailed as error:
            with suppress(CommandFailed):  # no pod, no log
                error.detail = run([*kubectl, "logs", workload, f"--tail={LAST_LINES}"])
            hint = f"kubectl --kubeconfig {info.kubeconfig} -n {namespace} describe {workload}"
            raise ClusterError(f"{workload} is not ready after {PATIENCE} s", detail=error.detail, hint=hint) from error


def _apply(info: ClusterInfo, *arguments: str, stdin: str = "") -> None:
    """Apply, again where a kind is new: it is served a moment after its definition is established."""
    owned = ["--server-side", "--force-conflicts", "--field-manager=nuages-cluster"]
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            run([*info.kubectl, "apply", *owned, *arguments], stdin=stdin)
        except CommandFailed as failed:
            if UNKNOWN not in failed.detail or time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return
