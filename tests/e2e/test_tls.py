"""TLS by an issuer: a certificate from an ACME server in the cluster, and what a browser then sees."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from pathlib import Path

import pytest
from plain_project import name_of, nameless, names, plain_project
from waiting import becomes, wait_for

from nuages.local import images, install, toolchain
from nuages.local.cluster import up
from nuages.progress import silent

pytestmark = pytest.mark.e2e

ISSUER = """
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {{name: {name}}}
spec:
  acme:
    server: https://pebble.{namespace}.svc:14000/dir
    caBundle: {authority}
    privateKeySecretRef: {{name: {name}}}
    solvers: [{{http01: {{ingress: {{ingressClassName: traefik}}}}}}]
"""


@pytest.fixture
def issuer(kubectl, namespace):
    """A ClusterIssuer that asks a pebble of this test's own; its name."""
    info = up("test", addons=("cert-manager", "traefik"))
    install.load(info, [images.archive(images.PEBBLE, toolchain.build({"pebble"}, silent))])
    objects = Path(__file__).with_name("acme.yaml").read_text().replace("NAMESPACE", namespace)
    kubectl("-n", namespace, "apply", "-f", "-", text=objects)
    kubectl("-n", namespace, "wait", "--for=condition=Available", "deployment/pebble", "--timeout=300s")
    authority = wait_for(lambda: kubectl("-n", namespace, "get", "secret", "pebble", "-o", r"jsonpath={.data.ca\.crt}"))
    name = f"acme-{namespace}"
    kubectl("apply", "-f", "-", text=ISSUER.format(name=name, namespace=namespace, authority=authority))
    kubectl("wait", "--for=condition=Ready", f"clusterissuer/{name}", "--timeout=300s")
    yield name
    kubectl("delete", "clusterissuer", name)
    kubectl("-n", "cert-manager", "delete", "secret", name, "--ignore-not-found")


def roots(kubectl, namespace: str) -> str:
    """Whom a browser would have to trust: pebble makes an authority anew each time."""
    return kubectl("get", "--raw", f"/api/v1/namespaces/{namespace}/services/https:pebble:15000/proxy/roots/0")


def asked(port: int, host: str, trusted: str, *, path: str = "/", body: bytes | None = None):
    """What a browser gets for https://host/, whoever has to be trusted for it."""
    context = ssl.create_default_context(cadata=trusted)
    raw = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection = http.client.HTTPConnection(host)
    with context.wrap_socket(raw, server_hostname=host) as connection.sock:
        connection.request("POST" if body else "GET", path, body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def plainly(port: int, host: str, method: str = "GET"):
    """The same for http://host/, as far as where it leads."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, "/a%20b?c=d", headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location")
    finally:
        connection.close()


def test_a_certificate_comes_from_an_acme_server_and_every_name_ends_at_https(
    kubectl, cluster, namespace, issuer, tmp_path
):
    host, www = name_of(namespace), name_of(namespace, "-www")
    names(kubectl, host, www)
    try:
        expose = (
            f"class: traefik, hosts: [{host}], redirects: [{www}], tls: {{issuer: {issuer}}}, hsts: 1h, bodySize: 10Ki"
        )
        project = plain_project(tmp_path / "shop", cluster, namespace, expose)
        said = project.nuages("deploy")
        info = up("test")
        assert f"https://{host}:{info.https_port}" in said.stdout
        kubectl("-n", namespace, "wait", "--for=condition=Ready", "certificate/shop-tls", "--timeout=300s")
        trusted = wait_for(lambda: roots(kubectl, namespace))

        def served() -> object:
            found = asked(info.https_port, host, trusted)  # until the controller has taken up certificate and routes
            return found if found[0] == 200 else None

        def led(name: str, method: str = "GET") -> object:
            return plainly(info.http_port, name, method)

        def taken(size: int) -> int:
            return asked(info.https_port, host, trusted, body=b"x" * size)[0]

        def elsewhere() -> object:
            status, headers, _ = asked(info.https_port, www, trusted, path="/x")
            return status, headers["Location"]

        _, headers, body = wait_for(served)
        assert json.loads(body)["secure"], "Django knows that it was asked by https"
        assert headers["Strict-Transport-Security"] == "max-age=3600"
        becomes((301, f"https://{host}/a%20b?c=d"), lambda: led(host))
        becomes((301, f"https://{host}/a%20b?c=d"), lambda: led(www))
        becomes((308, f"https://{host}/a%20b?c=d"), lambda: led(www, "POST"))
        becomes((301, f"https://{host}/x"), elsewhere)  # its certificate is for both
        becomes(200, lambda: taken(10 * 1024))
        becomes(413, lambda: taken(10 * 1024 + 1))
        assert json.loads(project.nuages("plan", "--no-build", "--json").stdout)["findings"] == []

        # By Secret: what the issuer made is taken for another name, and refused before anything is touched.
        project.edit(**{f"issuer: {issuer}": "secret: shop-tls", f"hosts: [{host}]": "hosts: [other.example.com]"})
        refused = project.nuages("deploy", "--no-build", code=3)
        assert "other.example.com: Hostname mismatch" in refused.stderr
        assert "release.E404" in refused.stderr
        secret = json.loads(kubectl("-n", namespace, "get", "secret", "shop-tls", "-o", "json"))
        assert base64.b64decode(secret["data"]["tls.crt"]).count(b"BEGIN CERTIFICATE") >= 2
    finally:
        nameless(kubectl, host, www)
