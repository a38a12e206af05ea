"""The kubelet's part, played: a release sees pods become ready, end or crash."""

from __future__ import annotations

import contextlib

import msgspec

from nuages.errors import Gone, Unreachable
from nuages.kube.failures import Asked
from nuages.kube.watch import Mirror

ATTEMPTS = 5


class Kubelet:
    """Writes the status of pods, and the address of load balancers."""

    def __init__(self, cluster, namespace):
        self.crash = set()
        self._cluster, self._namespace = cluster, namespace

    async def play(self):
        told = set()  # by uid: the view may be late, and what is said of a pod now and later is not always the same
        async with Mirror(self._cluster, self._namespace, ("Pod", "Service")) as mirror:
            while True:
                seen = mirror.version
                for pod in mirror.items("Pod"):
                    if pod.get("status", {}).get("phase") == "Pending" and pod["metadata"]["uid"] not in told:
                        told.add(pod["metadata"]["uid"])
                        await self._write("pods", pod["metadata"]["name"], self._pod(pod))
                for service in mirror.items("Service"):
                    if service["spec"]["type"] == "LoadBalancer" and not service["status"]["loadBalancer"]:
                        address = {"loadBalancer": {"ingress": [{"ip": "10.0.0.9"}]}}
                        await self._write("services", service["metadata"]["name"], address)
                await mirror.changed(since=seen)

    def _pod(self, pod):
        component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        container = {"name": pod["spec"]["containers"][0]["name"], "image": "x", "imageID": "x", "restartCount": 0}
        if any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences", [])):
            failed = component in self.crash
            state = {"terminated": {"exitCode": int(failed), "reason": "Error" if failed else "Completed"}}
            done = container | {"ready": False, "state": state}
            return {"phase": "Failed" if failed else "Succeeded", "containerStatuses": [done]}
        if component in self.crash:
            state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
            last = {"terminated": {"exitCode": 1, "reason": "Error"}}
            crashed = container | {"ready": False, "restartCount": 3, "state": state, "lastState": last}
            return {"phase": "Running", "containerStatuses": [crashed]}
        ready = container | {"ready": True, "started": True, "state": {"running": {}}}
        conditions = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady")]
        return {"phase": "Running", "podIP": "10.0.0.8", "conditions": conditions, "containerStatuses": [ready]}

    async def _write(self, plural, name, status):
        for _ in range(ATTEMPTS):
            with contextlib.suppress(Unreachable):  # a busy server is asked again
                with contextlib.suppress(Gone):
                    await self._cluster._transport.send(
                        "PATCH",
                        f"/api/v1/namespaces/{self._namespace}/{plural}/{name}/status",
                        Asked("patch", plural),
                        body=msgspec.json.encode({"status": status}),
                        content_type="application/merge-patch+json",
                    )
                return
        raise AssertionError(f"nobody takes the status of {name}")
