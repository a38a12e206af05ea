"""What people do fifty times a day, beside kubectl: keys, and seconds, on the same live app in the same cluster.

What is timed only looks, or runs `true`: the app is as it was afterwards. Both read the same kubeconfig; kubectl's
context has the namespace set, as people do. An app that is live already is measured where it is named (`--folder`);
otherwise a copy of the blog is deployed for it, and removed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from benchmarks.blog import live
from benchmarks.measure import NUAGES, ratio, rounds, seconds, table
from nuages.cli.console import console
from nuages.local import toolchain
from nuages.local.cluster import running

TASKS = tomllib.loads(Path(__file__).with_name("commands.toml").read_text())["task"]


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks commands", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--cluster", default="bench", help="a cluster of this machine")
    parser.add_argument("--folder", type=Path, help="a project whose environment local is live in it")
    parser.add_argument("--namespace", default="bench-commands", help="where it lives")
    options = parser.parse_args(argv)

    keys()
    if options.folder:
        measure(options.folder, running(options.cluster).kubeconfig, options.namespace, options.rounds)
        return
    with tempfile.TemporaryDirectory() as folder, live(Path(folder), options.cluster, options.namespace) as blogs:
        measure(blogs[0].folder, blogs[0].info.kubeconfig, options.namespace, options.rounds)


def keys() -> None:
    """How much is typed, for all that both can do."""
    both = [task for task in TASKS if task["kubectl"]]
    ours, theirs = (sum(len(task[tool]) for task in both) for tool in ("nuages", "kubectl"))
    print(f"{len(both)} tasks that both can do: {ours} keys, kubectl {theirs}; {len(TASKS) - len(both)} only ours")


def measure(folder: Path, kubeconfig: Path, namespace: str, count: int) -> None:
    """Each task that is timed, ours and kubectl's in turns."""
    kubectl = toolchain.build({"kubectl"}, console.sink) / "kubectl"
    for task in (task for task in TASKS if task.get("timed")):
        with tempfile.NamedTemporaryFile() as file:
            subprocess.run(["cp", kubeconfig, file.name], check=True)
            env = {**os.environ, "KUBECONFIG": file.name}
            subprocess.run(
                [kubectl, "config", "set-context", "--current", f"--namespace={namespace}"],
                env=env, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            commands = {
                task["nuages"]: [str(NUAGES), *shlex.split(task["nuages"])[1:]],
                task["kubectl"]: [str(kubectl), *shlex.split(task["kubectl"])[1:]],
            }
            for command in commands.values():
                seconds(*command, env=env, cwd=folder)
            samples: dict[str, list[float]] = {name: [] for name in commands}
            for _, name in rounds(count, list(commands)):
                samples[name].append(seconds(*commands[name], env=env, cwd=folder))
            print(f"\nto {task['what']}")
            table(samples, "ms")
            ratio(samples, task["nuages"], task["kubectl"], "at most 1.00")
