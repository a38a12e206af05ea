"""Ways to write settings, and what projects bring along: each read as its author meant it."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import MANAGE, SERVED, SETTINGS, shop

from nuages.project.draft import draft
from nuages.project.facts import Facts
from nuages.project.inspect import inspect
from nuages.spec.load import parse
from nuages.spec.model import EnvironmentSpec

pytestmark = pytest.mark.unit


def drafted(facts: Facts) -> EnvironmentSpec:
    spec = parse(draft(facts).encode(), "nuages.yaml")
    assert spec.warnings == ()
    return spec.base


def required(facts: Facts) -> set[str]:
    return {variable.name for variable in facts.variables if variable.required}


def packaged(folder: Path, files: dict[str, str]) -> Path:
    """A project whose settings are a package."""
    root = shop(folder, files={"shop/settings/__init__.py": "", "shop/settings/base.py": SETTINGS, **files})
    (root / "shop" / "settings.py").unlink()
    return root


# What turns DEBUG off, by the way in which it is read.
@pytest.mark.parametrize(
    ("read", "off"),
    [
        ('DEBUG = int(os.environ.get("DEBUG", default=1))', "0"),
        ('DEBUG = bool(os.environ.get("DEBUG", "yes"))', ""),
        ('DEBUG = os.getenv("DEBUG", "True") == "True"', "false"),
        ('from decouple import config\nDEBUG = config("DEBUG", default=True, cast=bool)', "false"),
        ('import environ\nenv = environ.Env(DEBUG=(bool, True))\nDEBUG = env("DEBUG")', "false"),
        ('from environs import env\nDEBUG = env.bool("DEBUG", True)', "false"),
        ('DEBUG = os.environ.get("DEBUG", "development") != "production"', "production"),
        (
            'def flag(name, default):\n    return os.environ.get(name, str(default)).lower() in ("1", "true")\n'
            'DEBUG = flag("DEBUG", True)',
            "false",
        ),
    ],
)
def test_debug_is_turned_off_by_the_value_that_does(tmp_path: Path, read: str, off: str) -> None:
    spec = drafted(inspect(shop(tmp_path, read + "\n")))
    assert spec.env["DEBUG"].value == off


def test_wrappers_of_a_module_of_the_project_s_own_are_followed(tmp_path: Path) -> None:
    helper = """
import os
from django.core.exceptions import ImproperlyConfigured
def get_env(name, default=None):
    try:
        return os.environ[name]
    except KeyError:
        if default is None:
            raise ImproperlyConfigured(f"Set the {name} environment variable")
        return default
"""
    reads = 'from shop.helper import get_env\nSITE = get_env("SITE_NAME")\nCOLOUR = get_env("COLOUR", "red")\n'
    facts = inspect(shop(tmp_path, reads, {"shop/helper.py": helper}))
    assert {"SITE_NAME", "SECRET_KEY"} == required(facts)
    site = facts.variable("SITE_NAME")
    assert site is not None
    assert str(site.place) == "shop/settings.py:13"
    assert facts.variable("COLOUR") is not None


def test_fields_of_pydantic_settings_are_variables(tmp_path: Path) -> None:
    config = """
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
class Config(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="shop_")
    secret_key: str
    debug: bool = False
    redis: str = Field("redis://localhost:6379/0", validation_alias="CACHE_REDIS")
config = Config()
DEBUG = config.debug
SECRET_KEY = config.secret_key
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": config.redis}}
"""
    text = SETTINGS.replace('SECRET_KEY = os.environ["SECRET_KEY"]\n', "") + config
    facts = inspect(shop(tmp_path, files={"shop/settings.py": text}))
    assert required(facts) == {"SHOP_SECRET_KEY"}
    assert facts.redis_variables == {"CACHE_REDIS": "url"}
    spec = drafted(facts)
    assert spec.secrets["SHOP_SECRET_KEY"].generate
    assert (spec.env["CACHE_REDIS"].service, spec.env["CACHE_REDIS"].key) == ("redis", "url")


def test_files_that_split_settings_includes_are_settings(tmp_path: Path) -> None:
    included = 'from split_settings.tools import include, optional\ninclude("parts/*.py", optional("local.py"))\n'
    files = {
        "shop/settings/__init__.py": included,
        "shop/settings/parts/common.py": SETTINGS,
        "shop/settings/parts/mail.py": 'EMAIL_HOST_PASSWORD = os.environ["MAIL_PASSWORD"]\n',
    }
    facts = inspect(packaged(tmp_path, files))
    assert facts.settings.value == "shop.settings"
    assert facts.database is not None
    assert {"SECRET_KEY", "MAIL_PASSWORD"} == required(facts)


def test_of_django_configurations_classes_the_one_for_production_is_chosen(tmp_path: Path) -> None:
    classes = """
