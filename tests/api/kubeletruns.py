"""The played kubelet, which really runs the program of the migrating Job, on a real database, outside any container."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from kubelet import Kubelet

from nuages.app.objects import Object

RUNTIME = Path(__file__).parents[2] / "src"
MIGRATE = "migrate"


class RunningKubelet(Kubelet):
    """Runs a migrating pod's own command once for each pod, and tells how it ended; all other pods are played."""

    def __init__(
        self, cluster, namespace, projects: Mapping[str, Path], packages: Path, environ: Mapping[str, str]
    ) -> None:
        """`projects` by image, `packages` where Django is; `environ` wins over what the pod has."""
        super().__init__(cluster, namespace)
        self._projects, self._packages, self._environ = projects, packages, dict(environ)
        self._begun: dict[str, asyncio.Task[None]] = {}
        self.ran: list[str] = []
        """What each run said, for who looks at a failure."""

    async def play(self) -> None:
        """Until cancelled; programs under way are waited for, as a kubelet that ends does not end its containers."""
        try:
            await super().play()
        finally:
            await asyncio.gather(*self._begun.values(), return_exceptions=True)

    def _pod(self, pod: Object) -> Object:
        uid = pod["metadata"]["uid"]
        if pod["metadata"]["labels"]["app.kubernetes.io/component"] != MIGRATE:
            return super()._pod(pod)
        if uid not in self._begun:
            self._begun[uid] = asyncio.create_task(self._run(pod))
        return _running(pod)

    async def _run(self, pod: Object) -> None:
        container = pod["spec"]["containers"][0]
        program, *arguments = container["command"] + container.get("args", [])
        assert program == "python"
        env = {one["name"]: one["value"] for one in container.get("env", []) if "value" in one}
        folder = self._projects[container["image"]]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=folder,
            env={
                **env,
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{folder}:{RUNTIME}:{self._packages}",
                "PYTHONDONTWRITEBYTECODE": "1",
                **self._environ,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        self.ran.append(said.decode())
        await self._write("pods", pod["metadata"]["name"], _ended(pod, process.returncode or 0))


def _running(pod: Object) -> Object:
    state = {"running": {"startedAt": pod["metadata"]["creationTimestamp"]}}
    return {"phase": "Running", "containerStatuses": [_status(pod, state, ready=True)]}


def _ended(pod: Object, code: int) -> Object:
    state = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed"}}
    return {"phase": "Failed" if code else "Succeeded", "containerStatuses": [_status(pod, state, ready=False)]}


def _status(pod: Object, state: Object, *, ready: bool) -> Object:
    name = pod["spec"]["containers"][0]["name"]
    return {"name": name, "image": "x", "imageID": "x", "restartCount": 0, "ready": ready, "state": state}
