from __future__ import annotations

import json
from pathlib import Path

import pytest
from environments import Ended, Environment
from styles import APPS, KEY, PLAIN, STYLES, write
from test_overlay_styles import GIVEN

pytestmark = pytest.mark.runtime

MANIFEST_STORAGE = """
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
"""


def ask(environment: Environment, folder: Path, *options: str, **env: str) -> Ended:
    given = {"DJANGO_SETTINGS_MODULE": "proj.settings", **GIVEN, **env}
    return environment.run(["python", "-m", "nuages_runtime.facts", *options], folder, given)


def test_an_image_tells_its_versions_engines_and_what_the_overlay_does(
    environment: Environment, tmp_path: Path
) -> None:
    write(tmp_path, STYLES["plain settings"])
    (tmp_path / "collected").mkdir()
    (tmp_path / "pages" / "static").mkdir()
    (tmp_path / "pages" / "static" / "site.css").write_text("body {}\n")
    ended = ask(environment, tmp_path, "--static", "/app/collected")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert told["django"].startswith(".".join(map(str, environment.django)))
    assert told["python"] == environment.name.rpartition("python")[2]
    assert told["engines"] == {"default": "postgresql"}
    assert (told["wsgi"], told["asgi"], told["staticfiles"]) == ("proj.wsgi:application", "", True)
    assert (told["static_root"], told["static_url"], told["static_skipped"]) == ("/app/staticfiles", "/static/", "")
    assert (tmp_path / "collected" / "site.css").is_file()
    actions = {change["setting"]: change["action"] for change in told["overlay"]}
    assert actions == {
        "ALLOWED_HOSTS": "added",
        "CACHES": "added",
        "CSRF_COOKIE_SECURE": "added",
        "CSRF_TRUSTED_ORIGINS": "added",
        "DATABASES": "replaced",
        "DEBUG": "replaced",
        "SECRET_KEY": "replaced",
        "SECURE_PROXY_SSL_HEADER": "added",
        "SESSION_COOKIE_SECURE": "added",
        "STATIC_ROOT": "added",
    }
    assert GIVEN["SECRET_KEY"] not in ended.out
    assert "p@ss" not in ended.out


def test_what_dynaconf_and_the_settings_both_load_is_told_once_and_as_it_was(environments, tmp_path: Path) -> None:
    write(tmp_path, STYLES["dynaconf"])
    ended = ask(environments("django6.1-python3.13"), tmp_path)
    changes = {change["setting"]: change["action"] for change in json.loads(ended.out)["overlay"]}
    assert (changes["SECRET_KEY"], changes["DATABASES"], changes["DEBUG"]) == ("replaced", "replaced", "replaced")


def test_a_reference_to_a_file_that_nobody_has_fails_no_manifest(environment: Environment, tmp_path: Path) -> None:
    storage = MANIFEST_STORAGE
    if environment.django < (5, 0):  # the old name, beside which STORAGES is refused
        storage = 'STATICFILES_STORAGE = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"\n'
    write(tmp_path, {"proj/settings.py": PLAIN + storage})
    static = tmp_path / "pages" / "static"
    static.mkdir()
    (static / "site.css").write_text("a { background: url('gone.png') } b { background: url('here.png') }\n")
    (static / "here.png").write_bytes(b"png")
    (tmp_path / "collected").mkdir()
    ended = ask(environment, tmp_path, "--static", "/app/collected")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["static_missing"] == ["gone.png"]
    manifest = json.loads((tmp_path / "collected" / "staticfiles.json").read_text())["paths"]
    css = (tmp_path / "collected" / manifest["site.css"]).read_text()
    assert "gone.png" in css
    assert manifest["here.png"] in css


def test_files_that_only_the_projects_own_static_root_has_are_kept(environments, tmp_path: Path) -> None:
    root = 'STATIC_ROOT = BASE_DIR / "static"\n'
    write(tmp_path, {"proj/settings.py": PLAIN + root + MANIFEST_STORAGE})
    (tmp_path / "pages" / "static").mkdir()
    (tmp_path / "pages" / "static" / "site.css").write_text("new\n")
    for name in ("site.css", "built.css", "built.abc.css"):
        (tmp_path / "static").mkdir(exist_ok=True)
        (tmp_path / "static" / name).write_text("old\n")
    known = {"paths": {"built.css": "built.abc.css", "site.css": "site.old.css"}, "version": "1.1"}
    (tmp_path / "static" / "staticfiles.json").write_text(json.dumps(known))
    (tmp_path / "collected").mkdir()
    ended = ask(environments("django5.2-python3.13"), tmp_path, "--static", "/app/collected")
    assert ended.code == 0, ended.err
    collected = tmp_path / "collected"
    assert (collected / "site.css").read_text() == "new\n"
    assert (collected / "built.abc.css").is_file()
    paths = json.loads((collected / "staticfiles.json").read_text())["paths"]
    assert paths["built.css"] == "built.abc.css"
    assert paths["site.css"] != "site.old.css"