import os
from configurations import Configuration
class Common(Configuration):
    INSTALLED_APPS = ["django.contrib.admin"]
    WSGI_APPLICATION = "shop.wsgi.application"
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}
class Dev(Common):
    DEBUG = True
class Production(Common):
    DEBUG = False
    SECRET_KEY = os.environ["SECRET_KEY"]
"""
    facts = inspect(shop(tmp_path, files={"shop/settings.py": classes}))
    assert facts.configuration is not None
    assert facts.configuration.value == "Production"
    assert facts.admin
    assert drafted(facts).env["DJANGO_CONFIGURATION"].value == "Production"


def test_values_of_django_configurations_are_variables(tmp_path: Path) -> None:
    classes = """
from configurations import Configuration, values
class Production(Configuration):
    INSTALLED_APPS = ["django.contrib.admin"]
    DEBUG = values.BooleanValue(True)
    SECRET_KEY = values.SecretValue()
    DATABASES = values.DatabaseURLValue("sqlite:///db.sqlite3")
    EMAIL_HOST = values.Value("localhost", environ_prefix=None)
"""
    facts = inspect(shop(tmp_path, files={"shop/settings.py": classes}))
    assert required(facts) == {"DJANGO_SECRET_KEY"}
    assert facts.database_variables == {"DATABASE_URL": "url"}
    assert facts.environment == {"DJANGO_CONFIGURATION": "Production", "DJANGO_DEBUG": "false"}
    assert facts.variable("EMAIL_HOST") is not None
    spec = drafted(facts)
    assert list(spec.secrets) == ["DJANGO_SECRET_KEY", "DJANGO_SUPERUSER_PASSWORD"]
    assert spec.databases.default is not None


def test_the_file_that_split_settings_includes_for_production_is_chosen(tmp_path: Path) -> None:
    included = """
from os import environ
from split_settings.tools import include
ENV = environ.get("DJANGO_ENV") or "development"
include("parts/common.py", f"stages/{ENV}.py")
"""
    files = {
        "shop/settings/__init__.py": included,
        "shop/settings/parts/common.py": SETTINGS,
        "shop/settings/stages/development.py": "DEBUG = True\n",
        "shop/settings/stages/production.py": "DEBUG = False\n",
    }
    assert inspect(packaged(tmp_path, files)).environment == {"DJANGO_ENV": "production"}


def test_parts_of_a_database_in_pydantic_settings_come_from_the_service(tmp_path: Path) -> None:
    config = """
from pydantic_settings import BaseSettings
class Config(BaseSettings):
    secret_key: str
    database_host: str = "localhost"
    database_name: str = "shop"
    database_password: str
config = Config()
SECRET_KEY = config.secret_key
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": config.database_host,
                         "NAME": config.database_name, "PASSWORD": config.database_password}}
"""
    text = SETTINGS.replace('SECRET_KEY = os.environ["SECRET_KEY"]\n', "") + config
    spec = drafted(inspect(shop(tmp_path, files={"shop/settings.py": text})))
    assert list(spec.secrets) == ["SECRET_KEY"]
    assert {name: source.key for name, source in spec.env.items()} == {
        "DATABASE_HOST": "host",
        "DATABASE_NAME": "name",
        "DATABASE_PASSWORD": "password",
    }


def test_a_file_with_the_key_is_a_path_and_no_secret(tmp_path: Path) -> None:
    reads = 'SECRET_KEY = open(os.environ["SECRET_KEY_FILE"]).read() if os.getenv("SECRET_KEY_FILE") else "fixed"\n'
    spec = drafted(inspect(shop(tmp_path, reads)))
    assert "SECRET_KEY_FILE" not in spec.secrets
    assert "SECRET_KEY" in spec.secrets


def test_a_package_that_chooses_by_a_variable_stays_the_module_and_gets_the_variable(tmp_path: Path) -> None:
    chooses = """
