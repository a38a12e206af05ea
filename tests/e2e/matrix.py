"""The walls of an app, measured: a pod for each component that listens everywhere, and every one tries every other."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from nuages.app.build import Build
from nuages.app.components import App, resolve
from nuages.app.topology import COMPONENTS, SERVERS, opens
from nuages.local.info import ClusterInfo
from nuages.render import labels
from nuages.render.network import openings, policies
from nuages.render.pods import container_security, pod_security
from nuages.spec.load import parse

IMAGE = "docker.io/library/python:3.13-slim"
OUTSIDE, ELSEWHERE = "outside", "elsewhere"
DECLARED, UNDECLARED = 18443, 18444
"""Two ports of a server outside the cluster, of which the spec names the first."""

PORTS = (*SERVERS.values(), 8000, 8080, 9000, 9464, 15672)
"""All that a way may name, and two that none does: another web's, and RabbitMQ's management."""

SPEC = """\
name: walls
image: registry.example.com/walls
web: {main: {}}
services: {postgres: {run: {}}, redis: {run: {}}, rabbitmq: {run: {}}, memcached: {run: {}}}
databases: {default: postgres}
static: {nginx: {}}
frontends: {spa: {directory: web, command: [npm, run, build], output: dist, routes: [/app/]}}
expose: {kind: nodePort}
network: {egress: [{range: HOST/32, port: PORT}]}
environments: {local: {namespace: NAMESPACE}}
"""

BUILD = Build(
    reference="registry.example.com/walls@sha256:0",
    wsgi="walls.wsgi:application",
    settings="walls.settings",
    static_root="/static",
    static_url="/static/",
    static_tree="0",
)

SERVE = """
import socket, sys, threading
for port in map(int, sys.argv[1:]):
    server = socket.create_server(("", port), backlog=64)
    def serve(server=server):
        while True:
            server.accept()[0].close()
    threading.Thread(target=serve, daemon=True).start()
ready = socket.create_server(("", 7999))
threading.Event().wait()
"""

TRY = """
import asyncio, json, sys
async def reach(address, port):
    try:
        async with asyncio.timeout(3):
            (await asyncio.open_connection(address, port))[1].close()
        return True
    except (TimeoutError, OSError):
        return False
async def main(pairs):
    return await asyncio.gather(*(reach(*pair) for pair in pairs))
