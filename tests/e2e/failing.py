"""Small workloads, each of which fails in one way on a real node, with the diagnosis that it must get."""

from __future__ import annotations

import base64
from typing import NamedTuple

from nuages.app.objects import Object

NAMESPACE = "test-diagnosis"
LABELS = {"app.kubernetes.io/instance": "diagnosis"}
PYTHON = "docker.io/library/python:3.13-slim"
DJANGO = "blog"
"""Stands for the blog's own image, which has Django, gunicorn and the runtime."""

SETTINGS = "import os\n\nSENTRY_DSN = os.environ['SENTRY_DSN']\n"
BROKEN = "from os import environ\n\nDEBUG == = True\n"
SITE = """
import os, sys
from django.conf import settings

HOSTS, REDIRECT = os.environ.get("HOSTS", "*").split(","), bool(os.environ.get("REDIRECT"))
settings.configure(
    SECRET_KEY="x" * 50, ALLOWED_HOSTS=HOSTS, ROOT_URLCONF="site_of_one_file", SECURE_SSL_REDIRECT=REDIRECT,
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    LOGGING={
        "version": 1, "disable_existing_loggers": False,
        "handlers": {"console": {"class": "logging.StreamHandler"}}, "root": {"handlers": ["console"]},
    },
)
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

def answer(request):
    if os.environ.get("BROKEN"):
        raise ZeroDivisionError("no posts to divide by")
    return HttpResponse("well")

urlpatterns = [path("-/startup", answer)]
application = get_wsgi_application()
"""
SERVER = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status})
        self.end_headers()

print("start-up waits for migrations: posts.0002_slug", flush=True)
HTTPServer(("", 8000), Answer).serve_forever()
"""
PORT = 30018  # of those below 30086, which Kubernetes gives to no Service that has not asked for one
REGISTRY = """
import hashlib, json
from http.server import BaseHTTPRequestHandler, HTTPServer

INDEX = "application/vnd.oci.image.index.v1+json"
OTHER = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + "1" * 64, "size": 2}
ARM = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
    OTHER | {"platform": {"os": "linux", "architecture": "arm64"}}]}).encode()

class Registry(BaseHTTPRequestHandler):
    def do_GET(self):
        code, kind, body = 404, "application/json", b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}'
        if "private" in self.path:
            code, body = 401, b"{}"
        elif "arm" in self.path:
            code, kind, body = 200, INDEX, ARM
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(body).hexdigest())
        if code == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="acme"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
    do_HEAD = do_GET

HTTPServer(("127.0.0.1", 30018), Registry).serve_forever()
"""
PULLED = f"localhost:{PORT}/acme"
TWICE = "import socket; first = socket.create_server(('', 8000)); socket.create_server(('', 8000))"
ARM = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\xb7\0\x01\0\0\0" + bytes(40)  # the head of a program for arm64


def python(program: str) -> dict[str, object]:
    return {"command": ["python", "-c", program]}


def serve(*environment: tuple[str, str]) -> dict[str, object]:
    """gunicorn with the site of one file, in the blog's image, and these variables."""
    return {
        "image": DJANGO,
        "command": ["python", "-m", "gunicorn", "--bind=0.0.0.0:8000", "--chdir=/app/blog", "--no-control-socket"],
        "args": ["--worker-tmp-dir=/dev/shm", "--timeout=300", "site_of_one_file"],
        "resources": {"requests": {"cpu": "5m", "memory": "64Mi"}, "limits": {"memory": "192Mi"}},
        "env": [{"name": name, "value": value} for name, value in environment],
        "readinessProbe": {**probe(), "timeoutSeconds": 5},
        **MOUNTED,
    }


def probe(port: int = 8000) -> dict[str, object]:
    return {"httpGet": {"path": "/-/startup", "port": port}, "periodSeconds": 1, "failureThreshold": 4}


def pod(name: str, volumes: list[Object] | None = None, **container: object) -> Object:
    one = {
        "name": "web",
        "image": PYTHON,
        "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        **container,
    }
    spec = {"containers": [one], "volumes": volumes or [], "terminationGracePeriodSeconds": 0}
    return {"metadata": {"labels": {**LABELS, "app": name}}, "spec": spec}


