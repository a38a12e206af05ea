"""A small project for soaks: a page with a style, one that takes five seconds, a websocket that echoes; no database.

Its style is below the hash of all static files, for its storage gives no file a hash of its own.
"""

from __future__ import annotations

from pathlib import Path

FILES = {
    "requirements.txt": "django==5.2.8\n",
    "manage.py": """\
import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ring.settings")
execute_from_command_line(sys.argv)
""",
    "ring/__init__.py": "",
    "ring/settings.py": """\
import os

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.staticfiles", "ring"]
ROOT_URLCONF = "ring.urls"
WSGI_APPLICATION = "ring.wsgi.application"
ASGI_APPLICATION = "ring.asgi.application"
DATABASES = {}
STATIC_URL = "static/"
USE_TZ = True
""",
    "ring/urls.py": """\
import os
import time

from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import path


def page(request):
    link = f'<link rel="stylesheet" href="{static("ring/style.css")}">'
    return HttpResponse(f"{link} release {os.environ['RELEASE']}, {os.environ['COLOR']}")


def slow(request):
    time.sleep(5)
    return HttpResponse("slow")


urlpatterns = [path("", page), path("slow/", slow)]
""",
    "ring/wsgi.py": """\
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ring.settings")
application = get_wsgi_application()
""",
    "ring/asgi.py": """\
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ring.settings")
pages = get_asgi_application()


async def application(scope, receive, send):
    if scope["type"] != "websocket":
        await pages(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": "you said " + message["text"]})
""",
    "ring/static/ring/style.css": "body { color: #000000 }\n",
    "nuages.yaml": """\
name: ring
image: registry.example.com/ring
django: {settings: ring.settings}
web: {main: {interface: INTERFACE, replicas: 2, requestTimeout: 10s, resources: {cpu: 20m, memory: 192Mi}}}
expose: {kind: loadBalancer}
canary: {steps: [50%], pause: 5s}
env: {COLOR: orange}
secrets: {SECRET_KEY: {generate: true}}
environments:
  local:
    namespace: NAMESPACE
    cluster: CONTEXT
""",
}
STYLE = "ring/static/ring/style.css"


def write(folder: Path, context: str, namespace: str, interface: str) -> None:
    """The project in a folder, to be deployed to a namespace; `interface` is wsgi or asgi."""
    said = {"NAMESPACE": namespace, "CONTEXT": context, "INTERFACE": interface}
    for name, text in FILES.items():
        for word, value in said.items() if name == "nuages.yaml" else ():
            text = text.replace(word, value)  # noqa: PLW2901 - one word after the other
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
