import os
from pathlib import Path

from huey import SqliteHuey

BASE_DIR = Path(__file__).parents[2]
DATA = BASE_DIR / "data"
SECRET_KEY = "django-insecure-of-the-notes"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "huey.contrib.djhuey",
    "board",
]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
ROOT_URLCONF = "notes.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA / "notes.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
HUEY = SqliteHuey("notes", filename=os.path.join(DATA, "tasks.sqlite3"), immediate=False)  # noqa: PTH118
