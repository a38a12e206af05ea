"""What detection falls into, met in real projects: one small project for each of the 22 traps."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from small_projects import MANAGE, SERVED, SETTINGS, shop

from nuages.app.components import App, resolve
from nuages.checks.spec import not_built
from nuages.image import ignore
from nuages.project.draft import draft, python
from nuages.project.facts import Facts
from nuages.project.inspect import inspect
from nuages.release import secrets as made
from nuages.render.manifest import render
from nuages.render.release import Release
from nuages.spec.load import Spec, parse

pytestmark = pytest.mark.unit


def drafted(facts: Facts) -> Spec:
    spec = parse(draft(facts).encode(), "nuages.yaml")
    assert spec.warnings == ()
    return spec


def local(facts: Facts) -> App:
    return resolve(drafted(facts), "local")


def required(facts: Facts) -> set[str]:
    return {variable.name for variable in facts.variables if variable.required}


def test_1_a_variable_of_a_platform_gates_the_database_and_is_not_taken_for_set(tmp_path: Path) -> None:
    gated = """
import dj_database_url
if "DYNO" in os.environ and "CI" not in os.environ:
    DATABASES = {"default": dj_database_url.config(env="DATABASE_URL", ssl_require=True)}
    SECURE_SSL_REDIRECT = True
"""
    facts = inspect(shop(tmp_path, gated))
    assert facts.database is not None
    assert (facts.database.value, facts.database_variables, facts.ssl_redirect) == ("sqlite3", {}, None)
    assert [gate.value for gate in facts.gates] == ["DYNO"]
    assert "DATABASE_URL" not in required(facts)
    spec = drafted(facts).base
    assert spec.databases.default is not None
    assert "DYNO" not in spec.env
    assert "its own is for DYNO only" in draft(facts)


def test_2_a_dotenv_in_the_repository_that_turns_debug_on_is_neither_read_nor_shipped(tmp_path: Path) -> None:
    reads = 'DEBUG = os.environ.get("ENVIRONMENT") == "development"\n'
    root = shop(tmp_path, reads, {".env": 'ENVIRONMENT="development"\nSECRET_KEY=committed\n'})
    facts = inspect(root)
    assert facts.debug is not None
    assert (facts.debug.value, facts.debug.sure) == ("false", True)
    assert ".env" not in ignore.select(root).files
    assert all(".env" not in hint.place.file for hint in facts.hints)


def test_3_settings_without_a_key_and_without_hosts_get_them_from_the_overlay(tmp_path: Path) -> None:
    bare = SETTINGS.replace('SECRET_KEY = os.environ["SECRET_KEY"]\n', "").replace("ALLOWED_HOSTS = []\n", "")
    facts = inspect(shop(tmp_path, files={"shop/settings.py": bare}))
    assert facts.secret_key is not None
    assert facts.secret_key.value == "absent"
    app = local(facts)
    assert app.secrets["SECRET_KEY"].generate
    assert app.django.overlay.hosts


def test_4_manage_asgi_celery_and_wsgi_name_four_settings_and_all_processes_get_one(tmp_path: Path) -> None:
    files = {
        "manage.py": MANAGE.format(settings="shop.settings.local"),
        "shop/asgi.py": SERVED.format(settings="shop.settings.dev"),
        "shop/celery.py": SERVED.format(settings="shop.settings.test") + 'app = Celery("shop")\n',
        "shop/wsgi.py": SERVED.format(settings="shop.settings.production"),
        "requirements.txt": "Django==5.2.1\ncelery==5.5.0\nredis==5\n",
        **{f"shop/settings/{name}.py": "from .base import *\n" for name in ("local", "dev", "test", "production")},
        "shop/settings/__init__.py": "",
        "shop/settings/base.py": SETTINGS,
    }
    root = shop(tmp_path, files=files)
    (root / "shop" / "settings.py").unlink()
    facts = inspect(root)
    assert (facts.settings.value, str(facts.settings.place)) == ("shop.settings.production", "shop/wsgi.py:2")
    app = local(facts)
    release = Release(number=1, template=1, build=not_built(app.image), secrets="shop-secrets-0")
    told = [
        variable["value"]
        for item in render(app, release).objects
        for container in item.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
        for variable in container.get("env", [])
        if variable["name"] == "DJANGO_SETTINGS_MODULE"
    ]
    assert len(told) >= 3
    assert set(told) == {"shop.settings.production"}


def test_5_settings_that_nothing_names_are_searched_and_the_answer_is_not_called_sure(tmp_path: Path) -> None:
    silent = "import sys\nfrom django.core.management import execute_from_command_line\n"
    files = {
        "manage.py": silent,
        "shop/wsgi.py": "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
        "shop/settings/__init__.py": "",
        "shop/settings/base.py": SETTINGS,
        "shop/settings/development.py": "from .base import *\nDEBUG = True\n",
        "shop/settings/test.py": "from .base import *\nSECRET_KEY = 'test'\n",
        "shop/settings/production.example.py": "from .base import *\nSECRET_KEY = ''\n",
    }
    root = shop(tmp_path, files=files)
    (root / "shop" / "settings.py").unlink()
    facts = inspect(root)
    assert (facts.settings.value, facts.settings.sure) == ("shop.settings.base", False)
    assert facts.wsgi is not None
    assert facts.wsgi.value == "shop.wsgi:application"


def test_6_an_index_line_inside_requirements_is_an_index_and_no_package(tmp_path: Path) -> None:
    listed = "-i https://pypi.example.com/simple\n--extra-index-url https://more.example.com/simple\nDjango==5.2.1\n"
    declared = inspect(shop(tmp_path, files={"requirements.txt": listed})).dependencies
    assert declared is not None
    assert declared.packages == {"django": "5.2.1"}


def test_7_a_migrate_command_of_the_project_s_own_is_shipped_and_taken_for_no_worker(tmp_path: Path) -> None:
    own = "from django.core.management.commands import migrate\n\n\nclass Command(migrate.Command):\n    pass\n"
    root = shop(tmp_path, files={"shop/management/commands/migrate.py": own})
    facts = inspect(root)
    assert "shop/management/commands/migrate.py" in ignore.select(root).files
    assert facts.workers == ()
    assert local(facts).migrations.timeout == "30m"


def test_8_a_group_that_production_imports_from_is_installed(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django"]\n'
        '[dependency-groups]\ndev = ["pytest"]\n',
        "uv.lock": 'version = 1\n[[package]]\nname = "django"\nversion = "5.2.1"\n[[package]]\nname = "pytest"\n'
        'version = "8"\n[[package]]\nname = "shop"\nversion = "1"\nsource = { virtual = "." }\n'
        'dependencies = [{ name = "django" }]\n'
        '[package.dev-dependencies]\ndev = [{ name = "pytest" }]\n',
        "shop/management/commands/createsuperuser.py": "import os\nfrom ...tests.fixtures import staff\n",
        "shop/tests/fixtures.py": "import pytest\n",
    }
    facts = inspect(shop(tmp_path, files=files))
    assert [(group.value, str(group.place)) for group in facts.groups] == [
        ("dev", "shop/management/commands/createsuperuser.py:2")
    ]
    assert drafted(facts).base.build.dependencies.groups == ["dev"]
    assert "shop/tests/fixtures.py" in ignore.select(facts.root).files


HIDDEN = """
DEBUG = os.environ.get("DEBUG", "true").lower() in ("true", "1")
ALLOWED_CLIENT_HOSTS = os.environ.get("ALLOWED_CLIENT_HOSTS")
if not ALLOWED_CLIENT_HOSTS:
    if DEBUG:
        ALLOWED_CLIENT_HOSTS = "localhost"
    else:
        raise ImproperlyConfigured("ALLOWED_CLIENT_HOSTS must be set when DEBUG=False.")
