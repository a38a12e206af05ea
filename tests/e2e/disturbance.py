"""What happens to a site while it is asked: releases of all kinds, and pods that are taken away.

Each ends when the site has all its pods again, so that the next one takes none of the last.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

COLOURS = ("orange", "maroon")
PATIENCE = 600  # seconds for anything


class Site:
    """`nuages` runs the command in the project's folder, `kubectl` one on its namespace; both raise where it fails."""

    def __init__(
        self, name: str, folder: Path, style: str, nuages: Callable[..., str], kubectl: Sequence[str | Path]
    ) -> None:
        self.name = name
        self._folder, self._style, self._nuages, self._kubectl = folder, folder / style, nuages, tuple(kubectl)
        self._random = random.Random(name)

    def address(self) -> str:
        """host:port of its load balancer."""
        for service in self._items("service"):
            for ingress in service["status"].get("loadBalancer", {}).get("ingress", []):
                return f"{ingress['ip']}:{service['spec']['ports'][0]['port']}"
        raise AssertionError("no load balancer has an address")

    def rollout(self) -> None:
        """Another configuration."""
        self._paint()
        self._nuages("deploy", "--no-build")
        self.settle()

    def ship(self) -> None:
        """Another image, with another style."""
        self._style.write_text(f"body {{ color: #{self._random.randrange(1 << 24):06x} }}\n")
        self._nuages("deploy")
        self.settle()

    def rollback(self) -> None:
        """The release before, with its image and its configuration."""
        self._nuages("rollback")
        self.settle()

    def canary(self, then: str = "promote") -> None:
        """A share of the requests to another configuration; then all of them, or none."""
        self._paint()
        self._nuages("deploy", "--no-build", "--canary", "50%")
        time.sleep(2)  # both answer
        self._nuages(*(("promote", "--all") if then == "promote" else (then,)))
        self.settle()

    def aborted(self) -> None:
        """A canary that is taken back."""
        self.canary("abort")

    def evict(self, component: str = "web") -> None:
        """A pod taken away as a drain does, by the eviction API, which asks the disruption budget."""
        name = self._random.choice(self.pods(component))["metadata"]["name"]
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        end = time.monotonic() + PATIENCE
        while True:
            namespace = self._items("pod")[0]["metadata"]["namespace"]
            path = f"/api/v1/namespaces/{namespace}/pods/{name}/eviction"
            done = self._ask("create", f"--raw={path}", "--filename=-", text=json.dumps(body), check=False)
            if done.returncode == 0:
                break
            assert "disruption budget" in done.stderr, done.stderr
            assert time.monotonic() < end, done.stderr
            time.sleep(0.5)
        self.settle(without=name)

    def delete(self, component: str = "web") -> None:
        """A pod deleted, by somebody who asks no budget."""
        name = self._random.choice(self.pods(component))["metadata"]["name"]
        self._ask("delete", "pod", name, "--wait=false")
        self.settle(without=name)

    def evict_static(self) -> None:
        """A pod that keeps the files of earlier releases, where there are such."""
        if self.pods("static"):
            self.evict("static")

    def settle(self, without: str = "") -> None:
        """Until each Deployment has all its pods, and `without` is not among them."""
        end = time.monotonic() + PATIENCE
        while True:
            wanted = {
                (labels["app.kubernetes.io/component"], labels.get("nuages.dev/key", "")): item["spec"]["replicas"]
                for item in self._items("deployment")
                for labels in [item["spec"]["selector"]["matchLabels"]]
            }
            there = {key: [pod for pod in self.pods(key[0], key[1]) if _ready(pod)] for key in wanted}
            names = {pod["metadata"]["name"] for pods in there.values() for pod in pods}
            if all(len(there[key]) == count for key, count in wanted.items()) and without not in names:
                return
            assert time.monotonic() < end, f"{self.name} does not settle: {wanted} wanted"
            time.sleep(0.3)

    def _paint(self) -> None:
        spec = self._folder / "nuages.yaml"
        text = spec.read_text()
        old, new = COLOURS if f"COLOR: {COLOURS[0]}" in text else reversed(COLOURS)
        spec.write_text(text.replace(f"COLOR: {old}", f"COLOR: {new}"))

    def pods(self, component: str, key: str = "") -> list[dict[str, Any]]:
        """Those that are there to stay."""
        selector = f"app.kubernetes.io/component={component}" + (f",nuages.dev/key={key}" if key else "")
        return [
            pod for pod in self._items("pod", f"--selector={selector}") if "deletionTimestamp" not in pod["metadata"]
        ]

    def _items(self, kind: str, *options: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self._ask("get", kind, "--output=json", *options).stdout)["items"]
        return items

    def _ask(self, *arguments: str, text: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._kubectl, *arguments], input=text, capture_output=True, text=True, check=check)


def _ready(pod: dict[str, Any]) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))
