"""Admission webhooks on 127.0.0.1, which a real API server asks about the pods of one namespace."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from eventually import eventually
from registry import authority

from nuages.errors import ClusterError


@contextlib.contextmanager
def denying(folder):
    """One that lets no pod in: its URL and the authority that signed it."""
    trusted, (certificate, key) = authority(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Denies)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/", trusted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Denies(BaseHTTPRequestHandler):
    """Answers no to every AdmissionReview."""

    def do_POST(self):
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {
            "uid": review["request"]["uid"],
            "allowed": False,
            "status": {"message": "only of acme"},
        }
        body = json.dumps(review | {"response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@contextlib.asynccontextmanager
async def asked(cluster, namespace, url, authority):
    """For the body the API server asks this webhook about the namespace's pods."""
    name = f"{namespace}.example.com"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    hook = {
        "name": name,
        "clientConfig": {"url": url, "caBundle": base64.b64encode(authority.read_bytes()).decode()},
        "rules": [rule],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "sideEffects": "None",
        "timeoutSeconds": 30,
        "admissionReviewVersions": ["v1"],
    }
    kind = "ValidatingWebhookConfiguration"
    api = "admissionregistration.k8s.io/v1"
    await cluster.apply({"apiVersion": api, "kind": kind, "metadata": {"name": name}, "webhooks": [hook]})
    try:
        await eventually(lambda: refuses(cluster, namespace))
        yield name
    finally:
        await cluster.delete(kind, None, name)


async def refuses(cluster, namespace, *words, wanted=None):
    """Whether the API server follows a new rule already: refuses a pod, or what is wanted, with one of these words."""
    spec = {"containers": [{"name": "web", "image": "x"}]}
    metadata = {"name": "tried", "namespace": namespace}
    try:
        await cluster.create(
            wanted or {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}, dry_run=True
        )
    except ClusterError as error:
        return any(word in error.message for word in words or ("webhook", "denied request"))
    return False