RSA_PRIVATE_KEY = os.environ.get("RSA_PRIVATE_KEY", None)
"""
MANAGER = """
from django.conf import settings
def key():
    pem = settings.RSA_PRIVATE_KEY
    if not pem:
        if settings.DEBUG:
            return None
        raise ImproperlyConfigured("RSA_PRIVATE_KEY is required")
"""


def test_9_what_production_raises_for_is_required_though_it_has_a_default(tmp_path: Path) -> None:
    facts = inspect(shop(tmp_path, HIDDEN, {"shop/jwt.py": MANAGER}))
    assert required(facts) == {"SECRET_KEY", "ALLOWED_CLIENT_HOSTS", "RSA_PRIVATE_KEY"}
    found = facts.variable("RSA_PRIVATE_KEY")
    assert found is not None
    assert (str(found.place), found.sure) == ("shop/jwt.py:5", False)
    spec = drafted(facts).base
    assert spec.env["ALLOWED_CLIENT_HOSTS"].value is not None
    assert spec.env["DEBUG"].value == "false"
    assert not spec.secrets["RSA_PRIVATE_KEY"].generate


def test_10_an_asgi_package_without_wsgi_serves(tmp_path: Path) -> None:
    wrapped = "import os\nfrom .handler import get\napplication = get()\napplication = wrap(application)\n"
    root = shop(tmp_path, "del WSGI_APPLICATION\n", {"shop/asgi/__init__.py": wrapped})
    text = (root / "shop" / "settings.py").read_text().replace('WSGI_APPLICATION = "shop.wsgi.application"\n', "")
    (root / "shop" / "settings.py").write_text(text)
    (root / "shop" / "wsgi.py").unlink()
    facts = inspect(root)
    assert facts.wsgi is None
    assert facts.asgi is not None
    assert facts.asgi.value == "shop.asgi:application"
    assert local(facts).web["main"].interface == "asgi"


@pytest.mark.parametrize(
    "scripts",
    ['{"lint": "eslint ."}', '{"release": "release-it"}', '{"build": "eslint . && prettier --check ."}', "{}"],
)
def test_11_a_package_json_that_builds_nothing_served_is_no_front_end(tmp_path: Path, scripts: str) -> None:
    facts = inspect(shop(tmp_path, files={"package.json": f'{{"name": "shop", "scripts": {scripts}}}'}))
    assert facts.frontend is None


def test_11_a_package_json_that_builds_what_is_served_is_one(tmp_path: Path) -> None:
    files = {
        "package.json": '{"scripts": {\n"build": "npm run js",\n"js": "rollup -c"}}',
        "rollup.config.mjs": "export default { output: { file: 'shop/static/bundle.js' } };\n",
        "yarn.lock": "",
    }
    built = inspect(shop(tmp_path, files=files)).frontend
    assert built is not None
    assert (built.command, built.output, built.place.line) == (("yarn", "run", "build"), "shop/static", 2)


def test_12_a_driver_in_a_group_is_not_among_what_is_installed(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django"]\n'
        '[dependency-groups]\npostgres = ["psycopg"]\n',
        "uv.lock": 'version = 1\n[[package]]\nname = "django"\nversion = "5.2.1"\n[[package]]\nname = "psycopg"\n'
        'version = "3.2.9"\n[[package]]\nname = "shop"\nversion = "1"\nsource = { virtual = "." }\n'
        'dependencies = [{ name = "django" }]\n[package.dev-dependencies]\npostgres = [{ name = "psycopg" }]\n',
    }
    switch = """
