"""Habits of real projects: each drafted so that it starts as it is, and nothing that it can do without is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import shop

from nuages.project.draft import draft
from nuages.project.facts import Facts
from nuages.project.inspect import inspect
from nuages.spec.load import parse
from nuages.spec.model import EnvironmentSpec

pytestmark = pytest.mark.unit

CELERY = """
import os
from celery import Celery
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
celery_app = Celery("shop")
celery_app.conf.beat_schedule = {"each-night": {"task": "x", "schedule": 1}}
"""


def drafted(facts: Facts) -> EnvironmentSpec:
    spec = parse(draft(facts).encode(), "nuages.yaml")
    assert spec.warnings == ()
    return spec.base


def required(facts: Facts) -> set[str]:
    return {variable.name for variable in facts.variables if variable.required}


@pytest.mark.parametrize(
    "read",
    [
        'ALLOWED_HOSTS = os.environ.get("HOSTS").split(" ")',
        'LIMIT = int(os.getenv("HOSTS"))',
        'named = os.environ.get("HOSTS")\nSHOWN = named.upper()',
    ],
)
def test_what_is_used_as_if_it_had_a_value_is_required(tmp_path: Path, read: str) -> None:
    facts = inspect(shop(tmp_path, read + "\n"))
    assert "HOSTS" in required(facts)


@pytest.mark.parametrize(
    "read",
    [
        'named = os.environ.get("HOSTS")\nif named:\n    ALLOWED_HOSTS = named.split(" ")',
        'ALLOWED_HOSTS = (os.environ.get("HOSTS") or "").split(" ")',
        'try:\n    LIMIT = int(os.getenv("HOSTS"))\nexcept TypeError:\n    LIMIT = 1',
        'ALLOWED_HOSTS = [os.environ.get("HOSTS")]',
    ],
)
def test_what_is_looked_at_before_it_is_used_is_not(tmp_path: Path, read: str) -> None:
    assert "HOSTS" not in required(inspect(shop(tmp_path, read + "\n")))


def test_of_two_settings_that_manage_py_chooses_between_the_one_that_serves_is_taken(tmp_path: Path) -> None:
    chosen = 'import os\nnamed = "shop.production" if "WEBSITE_HOSTNAME" in os.environ else "shop.settings"\n'
    entry = chosen + 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", named)\napplication = None\n'
    production = (
        "import os\nfrom .settings import *\nDATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql',\n"
        "    'HOST': os.environ['CLOUD_DB_HOST'], 'NAME': os.environ['CLOUD_DB_NAME']}}\n"
    )
    files = {"manage.py": entry, "shop/wsgi.py": entry, "shop/production.py": production}
    facts = inspect(shop(tmp_path, files=files))
    assert (facts.settings.value, str(facts.settings.place)) == ("shop.production", "manage.py:3")
    assert facts.database_variables == {"CLOUD_DB_HOST": "host", "CLOUD_DB_NAME": "name"}


def test_another_variant_of_the_settings_requires_nothing(tmp_path: Path) -> None:
    other = 'import os\nfrom .settings import *\nPLACE = os.environ["PLACE"]\n'
    assert "PLACE" not in required(inspect(shop(tmp_path, files={"shop/azure.py": other})))


@pytest.mark.parametrize(
    ("storage", "kept"),
    [
        ("class Uploads(Base):\n    pass\n", True),
        ('Uploads = of_url("UPLOADS_URL")\n', True),
        ("class Uploads(S3Boto3Storage):\n    pass\n", False),
    ],
)
def test_uploads_of_a_storage_class_of_the_project_s_own_are_kept_unless_it_is_a_service_s(
    tmp_path: Path, storage: str, kept: bool
) -> None:
    settings = 'MEDIA_ROOT = BASE_DIR / "media"\nSTORAGES = {"default": {"BACKEND": "shop.stores.Uploads"}}\n'
    spec = drafted(inspect(shop(tmp_path, settings, {"shop/stores.py": storage})))
    assert (spec.media is not None) == kept


def test_the_class_that_reaches_redis_is_no_address_of_it(tmp_path: Path) -> None:
    settings = """
CACHES = {"default": {"BACKEND": os.getenv("CACHE_BACKEND", "django.core.cache.backends.redis.RedisCache"),
                      "LOCATION": os.getenv("CACHE_LOCATION")}}
