"""A small project without a database: one view that tells how a request came."""

from __future__ import annotations

from pathlib import Path

from project import Project

FILES = {
    "requirements.txt": "django==5.2.8\ngunicorn==23.0.0\nuvicorn==0.38.0\nwebsockets==15.0.1\n",
    "manage.py": """\
import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
execute_from_command_line(sys.argv)
""",
    "shop/__init__.py": "",
    "shop/settings.py": """\
import os

SECRET_KEY = os.environ.get("SECRET_KEY", "only for the build")
ALLOWED_HOSTS = []
INSTALLED_APPS = []
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
DATABASES = {}
USE_TZ = True
""",
    "shop/wsgi.py": """\
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = get_wsgi_application()
""",
    "shop/asgi.py": """\
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django = get_asgi_application()


async def application(scope, receive, send):
    if scope["type"] != "websocket":
        await django(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"].upper()})
""",
    "shop/urls.py": """\
from django.http import JsonResponse
from django.urls import re_path


def told(request, path):
    said = {"secure": request.is_secure(), "host": request.get_host(), "path": request.path, "read": len(request.body)}
    return JsonResponse(said | {"server": request.scope["type"] if hasattr(request, "scope") else "wsgi"})


urlpatterns = [re_path("^(?P<path>.*)$", told)]
""",
}
SPEC = """\
name: shop
image: registry.example.com/test/shop
django: {{settings: shop.settings}}
web:
  main: {{replicas: 1, requestTimeout: 5s, resources: {{cpu: 10m, memory: 128Mi}}}}
{more}
secrets: {{SECRET_KEY: {{generate: true}}}}
expose: {{{expose}}}
environments:
  local: {{namespace: {namespace}, cluster: {context}}}
"""


def plain_project(folder: Path, cluster, namespace: str, expose: str, more: str = "") -> Project:
    """The project in a folder of its own; `more` webs as lines of the spec."""
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    project = Project(folder, cluster.kubeconfig)
    project.spec.write_text(SPEC.format(expose=expose, more=more, namespace=namespace, context=cluster.context))
    return project


def name_of(namespace: str, which: str = "") -> str:
    """A name of the cluster's own DNS that leads to the ingress controller: see `names`."""
    return f"{namespace}{which}.traefik.svc.cluster.local"


def names(kubectl, *hosts: str) -> None:
    """Let these names lead to the ingress controller, on the ports that browsers and ACME servers ask."""
    for host in hosts:
        kubectl("apply", "-f", "-", text=f"""
apiVersion: v1
kind: Service
metadata: {{name: {host.partition(".")[0]}, namespace: traefik}}
spec:
  selector: {{app.kubernetes.io/name: traefik}}
  ports: [{{name: web, port: 80, targetPort: web}}, {{name: websecure, port: 443, targetPort: websecure}}]
""")  # fmt: skip


def nameless(kubectl, *hosts: str) -> None:
    """Take these names away."""
    kubectl("-n", "traefik", "delete", "service", "--ignore-not-found", *(host.partition(".")[0] for host in hosts))
