"""Several webs behind one name, by each kind of exposure: paths, names that lead to another, WebSockets."""

from __future__ import annotations

import http.client
import json
import socket

import pytest
from plain_project import plain_project
from waiting import becomes, steady, wait_for
from websockets.sync.client import connect

from nuages.local.cluster import up

pytestmark = pytest.mark.e2e

WEBS = """\
  live: {interface: asgi, routes: [/ws/], replicas: 1, requestTimeout: 2m, resources: {cpu: 10m, memory: 128Mi}}
"""


def asked(port: int, host: str, path: str = "/", size: int = 0) -> tuple[int, object]:
    """The status, and what the view tells; or where a redirect leads."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST" if size else "GET", path, b"x" * size if size else None, {"Host": host})
        answer = connection.getresponse()
        body = answer.read()
        told = json.loads(body) if answer.headers.get("Content-Type") == "application/json" else None
        return answer.status, answer.headers.get("Location") or told
    except OSError:
        return 0, None
    finally:
        connection.close()


def answers(port: int, host: str, path: str, server: str) -> bool:
    status, told = asked(port, host, path)
    return status == 200 and isinstance(told, dict) and told["server"] == server


def test_paths_names_and_websockets_by_ingress_gateway_and_node_port(kubectl, cluster, namespace, tmp_path):
    port = up("test", addons=("traefik",)).http_port
    host, second, www = f"{namespace}.localhost", f"{namespace}.example.com", f"www.{namespace}.localhost"
    hosts = f"hosts: [{host}, {second}], redirects: [{www}]"
    project = plain_project(tmp_path / "shop", cluster, namespace, f"class: traefik, {hosts}, bodySize: 1Ki", WEBS)
    project.nuages("deploy")

    # Ingress: the runtime sends a name on, with the port that the browser sees.
    wait_for(lambda: answers(port, host, "/ws/", "http"))
    wait_for(lambda: answers(port, second, "/wsx", "wsgi"))  # nothing that only begins so; each has endpoints to learn
    wait_for(lambda: answers(port, host, "/ws", "http"))  # the same without its slash
    becomes((301, f"http://{host}:{port}/a?b=c"), lambda: asked(port, f"{www}:{port}", "/a?b=c"))
    becomes(404, lambda: asked(port, "nobody.localhost")[0])
    becomes(200, lambda: asked(port, host, size=1024)[0])
    becomes(413, lambda: asked(port, host, size=1025)[0])
    becomes(413, lambda: asked(port, host, "/ws/", size=1025)[0])
    steady(lambda: answers(port, host, "/ws/", "http"))
    raw = socket.create_connection(("127.0.0.1", port), timeout=60)
    with connect(f"ws://{host}:{port}/ws/", sock=raw, proxy=None, open_timeout=60) as spoken:
        spoken.send("hello")
        assert spoken.recv(timeout=60) == "HELLO"

    # A second app that asks for the same name is refused, and nothing of it is made.
    other = plain_project(tmp_path / "other", cluster, namespace, f"class: traefik, {hosts}")
    other.edit(**{"name: shop": "name: other"})
    refused = other.nuages("plan", code=3)
    assert "release.E400" in refused.stdout + refused.stderr

    # Gateway: the redirect is the Gateway's own.
    project.edit(**{"class: traefik, ": "kind: gateway, class: traefik/traefik, tls: {none: {}}, "})
    project.nuages("deploy", "--no-build")
    wait_for(lambda: kubectl("-n", namespace, "get", "ingress", "-o", "name") == "")
    wait_for(lambda: asked(port, www, "/a?b=c") == (301, f"http://{host}/a?b=c"))
    wait_for(lambda: answers(port, host, "/ws/", "http"))
    wait_for(lambda: answers(port, host, "/ws", "http"))

    # A node's port knows no paths and no names: the web that answers "/" sends the name on. One below 30086 is given to
    # no Service that has not asked for it.
    project.edit(**{"kind: gateway, class: traefik/traefik, tls: {none: {}}, ": "kind: nodePort, nodePort: 30006, "})
    project.nuages("deploy", "--no-build")
    wait_for(lambda: answers(30006, host, "/ws/", "wsgi"))
    becomes((301, f"http://{host}:30006/a"), lambda: asked(30006, f"{www}:30006", "/a"))
    project.nuages("destroy", "--yes")