ENGINE = os.getenv("SHOP_DB_ENGINE", "sqlite")
if ENGINE == "postgres":
    DATABASES["default"] = {"ENGINE": "django.db.backends.postgresql", "NAME": os.getenv("SHOP_DB_NAME", "shop"),
                            "HOST": os.getenv("SHOP_DB_HOST", "localhost"), "PASSWORD": os.getenv("SHOP_DB_PASSWORD")}
"""
    facts = inspect(shop(tmp_path, switch, files))
    assert facts.dependencies is not None
    assert "psycopg" not in facts.dependencies.packages
    env = drafted(facts).base.env
    assert env["SHOP_DB_ENGINE"].value == "postgres"
    assert {
        name: (env[name].service, env[name].key) for name in ("SHOP_DB_HOST", "SHOP_DB_NAME", "SHOP_DB_PASSWORD")
    } == {
        "SHOP_DB_HOST": ("postgres", "host"),
        "SHOP_DB_NAME": ("postgres", "name"),
        "SHOP_DB_PASSWORD": ("postgres", "password"),
    }


@pytest.mark.parametrize("listed", ["Django==5.2.1\n", "Django==5.2.1\nuWSGI==2.0.31\n"])
def test_13_without_a_server_or_with_uwsgi_alone_a_server_of_ours_serves(tmp_path: Path, listed: str) -> None:
    web = local(inspect(shop(tmp_path, files={"requirements.txt": listed}))).web["main"]
    assert (web.server, web.command) == ("gunicorn", None)


QUEUE = """
INSTALLED_APPS = [*INSTALLED_APPS, "huey.contrib.djhuey"]
HUEY = {"huey_class": "huey.SqliteHuey", "filename": os.path.join(BASE_DIR, "data", "tasks.sqlite3")}
FAVICON_FOLDER = os.path.join(BASE_DIR, "data", "favicons")
LOG_DIR = BASE_DIR / "logs"
LOG_DIR.mkdir(exist_ok=True)
"""


def test_14_a_queue_in_a_file_is_shared_by_web_and_worker_and_folders_can_be_written(tmp_path: Path) -> None:
    app = local(inspect(shop(tmp_path, QUEUE)))
    assert app.workers["huey"].command == ["python", "manage.py", "run_huey"]
    assert (app.web["main"].replicas, app.workers["huey"].replicas) == (1, 1)
    folders = {key: (volume.folder.path, volume.folder.temporary) for key, volume in app.volumes.items()}
    assert folders == {"data": ("data", False), "logs": ("logs", True)}


@pytest.mark.parametrize("caught", ["except:", "except Exception:", "except ImportError:"])
def test_15_a_package_that_falls_back_to_production_is_not_what_production_uses(tmp_path: Path, caught: str) -> None:
    files = {
        "shop/settings/__init__.py": f"try:\n    from .dev import *\n{caught}\n    from .prod import *\n",
        "shop/settings/base.py": SETTINGS,
        "shop/settings/dev.py": "from .base import *\nDEBUG = True\n",
        "shop/settings/prod.py": "from .base import *\n",
    }
    root = shop(tmp_path, files=files)
    (root / "shop" / "settings.py").unlink()
    facts = inspect(root)
    assert (facts.settings.value, facts.settings.sure) == ("shop.settings.prod", False)
    assert facts.debug is not None
    assert facts.debug.value == "false"


def test_16_a_redirect_to_https_is_off_where_there_is_no_tls(tmp_path: Path) -> None:
    redirects = 'SECURE_SSL_REDIRECT = os.environ.get("FORCE_HTTPS", "True").lower() == "true"\n'
    spec = drafted(inspect(shop(tmp_path, redirects)))
    assert spec.environment("local").env["FORCE_HTTPS"].value == "false"
    assert "FORCE_HTTPS" not in spec.base.env


def test_16_a_redirect_that_no_variable_ends_is_told(tmp_path: Path) -> None:
    text = draft(inspect(shop(tmp_path, "SECURE_SSL_REDIRECT = True\n")))
    assert "# shop/settings.py:12: sends all requests to https; here, without TLS, the overlay turns that off" in text


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_17_both_spellings_of_a_database_s_url_are_postgresql(tmp_path: Path, scheme: str) -> None:
    parsed = f"""
