"""Small projects for tests: written from a map of files, as startproject would lay them out."""

from __future__ import annotations

from pathlib import Path

MANAGE = """\
import os
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{settings}")
"""
SETTINGS = """\
import os
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = []
INSTALLED_APPS = ["django.contrib.staticfiles"]
MIDDLEWARE = []
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
"""
SERVED = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "{settings}")\napplication = None\n'


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files below a folder, each with its folders; answers the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def shop(folder: Path, extra: str = "", files: dict[str, str] | None = None, settings: str = "shop.settings") -> Path:
    """A project called shop: `extra` is added to its settings, `files` to its files, or in their place."""
    return write(
        folder,
        {
            "manage.py": MANAGE.format(settings=settings),
            "requirements.txt": "Django==5.2.1\n",
            "shop/__init__.py": "",
            "shop/settings.py": SETTINGS + extra,
            "shop/wsgi.py": SERVED.format(settings=settings),
            **(files or {}),
        },
    )
