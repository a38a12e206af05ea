"""What projects do in their settings that a deploy must not fall into."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from environments import Environment
from styles import APPS, PLAIN, write
from test_overlay_styles import GIVEN

pytestmark = pytest.mark.runtime

SQLITE = '{"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}'
GATED = f"""
import os

DEBUG = os.environ.get("ENVIRONMENT") == "development"
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", default=os.urandom(32).hex())
if "DYNO" in os.environ:
    ALLOWED_HOSTS = ["*"]
    DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql"}}}}
else:
    ALLOWED_HOSTS = [".localhost", "127.0.0.1"]
    DATABASES = {SQLITE}
{APPS}"""
DOTENV = f"""
import environ

environ.Env.read_env("/app/.env")
DEBUG = environ.Env().bool("DEBUG", False)
SECRET_KEY = environ.Env().str("SECRET_KEY")
DATABASES = {SQLITE}
{APPS}"""
FALLBACK = f"""
try:
    from proj.generated import SECRET_KEY
except:
    from proj.settings.dev import *
{APPS}"""


@pytest.fixture
def environment(environments) -> Environment:
    return environments("django6.1-python3.13")


def seen(environment: Environment, folder: Path, files: dict[str, str], **env: str) -> dict[str, object]:
    write(folder, files)
    ended = environment.run(["python", "manage.py", "probe"], folder, GIVEN | env)
    assert ended.code == 0, ended.err
    return json.loads(ended.out.splitlines()[-1])


def in_production_form(told: dict[str, object]) -> bool:
    hosts, databases = told["ALLOWED_HOSTS"], told["DATABASES"]
    engine = databases["default"]["ENGINE"]
    key = told["SECRET_KEY"] == GIVEN["SECRET_KEY"]
    return told["DEBUG"] is False and key and "blog.example.com" in hosts and engine.endswith("postgresql")


def test_a_database_behind_another_platforms_variable_is_seen_as_what_it_became(environment, tmp_path: Path) -> None:
    assert in_production_form(seen(environment, tmp_path, {"proj/settings.py": GATED}))


def test_a_dotenv_file_turns_no_debug_on(environment, tmp_path: Path) -> None:
    files = {"proj/settings.py": DOTENV, ".env": "DEBUG=true\nSECRET_KEY=from-the-repository\n"}
    assert in_production_form(seen(environment, tmp_path, files))


def test_debug_stays_on_where_who_deploys_says_so(environment, tmp_path: Path) -> None:
    told = seen(environment, tmp_path, {"proj/settings.py": DOTENV, ".env": ""}, DEBUG="true")
    assert told["DEBUG"] is True


def test_production_settings_without_a_key_and_hosts_are_completed(environment, tmp_path: Path) -> None:
    files = {
        "proj/settings/__init__.py": "",
        "proj/settings/base.py": f"DATABASES = {SQLITE}\n{APPS}",
        "proj/settings/production.py": "from .base import *\n\nDEBUG = False\n\ntry:\n    from .local import *\n"
        "except ImportError:\n    pass\n",
    }
    told = seen(environment, tmp_path, files, DJANGO_SETTINGS_MODULE="proj.settings.production")
    assert told["SETTINGS_MODULE"] == "proj.settings.production"
    assert in_production_form(told)


def test_a_bare_except_that_falls_back_to_development_ends_in_production_form(environment, tmp_path: Path) -> None:
    files = {
        "proj/settings/__init__.py": "",
        "proj/settings/dev.py": PLAIN,
        "proj/settings/prod.py": FALLBACK,
    }
    told = seen(environment, tmp_path, files, DJANGO_SETTINGS_MODULE="proj.settings.prod")
    assert in_production_form(told)