"""
    spec = drafted(inspect(shop(tmp_path, settings)))
    assert "CACHE_BACKEND" not in spec.env
    assert spec.env["CACHE_LOCATION"].service == "redis"


def test_a_site_s_own_address_is_that_of_its_host(tmp_path: Path) -> None:
    settings = 'SITE_URL = os.getenv("SITE_URL", "http://localhost:8000")\nHELP_URL = os.getenv("HELP_URL", "http://localhost")\n'
    env = drafted(inspect(shop(tmp_path, settings))).env
    assert env["SITE_URL"].value.startswith("http://") and env["SITE_URL"].value.endswith(".localhost")  # type: ignore[union-attr]
    assert "HELP_URL" not in env


def test_a_key_for_somebody_s_service_is_required_of_nobody(tmp_path: Path) -> None:
    used = (
        "from django.conf import settings\nfrom django.core.exceptions import ImproperlyConfigured\ndef call():\n"
        "    if not settings.MAPS_API_KEY:\n        raise ImproperlyConfigured('no key')\n"
        "    if not settings.VAULT_SEED:\n        raise ImproperlyConfigured('no seed')\n"
    )
    settings = 'MAPS_API_KEY = os.getenv("MAPS_API_KEY", "")\nVAULT_SEED = os.getenv("VAULT_SEED", "")\n'
    assert required(inspect(shop(tmp_path, settings, {"shop/maps.py": used}))) == {"SECRET_KEY", "VAULT_SEED"}


@pytest.mark.parametrize(("helper", "needed"), [("from faker import Faker\n", True), ("import json\n", False)])
def test_tests_that_serving_modules_import_bring_their_tools_only_where_they_load_them(
    tmp_path: Path, helper: str, needed: bool
) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django"]\n'
        '[dependency-groups]\ndev = ["faker"]\n',
        "uv.lock": 'version = 1\n[[package]]\nname = "django"\nversion = "5.2.1"\n[[package]]\nname = "faker"\n'
        'version = "26"\n[[package]]\nname = "shop"\nversion = "1"\nsource = { virtual = "." }\n'
        'dependencies = [{ name = "django" }]\n[package.dev-dependencies]\ndev = [{ name = "faker" }]\n',
        "shop/tags.py": "from shop.tests.base import address\n",
        "shop/tests/__init__.py": "",
        "shop/tests/base.py": "from .helper import made\n",
        "shop/tests/helper.py": helper,
    }
    assert bool(inspect(shop(tmp_path, files=files)).groups) == needed


def test_what_sass_writes_into_an_app_s_static_folder_is_a_front_end(tmp_path: Path) -> None:
    package = '{"scripts": {"build:css:sass": "sass shop/static/scss/main.scss shop/static/main.css"}}'
    settings = 'STATICFILES_DIRS = (("node", os.path.join(BASE_DIR, "node_modules")),)\n'
    front = inspect(shop(tmp_path, settings, {"package.json": package})).frontend
    assert front is not None
    assert (front.command, front.output) == (("npm", "run", "build:css:sass"), "shop/static")


def test_a_redirect_is_not_ended_by_developing_in_production(tmp_path: Path) -> None:
    settings = 'DEV = os.environ.get("DJANGO_DEV", "False") != "False"\nSECURE_SSL_REDIRECT = not DEV\n'
    assert "DJANGO_DEV" not in draft(inspect(shop(tmp_path, settings))).split("environments:")[1].split("#")[1]


@pytest.mark.parametrize(
    ("settings", "secret"),
    [
        ('DATABASES = {"default": env.db(default="postgis://localhost/shop")}\n', "DATABASE_URL"),
        (
            'DATABASES = {"default": {"ENGINE": "django.contrib.gis.db.backends.postgis",\n'
            '    "HOST": env("DB_HOST"), "NAME": "shop", "PASSWORD": env("DB_PASSWORD")}}\n',
            "DB_PASSWORD",
        ),
        ("", "DATABASE_URL"),
    ],
)
def test_geodjango_asks_for_a_server_with_postgis_and_runs_none(tmp_path: Path, settings: str, secret: str) -> None:
    reader = 'import environ\nenv = environ.Env()\nINSTALLED_APPS += ["django.contrib.gis"]\n'
    facts = inspect(shop(tmp_path, reader + settings))
    spec = drafted(facts)
    assert spec.services.postgres is None
    assert spec.databases.default is None
    assert not spec.secrets[secret].generate
    assert "# PostGIS is not run here" in draft(facts)


@pytest.mark.parametrize(
    ("package", "told"),
    [
        ('{"dependencies": {"esbuild": "1"}}', True),
        ('{"dependencies": {"esbuild": "1"}, "scripts": {"build": "esbuild a.js"}}', False),
        ('{"devDependencies": {"prettier": "1"}}', False),
    ],
)
def test_a_front_end_that_no_script_builds_is_told(tmp_path: Path, package: str, told: bool) -> None:
    facts = inspect(shop(tmp_path, files={"assets/package.json": package}))
    assert [problem.id for problem in facts.problems] == (["project.I215"] if told else [])


def test_an_engine_that_is_written_out_gets_the_backend_and_what_only_sqlite_needs_is_not_asked_for(
    tmp_path: Path,
) -> None:
    engine = """
if os.environ.get("SHOP_DATABASE_URI"):
    import dj_database_url
    DATABASES = {"default": dj_database_url.parse(os.environ["SHOP_DATABASE_URI"])}
else:
    DATABASES = {"default": {"ENGINE": os.environ["SQL_ENGINE"], "NAME": os.environ["SQL_DATABASE"]}}