import os
from .base import *
STAGE = os.environ.get("STAGE", "development")
if STAGE == "production":
    from .production import *
else:
    from .development import *
"""
    files = {
        "shop/settings/__init__.py": chooses,
        "shop/settings/development.py": "DEBUG = True\n",
        "shop/settings/production.py": 'import os\nDEBUG = False\nSENTRY_DSN = os.environ["SENTRY_DSN"]\n',
    }
    facts = inspect(packaged(tmp_path, files))
    assert facts.settings.value == "shop.settings"
    assert facts.environment == {"STAGE": "production"}
    assert "SENTRY_DSN" in required(facts)


@pytest.mark.parametrize(
    ("named", "others", "chosen"),
    [
        ("shop.settings.dev", ("dev", "staging", "production"), "shop.settings.production"),
        ("shop.settings.local", ("local", "prod", "test"), "shop.settings.prod"),
        ("shop.settings.development", ("development", "test"), "shop.settings.base"),
        ("shop.settings.base", ("dev",), "shop.settings.base"),
        ("shop.settings.production", ("production", "dev"), "shop.settings.production"),
    ],
)
def test_the_module_for_production_by_its_name(
    tmp_path: Path, named: str, others: tuple[str, ...], chosen: str
) -> None:
    files = {f"shop/settings/{name}.py": "from .base import *\n" for name in others}
    served = {"manage.py": MANAGE.format(settings=named), "shop/wsgi.py": SERVED.format(settings=named)}
    assert inspect(packaged(tmp_path, files | served)).settings.value == chosen


def test_what_a_platform_s_file_names_counts_before_what_manage_py_names(tmp_path: Path) -> None:
    files = {
        "shop/settings/local.py": "from .base import *\nDEBUG = True\n",
        "shop/settings/cloud.py": "from .base import *\n",
        "manage.py": MANAGE.format(settings="shop.settings.local"),
        "shop/wsgi.py": SERVED.format(settings="shop.settings.local"),
        "Dockerfile": "FROM python:3.12-slim\nENV DJANGO_SETTINGS_MODULE=shop.settings.cloud\n",
    }
    facts = inspect(packaged(tmp_path, files))
    assert (facts.settings.value, str(facts.settings.place)) == ("shop.settings.cloud", "Dockerfile:2")


CELERY = """
import os
from celery import Celery
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
celery_app = Celery("shop")
celery_app.conf.beat_schedule = {"each-night": {"task": "x", "schedule": 1}}
"""


def test_a_celery_app_of_another_name_its_queues_its_limit_and_its_beat(tmp_path: Path) -> None:
    routed = """
CELERY_BROKER_URL = os.environ["BROKER"]
CELERY_TASK_ROUTES = {"mail.*": {"queue": "mail"}, "*.report": {"queue": "slow"}}
CELERY_TASK_TIME_LIMIT = 45 * 60
"""
    files = {"shop/celery.py": CELERY, "requirements.txt": "Django==5.2\ncelery==5.5\nredis==5\n"}
    facts = inspect(shop(tmp_path, routed, files))
    spec = drafted(facts)
    worker = spec.workers["default"]
    assert worker.celery is not None
    assert (worker.celery.app, worker.celery.queues, worker.longest_task) == (
        "shop.celery:celery_app",
        ["celery", "mail", "slow"],
        "45m",
    )
    assert spec.beat is not None
    assert (spec.env["BROKER"].service, spec.env["BROKER"].key) == ("redis", "url")


def test_tasks_that_run_at_once_need_no_worker(tmp_path: Path) -> None:
    files = {"shop/celery.py": CELERY, "requirements.txt": "Django==5.2\ncelery==5.5\n"}
    facts = inspect(shop(tmp_path, "CELERY_TASK_ALWAYS_EAGER = True\n", files))
    assert (facts.celery, facts.redis) == (None, None)


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        (
            'INSTALLED_APPS += ["django_rq"]\nRQ_QUEUES = {"default": {"URL": "redis://r"}, "slow": {}}',
            "rqworker default slow",
        ),
        ('INSTALLED_APPS += ["django_q"]\nQ_CLUSTER = {"orm": "default"}', "qcluster"),
        ('TASKS = {"default": {"BACKEND": "django_tasks.backends.database.DatabaseBackend"}}', "db_worker"),
        ('INSTALLED_APPS += ["django_dramatiq"]', "rundramatiq"),
    ],
)
def test_queues_that_a_management_command_serves(tmp_path: Path, settings: str, command: str) -> None:
    [worker] = inspect(shop(tmp_path, settings + "\n")).workers
    assert worker.command == ("python", "manage.py", *command.split())


def test_a_process_of_the_procfile_that_is_a_management_command_is_a_worker(tmp_path: Path) -> None:
    procfile = (
        "web: gunicorn shop.wsgi\nrelease: python manage.py migrate\nmailer: python manage.py send_queued --loop\n"
    )
    facts = inspect(shop(tmp_path, files={"Procfile": procfile}))
    assert [(worker.name, worker.command[2:], str(worker.place)) for worker in facts.workers] == [
        ("mailer", ("send_queued", "--loop"), "Procfile:3")
    ]


def test_channels_and_its_layer_make_it_asgi_with_a_redis(tmp_path: Path) -> None:
    layered = """