print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))
"""

Pair = tuple[str, str, int]
"""Client, server and port."""


class Matrix:
    """Pods of some components in a namespace, with the walls of an app that has everything."""

    def __init__(self, cluster: ClusterInfo, namespace: str, components: Sequence[str] = COMPONENTS) -> None:
        self.cluster, self.namespace, self.components = cluster, namespace, components
        text = SPEC.replace("NAMESPACE", namespace).replace("HOST", host(cluster)).replace("PORT", str(DECLARED))
        self.app: App = resolve(parse(text.encode(), "nuages.yaml"), "local")
        self.addresses: dict[str, str] = {OUTSIDE: host(cluster)}

    def start(self) -> None:
        """Walls first, so that no pod is ever without; then the pods, and a client in a namespace of its own."""
        self._kubectl("create", "namespace", self._elsewhere)
        account = ("wait", "--for=create", "serviceaccount/default", "--timeout=300s", "--namespace")
        for namespace in (self.namespace, self._elsewhere):  # a pod is refused before its account is there
            self._kubectl(*account, namespace)
        pods = [self._pod(one, self.namespace, labels.labels(self.app, one)) for one in self.components]
        stranger = self._pod(ELSEWHERE, self._elsewhere, {})
        self._apply([*policies(self.app, BUILD), self._service("web", 8000), self._service("postgres", 5432)])
        self._apply([*pods, stranger])
        for namespace in (self.namespace, self._elsewhere):
            self._kubectl("wait", "--for=condition=Ready", "pods", "--all", "--timeout=600s", "--namespace", namespace)
            for item in json.loads(self._kubectl("get", "pods", "--namespace", namespace, "--output", "json"))["items"]:
                self.addresses[item["metadata"]["name"]] = item["status"]["podIP"]

    def end(self) -> None:
        """Remove the namespace that it made."""
        self._kubectl("delete", "namespace", self._elsewhere, "--wait=false")

    def computed(self) -> dict[Pair, bool]:
        """What the topology says of every pair on every port, and of the outside."""
        known = openings(self.app, BUILD)
        clients = (*self.components, ELSEWHERE)
        found = {
            (client, server, port): opens(known, client, server, port)
            for client in clients
            for server in self.components
            for port in PORTS
            if client != server
        }
        project = [one for one in clients if one in ("web", "worker", "beat", "migrate", "run", "schedule", "job")]
        # A pod that no policy selects is free.
        found |= {(one, OUTSIDE, DECLARED): one in project or one == ELSEWHERE for one in clients}
        found |= {(one, OUTSIDE, UNDECLARED): one == ELSEWHERE for one in clients}
        return found | {(OUTSIDE, "web", 8000): True, (OUTSIDE, "postgres", 5432): False}

    def measured(self, pairs: Sequence[Pair]) -> dict[Pair, bool]:
        """What really gets through: each client tries all of its pairs at once."""
        clients = sorted({client for client, _, _ in pairs})
        with ThreadPoolExecutor(4) as pool:
            answers = pool.map(lambda client: self._tried(client, [one for one in pairs if one[0] == client]), clients)
            return {pair: answer for each in answers for pair, answer in each.items()}

    def _tried(self, client: str, pairs: list[Pair]) -> dict[Pair, bool]:
        if client == OUTSIDE:
            return {pair: self._from_outside(pair) for pair in pairs}
        wanted = [(self.addresses[server], port) for _, server, port in pairs]
        namespace = self._elsewhere if client == ELSEWHERE else self.namespace
        said = self._kubectl(
            "exec", "--stdin", client, "--namespace", namespace, "--", "python3", "-c", TRY, text=json.dumps(wanted)
        )
        return dict(zip(pairs, json.loads(said), strict=True))

    def _from_outside(self, pair: Pair) -> bool:
        """Through a port of the node's, which every client outside may ask."""
        service = json.loads(
            self._kubectl("get", "service", f"noded-{pair[1]}", "--namespace", self.namespace, "--output", "json")
        )
        try:
            address = (self.cluster.address, service["spec"]["ports"][0]["nodePort"])
            # A port of a node takes the connection before the pod does; one that closes it has answered.
            with socket.create_connection(address, timeout=3) as connection:
                return connection.recv(1) == b""
        except OSError:
            return False

    @property
    def _elsewhere(self) -> str:
        return f"{self.namespace}-else"

    def _pod(self, name: str, namespace: str, carried: dict[str, str]) -> dict[str, object]:
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": carried},
            "spec": {
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "terminationGracePeriodSeconds": 0,
                "securityContext": pod_security(1000),
                "containers": [
                    {
                        "name": "listens",
                        "image": IMAGE,
                        "imagePullPolicy": "Never",
                        "command": ["python3", "-c", SERVE, *map(str, sorted(set(PORTS)))],
                        "readinessProbe": {"tcpSocket": {"port": 7999}, "periodSeconds": 1},
                        "resources": {"requests": {"cpu": "1m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
                        "securityContext": container_security(),
                    }
                ],
            },
        }

    def _service(self, component: str, port: int) -> dict[str, object]:
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"noded-{component}", "namespace": self.namespace},
            "spec": {
                "type": "NodePort",
                "selector": labels.selector(self.app, component),
                "ports": [{"name": "tcp", "port": port, "protocol": "TCP"}],
            },
        }

    def _apply(self, objects: Sequence[object]) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self._kubectl("apply", "--server-side", "--filename", "-", text=json.dumps(listed))

    def _kubectl(self, *arguments: str, text: str | None = None) -> str:
        done = subprocess.run(
            [*self.cluster.kubectl, *arguments], input=text, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def host(cluster: ClusterInfo) -> str:
    """This machine's address as the cluster's pods see it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((cluster.address, 9))
        return probe.getsockname()[0]


@contextlib.contextmanager
def servers_outside() -> Iterator[None]:
    """Two servers on this machine, outside the cluster."""
    listening = [socket.create_server(("", port)) for port in (DECLARED, UNDECLARED)]

    def serve(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                server.accept()[0].close()

    for server in listening:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
    try:
        yield
    finally:
        for server in listening:
            server.shutdown(socket.SHUT_RDWR)
            server.close()