READY = """
from django.apps import AppConfig
from django.templatetags.static import static


class Pages(AppConfig):
    name = "pages"

    def ready(self):
        static("site.css")
"""
CONNECTS = {
    "a socket": "import socket\nsocket.create_connection(('db.invalid', 5432), timeout=5)\n",
    "urllib": "from urllib.request import urlopen\nurlopen('http://169.254.169.254/latest/', timeout=5)\n",
    "redis": "import redis\nredis.Redis().ping()\n",
    "psycopg": "import psycopg\npsycopg.connect('host=127.0.0.1 port=1 connect_timeout=2')\n",
    "the ORM": "def ready(self):\n    from django.contrib.auth.models import User\n    User.objects.count()\n",
}


@pytest.mark.parametrize("how", CONNECTS)
def test_a_project_that_connects_while_it_loads_ends_in_one_clear_line(environments, tmp_path: Path, how: str) -> None:
    write(tmp_path, STYLES["plain settings"])
    place = "proj/settings.py:"
    if how == "the ORM":
        body = CONNECTS[how].replace("\n", "\n    ")
        (tmp_path / "pages" / "apps.py").write_text(
            f"from django.apps import AppConfig\n\n\nclass Pages(AppConfig):\n    name = 'pages'\n    {body}"
        )
        place = "pages/apps.py:"
    else:
        (tmp_path / "proj" / "settings.py").write_text(CONNECTS[how] + PLAIN)
    env = {"DATABASE_URL": "postgres://build:build@127.0.0.1:1/build?connect_timeout=2"}
    ended = ask(environments("django5.2-python3.13"), tmp_path, **env)
    assert ended.code == 3, ended.err
    last = ended.err.strip().splitlines()[-1]
    assert last.startswith(f"nuages: {place}")
    assert "asks a server while it is loaded" in last


def test_a_project_that_opens_a_file_in_a_folder_that_is_not_there_says_where_it_belongs(
    environments, tmp_path: Path
) -> None:
    opens = "import sqlite3\nsqlite3.connect('data/tasks.sqlite3').execute('SELECT 1')\n"
    write(tmp_path, {"proj/settings.py": opens + PLAIN})
    ended = ask(environments("django5.2-python3.13"), tmp_path)
    assert ended.code == 3
    assert ended.err.strip().splitlines()[-1] == (
        "nuages: proj/settings.py:2: the project opens a SQLite file while it is loaded; its folder belongs in volumes"
    )


def test_a_storage_that_was_made_while_the_project_loaded_collects_too(environments, tmp_path: Path) -> None:
    manifest = {"paths": {"site.css": "site.css", "/site.css": "site.css"}, "version": "1.1"}
    write(
        tmp_path,
        {
            "proj/settings.py": PLAIN + MANIFEST_STORAGE + "DEBUG = False\nSTATIC_ROOT = 'elsewhere'\n",
            "pages/apps.py": READY,
            "pages/static/site.css": "body {}\n",
            "elsewhere/staticfiles.json": json.dumps(manifest),
        },
    )
    (tmp_path / "collected").mkdir()
    ended = ask(environments("django6.1-python3.13"), tmp_path, "--static", "/app/collected")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["static_skipped"] == ""
    assert list((tmp_path / "collected").glob("site.*.css"))


def test_a_project_without_a_settings_module_is_refused(environments, tmp_path: Path) -> None:
    manage = "from django.conf import settings\nsettings.configure(DEBUG=True)\n"
    write(tmp_path, {"manage.py": manage, "proj/settings.py": f"SECRET_KEY = '{KEY}'\n{APPS}"})
    ended = ask(environments("django5.2-python3.13"), tmp_path)
    assert ended.code == 3
    assert ended.err.strip() == (
        "nuages: manage.py:2: the project calls settings.configure(); give it a settings module"
    )


def test_settings_that_fail_fail_with_their_own_traceback(environments, tmp_path: Path) -> None:
    write(tmp_path, {"proj/settings.py": "import nowhere\n"})
    ended = ask(environments("django5.2-python3.13"), tmp_path)
    assert ended.code == 1
    assert ended.err.strip().splitlines()[-1] == "ModuleNotFoundError: No module named 'nowhere'"