import dj_database_url
DATABASES = {{"default": dj_database_url.config(default="{scheme}://shop@localhost/shop")}}
"""
    facts = inspect(shop(tmp_path, parsed))
    assert facts.database is not None
    assert (facts.database.value, facts.database_variables) == ("postgresql", {"DATABASE_URL": "url"})


@pytest.mark.parametrize(
    ("location", "key"),
    [('REDIS_URL + "/0"', "address"), ('f"{REDIS_URL}/1"', "address"), ("REDIS_URL", None)],
)
def test_18_where_settings_add_the_number_of_a_database_they_get_an_address_without(
    tmp_path: Path, location: str, key: str | None
) -> None:
    cached = f"""
REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379")
CACHES = {{"default": {{"BACKEND": "django_redis.cache.RedisCache", "LOCATION": {location}}}}}
"""
    spec = drafted(inspect(shop(tmp_path, cached))).base
    assert spec.services.redis is not None
    assert (spec.env["REDIS_URL"].key if "REDIS_URL" in spec.env else None) == key


def test_19_a_password_that_is_made_says_the_same_in_a_url_encoded_or_not() -> None:
    made_ones = [made.generate().decode() for _ in range(50)]
    assert [quote(one, safe="") for one in made_ones] == made_ones
    assert len(set(made_ones)) == 50


def test_20_generated_production_secrets_stay_out_of_the_image_though_they_lie_there(tmp_path: Path) -> None:
    root = shop(
        tmp_path, files={".envs/.production/.django": "DJANGO_SECRET_KEY=of-this-copy\n", ".gitignore": ".envs/\n"}
    )
    selection = ignore.select(root)
    assert not [file for file in selection.files if ".envs" in file]
    assert "of-this-copy" not in draft(inspect(root))


def test_21_what_a_comment_says_of_django_is_not_its_version(tmp_path: Path) -> None:
    text = "# Generated by 'django-admin startproject' using Django 2.2.2.\n" + SETTINGS
    facts = inspect(shop(tmp_path, files={"shop/settings.py": text}))
    assert facts.django is not None
    assert (facts.django.value, str(facts.django.place)) == ("5.2.1", "requirements.txt:1")
    assert facts.problems == ()
    assert python(facts) == "3.13"


def test_22_variables_of_service_links_can_t_collide_for_there_are_none(tmp_path: Path) -> None:
    named = """
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": os.getenv("DATABASE_SERVICE_HOST", "db"),
                         "PORT": os.getenv("DATABASE_SERVICE_PORT", 5432), "NAME": os.getenv("DATABASE_NAME", "shop")}}
"""
    facts = inspect(shop(tmp_path, named))
    assert facts.database_variables == {
        "DATABASE_SERVICE_HOST": "host",
        "DATABASE_NAME": "name",
        "DATABASE_SERVICE_PORT": "port",
    }
    app = local(facts)
    release = Release(number=1, template=1, build=not_built(app.image), secrets="shop-secrets-0")
    pods = [
        item["spec"]["template"]["spec"] for item in render(app, release).objects if "template" in item.get("spec", {})
    ]
    assert pods
    assert {pod.get("enableServiceLinks") for pod in pods} == {False}