"""
    spec = drafted(inspect(shop(tmp_path, engine)))
    assert {name: source.key for name, source in spec.env.items()} == {"SHOP_DATABASE_URI": "url"}


def test_an_engine_that_a_variable_names_is_a_backend_and_no_nickname(tmp_path: Path) -> None:
    engine = """
DATABASES = {"default": {"ENGINE": os.environ.get("SQL_ENGINE", "django.db.backends.sqlite3"),
                         "NAME": os.environ.get("SQL_DATABASE", "db.sqlite3"), "HOST": os.environ.get("SQL_HOST", "")}}
"""
    env = drafted(inspect(shop(tmp_path, engine))).env
    assert env["SQL_ENGINE"].value == "django.db.backends.postgresql"
    assert (env["SQL_HOST"].key, env["SQL_DATABASE"].key) == ("host", "name")


def test_a_password_that_a_function_reads_only_for_postgres_comes_from_the_service(tmp_path: Path) -> None:
    engine = """
def secret(name, default=None):
    if path := os.getenv(name + "_FILE"):
        return open(path).read()
    return os.getenv(name, default)
if os.getenv("DB") == "postgres":
    DATABASES["default"] = {"ENGINE": "django.db.backends.postgresql", "HOST": os.getenv("DB_HOST", ""),
                            "PASSWORD": secret("DB_PASSWORD", "")}
"""
    spec = drafted(inspect(shop(tmp_path, engine)))
    assert spec.env["DB"].value == "postgres"
    assert (spec.env["DB_HOST"].key, spec.env["DB_PASSWORD"].key) == ("host", "password")
    assert list(spec.secrets) == ["SECRET_KEY"]


def test_daemons_of_uwsgi_and_programs_of_supervisor_are_workers(tmp_path: Path) -> None:
    files = {
        "uwsgi.ini": "[uwsgi]\nattach-daemon = python manage.py sendalerts\n",
        "supervisord.conf": "[program:x]\ncommand=python manage.py poll --loop\n",
    }
    workers = inspect(shop(tmp_path, files=files)).workers
    assert {(worker.name, str(worker.place)) for worker in workers} == {
        ("sendalerts", "uwsgi.ini:2"),
        ("poll", "supervisord.conf:2"),
    }


def test_a_developer_s_command_does_not_bring_a_developer_s_tools(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django"]\n'
        '[dependency-groups]\ndev = ["faker"]\n',
        "uv.lock": 'version = 1\n[[package]]\nname = "django"\nversion = "5.2.1"\n[[package]]\nname = "faker"\n'
        'version = "26"\n[[package]]\nname = "shop"\nversion = "1"\nsource = { virtual = "." }\n'
        'dependencies = [{ name = "django" }]\n[package.dev-dependencies]\ndev = [{ name = "faker" }]\n',
        "shop/management/commands/dummies.py": "from faker import Faker\n",
    }
    assert inspect(shop(tmp_path, files=files)).groups == ()


@pytest.mark.parametrize(("listed", "redis"), [("celery==5.5\nredis==5\n", True), ("celery==5.5\n", False)])
def test_a_broker_that_a_variable_names_may_be_a_redis_where_its_client_is_there(
    tmp_path: Path, listed: str, redis: bool
) -> None:
    broker = 'CELERY_BROKER_URL = os.environ.get("BROKER_URL", "amqp://guest@localhost//")\n'
    files = {"shop/celery.py": CELERY, "requirements.txt": f"Django==5.2\n{listed}"}
    facts = inspect(shop(tmp_path, broker, files))
    spec = drafted(facts)
    assert (spec.services.redis is not None, "BROKER_URL" in spec.env) == (redis, redis)
    assert ("# Celery's broker is not run here" in draft(facts)) is not redis


def test_geodjango_gets_its_libraries_and_is_told_of_postgis(tmp_path: Path) -> None:
    facts = inspect(shop(tmp_path, 'INSTALLED_APPS += ["django.contrib.gis"]\n'))
    assert [package.value for package in facts.packages] == ["gdal-bin"]
    assert [finding.id for finding in facts.problems] == ["project.W214"]


def test_a_database_that_is_matched_by_name_is_followed(tmp_path: Path) -> None:
    settings = """
named = os.getenv("SHOP_DBENGINE")
if named is None:
    named = "postgresql" if "SHOP_DBHOST" in os.environ else "sqlite"
match named:
    case "postgresql" | "postgres":
        DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": os.getenv("SHOP_DBHOST"),
                                 "NAME": os.getenv("SHOP_DBNAME", "shop")}}
    case "mariadb":
        DATABASES = {"default": {"ENGINE": "django.db.backends.mysql", "HOST": os.getenv("SHOP_DBHOST")}}
    case _:
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
"""
    facts = inspect(shop(tmp_path, settings))
    assert facts.database is not None
    assert facts.database.value == "sqlite3"
    assert facts.database_variables == {"SHOP_DBHOST": "host", "SHOP_DBNAME": "name"}
