"""The ways in which projects write their settings, each as small as it can be; all mean what startproject means."""

from __future__ import annotations

from pathlib import Path

KEY = "django-insecure-0123456789abcdefghijklmnopqrstuvwxyz"
MANAGE = """
import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proj.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
"""
WSGI = """
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proj.settings")
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
"""
# Tells what the project sees, by both names that settings go by.
PROBE = """
import importlib
import json
import os

from django.conf import settings
from django.core.management.base import BaseCommand


def told():
    seen = {name: getattr(settings, name) for name in NAMES}
    module = importlib.import_module(settings.SETTINGS_MODULE)
    seen["module"] = {name: getattr(module, name, None) for name in NAMES}
    seen["SETTINGS_MODULE"] = settings.SETTINGS_MODULE
    return json.dumps(seen, default=str)


NAMES = ["DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DATABASES", "CACHES"]
NAMES += ["STATIC_ROOT", "STATIC_URL", "SECURE_PROXY_SSL_HEADER", "SESSION_COOKIE_SECURE"]


class Command(BaseCommand):
    requires_system_checks = []

    def handle(self, **options):
        self.stdout.write(told())
"""
APPS = """
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.staticfiles", "pages"]
MIDDLEWARE = []
ROOT_URLCONF = "proj.urls"
WSGI_APPLICATION = "proj.wsgi.application"
STATIC_URL = "static/"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
"""
PLAIN = f"""
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "{KEY}"
DEBUG = True
ALLOWED_HOSTS = []
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}}}
{APPS}"""
INSIDE = f'from django.conf import settings\n\nSECRET_KEY = "{KEY}"\nTHEIRS = settings.SECRET_KEY\n{PLAIN}'
ENVIRON = f"""
import environ

env = environ.Env(DEBUG=(bool, True))
SECRET_KEY = env("SECRET_KEY", default="{KEY}")
DEBUG = env("DEBUG")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
DATABASES = {{"default": env.db("DATABASE_URL", default="sqlite:////app/db.sqlite3")}}
{APPS}"""
DECOUPLE = f"""
from decouple import Csv, config

SECRET_KEY = config("SECRET_KEY", default="{KEY}")
DEBUG = config("DEBUG", default=True, cast=bool)
ALLOWED_HOSTS = config("ALLOWED_HOSTS", default="", cast=Csv())
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": config("DB_NAME", default="db.sqlite3")}}}}
{APPS}"""
PYDANTIC = f"""
from pydantic_settings import BaseSettings


class Environment(BaseSettings):
    secret_key: str = "{KEY}"
    debug: bool = True
    allowed_hosts: list[str] = []


environment = Environment()
SECRET_KEY = environment.secret_key
DEBUG = environment.debug
ALLOWED_HOSTS = environment.allowed_hosts
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}}}
{APPS}"""
CONFIGURATIONS = f"""
from configurations import Configuration, values


class Dev(Configuration):
    DEBUG = values.BooleanValue(True)
    SECRET_KEY = "{KEY}"
    ALLOWED_HOSTS = []
    DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}}}
    {APPS.strip().replace(chr(10), chr(10) + "    ")}


class Prod(Dev):
    pass
"""
SPLIT = """
from split_settings.tools import include, optional

include("parts/base.py", "parts/database.py", optional("parts/local.py"))
"""
DYNACONF = f"""{PLAIN}
import dynaconf

settings = dynaconf.DjangoDynaconf(__name__)
"""
CONFIGURATIONS_MAIN = 'os.environ.setdefault("DJANGO_CONFIGURATION", "Prod")\n'
_BASE, _DATABASE = PLAIN.split("DATABASES", 1)

# Name -> files, and where other than by manage.py as it is, how it is started.
STYLES: dict[str, dict[str, str]] = {
    "plain settings": {"proj/settings.py": PLAIN},
    "a settings package": {
        "proj/settings/__init__.py": "from .base import *  # noqa\n",
        "proj/settings/base.py": PLAIN.replace(".parent.parent", ".parent.parent.parent"),
    },
    "--settings": {"proj/settings.py": "raise RuntimeError('the wrong ones')\n", "proj/other.py": PLAIN},
    "an assignment in manage.py": {
        "manage.py": MANAGE.replace('.setdefault("DJANGO_SETTINGS_MODULE", ', '["DJANGO_SETTINGS_MODULE"] = (').replace(
            "proj.settings", "proj.mine"
        ),
        "proj/wsgi.py": WSGI.replace("proj.settings", "proj.mine"),
        "proj/mine.py": PLAIN,
    },
    "django.conf.settings inside settings": {"proj/settings.py": INSIDE},
    "django-environ": {"proj/settings.py": ENVIRON},
    "decouple": {"proj/settings.py": DECOUPLE},
    "pydantic-settings": {"proj/settings.py": PYDANTIC},
    "django-configurations": {
        "proj/settings.py": CONFIGURATIONS,
        "manage.py": MANAGE.replace("    from django.core.", f"    {CONFIGURATIONS_MAIN}    from configurations."),
        "proj/wsgi.py": WSGI.replace("from django.core.wsgi", f"{CONFIGURATIONS_MAIN}from configurations.wsgi"),
    },
    "django-split-settings": {
        "proj/settings.py": SPLIT,
        "proj/parts/base.py": _BASE + APPS,
        "proj/parts/database.py": "DATABASES" + _DATABASE.replace(APPS, ""),
    },
    "dynaconf": {"proj/settings.py": DYNACONF},
    "dynaconf, the settings imported first": {
        "proj/settings.py": DYNACONF,
        "manage.py": MANAGE.replace("    from django.core.", "    import proj.settings\n    from django.core."),
        "proj/wsgi.py": WSGI.replace("from django.core.", "import proj.settings\nfrom django.core."),
    },
}  # fmt: skip


def write(folder: Path, files: dict[str, str]) -> None:
    """A project of one of these styles."""
    whole = {
        "manage.py": MANAGE,
        "proj/__init__.py": "",
        "proj/wsgi.py": WSGI,
        "proj/urls.py": "urlpatterns = []\n",
        "pages/__init__.py": "",
        "pages/management/__init__.py": "",
        "pages/management/commands/__init__.py": "",
        "pages/management/commands/probe.py": PROBE,
        **files,
    }
    for name, text in whole.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
