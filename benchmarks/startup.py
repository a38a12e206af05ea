"""Start-up: `nuages --help` and what Tab asks for, beside kubectl's; and a Python that does nothing: the floor.

Names of the cluster are asked of the same one by both: of ours once when nothing is known of it yet, and then from what
was kept; kubectl asks each time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import NUAGES, ratio, rounds, seconds, table
from nuages.cli.console import console
from nuages.local import toolchain
from nuages.local.cluster import running

SPEC = """\
name: blog
image: registry.example.com/acme/blog
environments: {{staging: {{cluster: {context}, namespace: default}}}}
"""


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--cluster", help="a cluster of this machine that runs: names are completed from it, too")
    options = parser.parse_args(argv)

    kubectl = toolchain.build({"kubectl"}, console.sink) / "kubectl"
    with tempfile.TemporaryDirectory() as folder:
        measure(options.rounds, kubectl, options.cluster, Path(folder))


def measure(count: int, kubectl: Path, cluster: str | None, folder: Path) -> None:
    """Everything once a round."""
    ours = (NUAGES, "__complete", "bash")
    commands: dict[str, tuple[str | Path, ...]] = {
        "nuages --help": (NUAGES, "--help"),
        "kubectl --help": (kubectl, "--help"),
        "nuages, Tab for a command": (*ours, "dep"),
        "kubectl, Tab for a command": (kubectl, "__complete", "des"),
        "nuages, Tab for an option": (*ours, "deploy", "--mai"),
        "kubectl, Tab for an option": (kubectl, "__complete", "get", "--sel"),
        "nuages, Tab for an environment": (*ours, "deploy", "-e", ""),
    }
    env = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    if cluster:
        info = running(cluster)
        env["KUBECONFIG"] = str(info.kubeconfig)
        (folder / "nuages.yaml").write_text(SPEC.format(context=info.context))
        names = (*ours, "releases", "show", "-e", "staging", "")
        commands["nuages, Tab for a release"] = names
        commands["nuages, the first time"] = names
        commands["kubectl, Tab for a pod"] = (kubectl, "__complete", "-n", "kube-system", "get", "pods", "")
    else:
        (folder / "nuages.yaml").write_text(SPEC.format(context="none"))
    commands["python -c pass"] = (sys.executable, "-c", "pass")

    for command in commands.values():
        seconds(*command, env=env, cwd=folder)  # once unmeasured: files come from the disk, and Python writes byte code
    samples: dict[str, list[float]] = {name: [] for name in commands}
    for _, name in rounds(count, list(commands)):
        if name.endswith("the first time"):
            shutil.rmtree(folder / "cache", ignore_errors=True)
        elif name.startswith("nuages, Tab"):
            seconds(*commands[name], env=env, cwd=folder)  # what is kept is at most 20 seconds old
        samples[name].append(seconds(*commands[name], env=env, cwd=folder))
    table(samples, "ms")
    ratio(samples, "nuages --help", "kubectl --help", "at most 1.00")
    ratio(samples, "nuages, Tab for a command", "kubectl, Tab for a command", "at most 1.00")
    ratio(samples, "nuages, Tab for an option", "kubectl, Tab for an option", "at most 1.00")
    if cluster:
        ratio(samples, "nuages, Tab for a release", "kubectl, Tab for a pod", "at most 1.00")