def deployment(name: str, **parts: object) -> Object:
    """One pod with a probe, as all of ours: one that crashes without a probe is available for a moment."""
    probes = {} if parts.keys() & {"startupProbe", "readinessProbe"} else {"readinessProbe": probe()}
    template = pod(name, **probes, **parts)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": template,
        },
    }


def job(name: str, program: str, **spec: object) -> Object:
    template = pod(name, **python(program))
    template["spec"]["restartPolicy"] = "Never"
    metadata = {"name": name, "namespace": NAMESPACE, "labels": LABELS}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"backoffLimit": 0, "template": template, **spec},
    }


def config_map() -> Object:
    """The files of the projects."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "project", "namespace": NAMESPACE},
        "data": {
            "settings.py": SETTINGS,
            "broken.py": BROKEN,
            "urls.py": "import blog.broken",
            "site_of_one_file.py": SITE,
        },
        "binaryData": {"arm": base64.b64encode(ARM).decode()},
    }


def registry() -> Object:
    """A registry for the node alone, which has one image, for another processor, and keeps one to itself."""
    template = pod("registry", **python(REGISTRY))
    template["spec"]["hostNetwork"] = True
    # Who pulls before it listens is told something else than its case is about.
    listens = {"tcpSocket": {"host": "127.0.0.1", "port": PORT}, "periodSeconds": 1}
    template["spec"]["containers"][0]["readinessProbe"] = listens
    metadata = {"name": "registry", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


MOUNTED = {
    "volumes": [{"name": "project", "configMap": {"name": "project", "defaultMode": 0o755}}],
    "volumeMounts": [{"name": "project", "mountPath": "/app/blog"}],
    "workingDir": "/app",
}
SECRET = {"name": "SECRET_KEY", "valueFrom": {"secretKeyRef": {"name": "blog-secrets", "key": "SECRET_KEY"}}}
COLOR = {"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": "project", "key": "COLOR"}}}
LACKING = {"volumes": [{"name": "media", "persistentVolumeClaim": {"claimName": "nowhere"}}]}
SMALL = {"requests": {"cpu": "5m"}, "limits": {"cpu": "10m", "memory": "64Mi"}}


class Case(NamedTuple):
    """A workload, the diagnosis it must get, and the lines shown of it."""

    workload: Object
    id: str
    lines: tuple[str, ...] = ("...",)
    waits: bool = False
    """Whether it is not given up, but told while it is waited for: it may get ready yet."""


# The image names the project's settings; a program that is started without them has none.
NO_SETTINGS = (
    "import os; os.environ.pop('DJANGO_SETTINGS_MODULE', None); from django.db import connection as one; one.vendor"
)

CASES = {
    "crash": Case(
        deployment("crash", command=["python", "-m", "blog.settings"], **MOUNTED),
        "diag.D020",
        ("KeyError: 'SENTRY_DSN'", "blog/settings.py:3"),
    ),
    "module": Case(
        deployment("module", **python("import storages")),
        "diag.D022",
        ("ModuleNotFoundError: No module named 'storages'",),
    ),
    "syntax": Case(
        deployment("syntax", command=["python", "-m", "blog.urls"], **MOUNTED),
        "diag.D034",
        ("SyntaxError: invalid syntax", "blog/broken.py:3"),
    ),
    "program": Case(
        deployment("program", command=["python", "blog/broken.py"], **MOUNTED),
        "diag.D034",
        ("SyntaxError: invalid syntax", "blog/broken.py:3"),
    ),
    "settings": Case(
        deployment("settings", image=DJANGO, **python(NO_SETTINGS)),
        "diag.D023",
        ("django.core.exceptions.ImproperlyConfigured: Requested setting DATABASES, but settings are not...",),
    ),
    "server": Case(deployment("server", command=["python", "-m", "gunicorn", "blog.wsgi"]), "diag.D035"),
    "memory": Case(deployment("memory", **python("bytearray(200_000_000)")), "diag.D030", ()),
    "command": Case(deployment("command", command=["nosuchcommand"]), "diag.D031"),
    "executable": Case(deployment("executable", command=["/etc/passwd"]), "diag.D032"),
    "processor": Case(deployment("processor", command=["/app/blog/arm"], **MOUNTED), "diag.D007"),
    "native": Case(deployment("native", **python("import ctypes; ctypes.string_at(0)")), "diag.D033", ()),
    "readonly": Case(
        deployment("readonly", **python("open('/app.txt', 'w')"), securityContext={"readOnlyRootFilesystem": True}),
        "diag.D028",
        ("OSError: [Errno 30] Read-only file system: '/app.txt'",),
    ),
    "denied": Case(
        deployment("denied", **python("open('/etc/shadow')"), securityContext={"runAsUser": 1000}),
        "diag.D036",
        ("PermissionError: [Errno 13] Permission denied: '/etc/shadow'",),
    ),
    "twice": Case(deployment("twice", **python(TWICE)), "diag.D037"),
    "root": Case(deployment("root", **python(""), securityContext={"runAsNonRoot": True}), "diag.D012"),
    "secret": Case(deployment("secret", env=[SECRET], **python("")), "diag.D010", ('secret "blog-secrets" not found',)),
    "mount": Case(
        deployment(
            "mount",
            volumes=[{"name": "env", "configMap": {"name": "nowhere"}}],
            volumeMounts=[{"name": "env", "mountPath": "/env"}],
            **python(""),
        ),
        "diag.D011",
        ('MountVolume.SetUp failed for volume "env" : configmap "nowhere" not found',),
        waits=True,
    ),
    "key": Case(deployment("key", env=[COLOR], **python("")), "diag.D011"),
    "never": Case(
        deployment("never", image="registry.example.com/acme/nope:1", imagePullPolicy="Never"),
        "diag.D005",
        ("ErrImageNeverPull: ...",),
    ),
    "name": Case(deployment("name", image="Registry/Nope:1:2"), "diag.D001"),
    "absent": Case(deployment("absent", image=f"{PULLED}/absent:1"), "diag.D002"),
    "private": Case(deployment("private", image=f"{PULLED}/private:1"), "diag.D003"),
    "platform": Case(deployment("platform", image=f"{PULLED}/arm:1"), "diag.D007"),
    "pull": Case(deployment("pull", image="registry.example.com/acme/nope:1"), "diag.D004"),
    "migrations": Case(
        deployment("migrations", startupProbe=probe(), **python(SERVER.format(status=503))),
        "diag.D040",
        ("start-up waits for migrations: posts.0002_slug",),
        waits=True,
    ),
    "port": Case(
        deployment("port", readinessProbe=probe(8001), **python("import time; time.sleep(999)")),
        "diag.D041",
        waits=True,
    ),
    "silent": Case(
        deployment(
            "silent",
            **python("import socket, time; s = socket.create_server(('', 8000)); time.sleep(999)"),
        ),
        "diag.D043",
        waits=True,
    ),
    "little": Case(
        deployment("little", resources=SMALL, **python("while True: pass")),
        "diag.D048",
        waits=True,
    ),
    "host": Case(
        deployment("host", **serve(("HOSTS", "blog.example.com"))),
        "diag.D045",
        ("django.core.exceptions.DisallowedHost: Invalid HTTP_HOST header: ...",),
        waits=True,
    ),
    "redirect": Case(
        deployment("redirect", **serve(("REDIRECT", "1"))),
        "diag.D046",
        ('Readiness probe failed: Get "https://...',),
        waits=True,
    ),
    "error": Case(
        deployment("error", **serve(("BROKEN", "1"))),
        "diag.D047",
        ("ZeroDivisionError: no posts to divide by", "blog/site_of_one_file.py:20"),
        waits=True,
    ),
    "unbound": Case(deployment("unbound", **LACKING, **python("")), "diag.D051", waits=True),
    "large": Case(
        deployment("large", resources={"requests": {"cpu": "900"}}, **python("")),
        "diag.D050",
        waits=True,
    ),
    "job": Case(job("job", "raise ValueError('no slug for post 7')"), "diag.D024", ("ValueError: no slug for post 7",)),
    "late": Case(job("late", "import time; time.sleep(99)", activeDeadlineSeconds=5), "diag.D072", ()),
}
