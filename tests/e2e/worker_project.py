"""A small project with Celery: a view that sends a task, a task that leaves a note, and one that beat sends.

Each task is told which process sent it and when, so that notes say whether two of them sent at a time.
"""

from __future__ import annotations

from pathlib import Path

from project import Project

FILES = {
    "requirements.txt": "django==5.2.8\ncelery==5.5.3\nredis==6.4.0\npsycopg[binary]==3.2.12\ngunicorn==23.0.0\n",
    "manage.py": """\
import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")
execute_from_command_line(sys.argv)
""",
    "site_/__init__.py": 'from .celery import app as celery_app\n\n__all__ = ["celery_app"]\n',
    "site_/celery.py": """\
import os
import time
import uuid

from celery import Celery
from celery.signals import before_task_publish

SENDER = uuid.uuid4().hex


@before_task_publish.connect
def tell(headers, **_):
    headers.update(sender=SENDER, sent=time.time())


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")
app = Celery("site_")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
""",
    "site_/settings.py": """\
import os

SECRET_KEY = os.environ["SECRET_KEY"]
GREETING = os.environ["GREETING"]
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.contenttypes", "jobs"]
ROOT_URLCONF = "site_.urls"
WSGI_APPLICATION = "site_.wsgi.application"
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql",
    **{name: os.environ[f"DB_{name}"] for name in ("HOST", "PORT", "NAME", "USER", "PASSWORD")},
}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CELERY_BROKER_URL = os.environ["CELERY_BROKER_URL"]
CELERY_BEAT_SCHEDULE = {"tick": {"task": "jobs.tasks.note", "schedule": 2.0, "args": ["beat"]}}
USE_TZ = True
""",
    "site_/wsgi.py": """\
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")
application = get_wsgi_application()
""",
    "site_/urls.py": """\
from django.conf import settings
from django.http import JsonResponse
from django.urls import path

from jobs.models import Note
from jobs.tasks import compute, long, note


def send(request):
    note.delay("web")
    return JsonResponse({})


def send_long(request):
    long.delay(12)
    return JsonResponse({})


def send_compute(request):
    compute.delay(int(request.GET["seconds"]))
    return JsonResponse({})


def count(request):
    found = {who: Note.objects.filter(who=who).count() for who in ("web", "beat")}
    return JsonResponse(found | {"greeting": settings.GREETING})


def told(request):
    beats = list(Note.objects.filter(who="beat").order_by("sent").values_list("sender", flat=True))
    turns = [one for one, before in zip(beats, [None, *beats]) if one != before]
    long = {who: list(Note.objects.filter(who=who).values_list("pod", flat=True)) for who in ("began", "ended")}
    return JsonResponse(long | {"turns": turns})


urlpatterns = [
    *(path("send", send), path("long", send_long), path("compute", send_compute)),
    *(path("told", told), path("", count)),
]
""",
    "jobs/__init__.py": "",
    "jobs/models.py": """\
from django.db import models


class Note(models.Model):
    who = models.CharField(max_length=20)
    pod = models.CharField(max_length=80)
    sender = models.CharField(max_length=40)
    sent = models.FloatField()
""",
    "jobs/tasks.py": """\
import socket
import time

from celery import shared_task


def written(task, who):
    from jobs.models import Note

    Note.objects.create(who=who, pod=socket.gethostname(), sender=task.request.sender, sent=task.request.sent)


@shared_task(bind=True)
def note(self, who):
    written(self, who)


@shared_task(bind=True)
def long(self, seconds):
    written(self, "began")
    time.sleep(seconds)
    written(self, "ended")


@shared_task
def compute(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
""",
    "jobs/migrations/__init__.py": "",
    "jobs/migrations/0001_initial.py": """\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.CreateModel("Note", [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("who", models.CharField(max_length=20)),
        ("pod", models.CharField(max_length=80)),
        ("sender", models.CharField(max_length=40)),
        ("sent", models.FloatField()),
    ])]
""",
    "nuages.yaml": """\
name: site
image: registry.example.com/site
django: {settings: site_.settings}
web: {main: {replicas: 1}}
workers: {default: {celery: {app: site_}, replicas: 2, longestTask: 20s}}
beat: {celery: site_}
services: {postgres: {run: {storage: 1Gi, resources: {memory: 768Mi}}}, redis: {run: {}}}
databases: {default: postgres}
expose: {kind: loadBalancer}
env:
  DB_HOST: {service: postgres, key: host}
  DB_PORT: {service: postgres, key: port}
  DB_NAME: {service: postgres, key: name}
  DB_USER: {service: postgres, key: user}
  DB_PASSWORD: {service: postgres, key: password}
secrets: {SECRET_KEY: {generate: true}, GREETING: {}}
environments:
  local:
    namespace: NAMESPACE
    cluster: CONTEXT
""",
}


def site_in(folder: Path, cluster, namespace: str) -> Project:
    """The project in a folder of its own, to be deployed to a namespace of its own."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("NAMESPACE", namespace).replace("CONTEXT", cluster.context))
    return Project(folder, cluster.kubeconfig)
