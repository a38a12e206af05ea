from __future__ import annotations

import json
from pathlib import Path

import pytest
from environments import Environment
from styles import KEY, STYLES, write

pytestmark = pytest.mark.runtime

GIVEN = {
    "NUAGES_OVERLAY": "hosts,proxy,secret-key,debug,databases,caches,static,logging,celery",
    "NUAGES_COMPONENT": "web",
    "NUAGES_INTERFACE": "wsgi",
    "NUAGES_HOSTS": "blog.example.com,blog-web-main",
    "NUAGES_ORIGINS": "https://blog.example.com",
    "NUAGES_PROXY": "https",
    "NUAGES_POOL": "4",
    "SECRET_KEY": "made-in-the-cluster-7c1e0f8a5b3d49268f",
    "DATABASE_URL": "postgres://blog:p%40ss@blog-postgres:5432/blog?sslmode=require",
    "REDIS_URL": "redis://:pw@blog-redis:6379/0",
}
ENTRANCES = {
    "manage.py": ["python", "manage.py", "probe"],
    "wsgi.py": ["python", "-c", "import proj.wsgi; from pages.management.commands.probe import told; print(told())"],
}


def seen(environment: Environment, folder: Path, style: str, entrance: str, env: dict[str, str]) -> dict[str, object]:
    program = list(ENTRANCES[entrance])
    if style == "--settings":
        env = env | ({"DJANGO_SETTINGS_MODULE": "proj.other"} if entrance == "wsgi.py" else {})
        program += ["--settings", "proj.other"] if entrance == "manage.py" else []
    ended = environment.run(program, folder, env)
    assert ended.code == 0, ended.err
    return json.loads(ended.out.splitlines()[-1])


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_settings_runs_in_production_form(
    environment: Environment, tmp_path: Path, style: str, entrance: str
) -> None:
    write(tmp_path, STYLES[style])
    told = seen(environment, tmp_path, style, entrance, GIVEN)
    settings = {
        "--settings": "proj.other",
        "an assignment in manage.py": "proj.mine",
    }.get(style, "proj.settings")
    assert told["SETTINGS_MODULE"] == settings
    assert told["DEBUG"] is False
    assert told["SECRET_KEY"] == GIVEN["SECRET_KEY"]
    assert {"blog.example.com", "blog-web-main"} <= set(told["ALLOWED_HOSTS"])
    assert told["CSRF_TRUSTED_ORIGINS"] == ["https://blog.example.com"]
    default = told["DATABASES"]["default"]
    assert default["ENGINE"] == "django.db.backends.postgresql"
    assert (default["NAME"], default["USER"], default["PASSWORD"]) == ("blog", "blog", "p@ss")
    assert (default["HOST"], int(default["PORT"]), default["OPTIONS"]) == (
        "blog-postgres", 5432, {"sslmode": "require"},
    )  # fmt: skip
    assert told["CACHES"]["default"]["LOCATION"] == GIVEN["REDIS_URL"]
    assert (told["STATIC_ROOT"], told["STATIC_URL"]) == ("/app/staticfiles", "/static/")
    assert told["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    module = told["module"]
    for name in ("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "CACHES", "STATIC_ROOT"):
        assert module[name] == told[name], f"from proj import settings: {name}"


@pytest.mark.parametrize("style", STYLES)
def test_without_its_variable_the_hook_changes_nothing(environments, tmp_path: Path, style: str) -> None:
    write(tmp_path, STYLES[style])
    environment = environments("django5.2-python3.13")
    told = seen(environment, tmp_path, style, "manage.py", {})
    assert (told["DEBUG"], told["SECRET_KEY"], told["ALLOWED_HOSTS"]) == (True, KEY, [])
    assert told["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"


def test_nothing_is_imported_before_django_is(environment: Environment, tmp_path: Path) -> None:
    program = ["python", "-c", "import sys; print(*sorted(sys.modules))"]
    with_hook = environment.run(program, tmp_path, {"NUAGES_OVERLAY": "debug"}).out.split()
    without = environment.run(program, tmp_path).out.split()
    assert set(with_hook) - set(without) == {"nuages_runtime", "nuages_runtime.hook"}
