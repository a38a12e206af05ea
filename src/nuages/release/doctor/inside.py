"""What a pod of the app sees: names, its data stores, and what time it is on its node."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from nuages.app.components import App
from nuages.app.stores import SERVICES, reached
from nuages.errors import NuagesError
from nuages.kube.client import Cluster
from nuages.progress import silent
from nuages.release import run
from nuages.release.doctor import reach
from nuages.release.doctor.findings import Look, broken, of_error, works
from nuages.release.session import Pipe

GROUP = "inside"
API = "kubernetes.default.svc"

# In the project's own image, without the project: what it can't import, it need not.
SCRIPT = """\
import json, socket, sys, time
found = {"time": time.time(), "names": {}, "ports": {}}
end = time.monotonic() + 10
for host, port in json.loads(sys.argv[1]):
    begun = time.monotonic()
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        found["names"][host] = str(error)
        continue
    found["names"][host] = round((time.monotonic() - begun) * 1000)
    if port:
        while True:
            try:
                socket.create_connection((host, port), 3).close()
                found["ports"][host] = ""
            except OSError as error:
                found["ports"][host] = str(error)
                if time.monotonic() < end:  # the walls of a new pod open a moment late
                    time.sleep(0.5)
                    continue
            break
print(json.dumps(found))
"""


async def look(app: App, cluster: Cluster) -> list[Look]:
    """Ask from a pod like the web's, in a moment; it is written down as every command is."""
    heard = Pipe()
    wanted = run.of(app, ("python", "-c", SCRIPT, json.dumps(places(app))), ttl=60, typed=("nuages", "doctor"))
    before = datetime.now(UTC)
    try:
        ended = await run.run(app, wanted, cluster, heard, kind=run.in_project, sink=silent)
    except NuagesError as error:
        return [of_error(GROUP, "a pod", error)]
    if ended.code:
        return [broken(GROUP, "a pod", f"ended with {ended.code} {ended.note}".strip(), "nuages status says more")]
    return list(told(json.loads(heard.output), before, datetime.now(UTC)))


def places(app: App) -> list[tuple[str, int]]:
    """Whom a pod of the app must find: names and ports, 0 where the name is all there is to ask."""
    return [(API, 0), *((where.host, where.port) for key in SERVICES if (where := reached(app, key)))]


def told(found: dict[str, Any], before: datetime, after: datetime) -> Iterator[Look]:
    """What the pod's answer means; pure."""
    lost = {host: said for host, said in found["names"].items() if isinstance(said, str)}
    if lost:
        said = "; ".join(f"{host}: {error}" for host, error in lost.items())
        cure = "is the cluster's DNS up (pods k8s-app=kube-dns in kube-system), and may pods ask it?"
        yield broken(GROUP, "names", said, cure)
    else:
        slowest = max(found["names"].values(), default=0)
        yield works(GROUP, "names", f"{len(found['names'])} found, in at most {slowest} ms")
    for host, error in found["ports"].items():
        if error:
            yield broken(GROUP, host, f"is not reached: {error}", "nuages status; a NetworkPolicy may be in the way")
        else:
            yield works(GROUP, host, "is reached")
    moment = datetime.fromtimestamp(found["time"], UTC)
    yield reach.judged(GROUP, "the node's clock", moment, before, after)
