"""A copy of the example blog, live in a namespace of its own, and what is needed to measure it from a settled state."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from benchmarks.measure import NUAGES, say, seconds
from nuages.app.objects import Object
from nuages.cli.console import console
from nuages.local import toolchain
from nuages.local.cluster import up
from nuages.local.info import ClusterInfo, read

ROOT = Path(__file__).parents[1]
COLOURS = ("orange", "maroon")
DEPLOYMENT = "deployment/blog-web-main"
PATIENCE = "--timeout=180s"


class Blog:
    """`folder` is the project with its nuages.yaml, `namespace` where it lives, `colour` what its spec says now."""

    def __init__(self, folder: Path, info: ClusterInfo, namespace: str) -> None:
        self.folder = folder
        self.namespace = namespace
        self.info = info
        self.colour = COLOURS[0]
        self.kubectl = (
            toolchain.build({"kubectl"}, console.sink) / "kubectl",
            f"--kubeconfig={info.kubeconfig}",
            f"--namespace={namespace}",
        )
        self.env = os.environ | {"KUBECONFIG": str(info.kubeconfig)}
        shutil.copytree(ROOT / "examples" / "blog", folder)
        self._spec: Object = yaml.safe_load((ROOT / "examples" / "plain.nuages.yaml").read_text())
        self.paint(self.colour)

    @property
    def spec(self) -> Path:
        """Its nuages.yaml."""
        return self.folder / "nuages.yaml"

    def paint(self, colour: str) -> None:
        """The configuration change of every round: another value of COLOR."""
        self.colour = colour
        spec = self._spec
        spec["environments"]["local"] |= {"namespace": self.namespace, "cluster": self.info.context}
        spec["env"]["COLOR"] = colour
        # Three copies and a rollout fit on two cores beside what else runs: only the request is smaller.
        spec["web"]["main"]["resources"]["cpu"] = "20m"
        self.spec.write_text(yaml.safe_dump(spec))

    def other_colour(self) -> str:
        """The colour that it does not have now."""
        return COLOURS[1 - COLOURS.index(self.colour)]

    def deploy(self, *options: str) -> float:
        """`nuages deploy`, in seconds."""
        return seconds(NUAGES, "deploy", *options, env=self.env, cwd=self.folder)

    def settle(self) -> None:
        """Wait until the rollout is over and the pods of the one before it are gone, not only on their way out."""
        self.ask("rollout", "status", DEPLOYMENT, PATIENCE)
        pods = json.loads(self.ask("get", "pods", "--output=json"))["items"]
        leaving = [f"pod/{pod['metadata']['name']}" for pod in pods if "deletionTimestamp" in pod["metadata"]]
        if leaving:
            self.ask("wait", "--for=delete", PATIENCE, *leaving)

    def ask(self, *arguments: str) -> str:
        """What kubectl answers."""
        return subprocess.run([*self.kubectl, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def live(folder: Path, cluster: str, *namespaces: str) -> Iterator[list[Blog]]:
    """Copies of the blog, deployed by nuages and settled; afterwards their namespaces are removed with all in them."""
    info = read(cluster)
    if info is None or not info.running:
        info = up(cluster, sink=console.sink)
    blogs = [Blog(folder / namespace, info, namespace) for namespace in namespaces]
    try:
        for blog in blogs:
            say(f"deploy to {blog.namespace}: {blog.deploy():.1f} s")
        for blog in blogs:
            blog.settle()
        yield blogs
    finally:
        say("remove the namespaces")
        seconds(*blogs[0].kubectl[:2], "delete", "namespace", "--ignore-not-found", *namespaces)