INSTALLED_APPS += ["channels"]
ASGI_APPLICATION = "shop.asgi.application"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer",
                              "CONFIG": {"hosts": [os.environ.get("REDIS_URL", "redis://localhost:6379")]}}}
"""
    facts = inspect(shop(tmp_path, layered, {"shop/asgi.py": SERVED.format(settings="shop.settings")}))
    assert facts.interface is not None
    assert facts.interface.value == "asgi"
    spec = drafted(facts)
    assert (spec.web["main"].interface, spec.services.redis is not None) == ("asgi", True)


def test_debian_s_packages_follow_from_the_dependencies(tmp_path: Path) -> None:
    listed = "Django==5.2\npsycopg2==2.9.10\npython-magic==0.4.27\nPillow==11\nlxml==5\n"
    build = drafted(inspect(shop(tmp_path, files={"requirements.txt": listed}))).build
    assert build.packages == ["libpq5", "libmagic1"]
    assert build.build_packages == ["gcc", "libc6-dev", "libpq-dev"]


def test_translations_that_are_not_compiled_are_compiled_with_gettext(tmp_path: Path) -> None:
    build = drafted(inspect(shop(tmp_path, files={"locale/de/LC_MESSAGES/django.po": ""}))).build
    assert build.commands == [["python", "manage.py", "compilemessages"]]
    assert "gettext" in build.build_packages


def test_uploads_in_a_bucket_take_no_volume(tmp_path: Path) -> None:
    stored = 'MEDIA_ROOT = BASE_DIR / "media"\nSTORAGES = {"default": {"BACKEND": "storages.backends.s3.S3Storage"}}\n'
    facts = inspect(shop(tmp_path, stored))
    assert drafted(facts).media is None
    assert "# uploads go to S3Storage" in draft(facts)


def test_a_url_of_the_database_under_a_name_of_the_project_s_own(tmp_path: Path) -> None:
    named = 'import environ\nenv = environ.Env()\nDATABASES = {"default": env.db("SHOP_DATABASE_URL")}\n'
    env = drafted(inspect(shop(tmp_path, named))).env
    assert (env["SHOP_DATABASE_URL"].service, env["SHOP_DATABASE_URL"].key) == ("postgres", "url")


def test_variables_that_modules_beside_the_settings_read_are_known(tmp_path: Path) -> None:
    facts = inspect(shop(tmp_path, files={"shop/pay.py": 'import os\nKEY = os.environ["STRIPE_API_KEY"]\n'}))
    assert "STRIPE_API_KEY" in required(facts)
    assert not drafted(facts).secrets["STRIPE_API_KEY"].generate


def test_a_project_in_a_folder_below_is_named_by_the_repository(tmp_path: Path) -> None:
    repository = tmp_path / "My Shop"
    shop(repository / "backend")
    text = draft(inspect(repository), folder=repository)
    assert "name: my-shop\n" in text
    assert "django: {root: backend, settings: shop.settings" in text


def test_a_default_may_be_a_password_and_is_never_told(tmp_path: Path) -> None:
    facts = inspect(shop(tmp_path, 'ADMIN_PASSWORD = os.environ.get("ADMIN_PASSWORD", "tr0ub4dor")\n'))
    assert "tr0ub4dor" not in draft(facts)
