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


def seen(environment: Environment, folder: Path, style: str, env: dict[str, str]) -> list[dict[str, object]]:
    """What the project sees by manage.py, and by wsgi.py."""
    option = " --settings proj.other" if style == "--settings" else ""
    told = "from pages.management.commands.probe import told; print(told())"
    script = f"""
        python manage.py probe{option} && echo
        {"export DJANGO_SETTINGS_MODULE=proj.other" if option else ""}
        python -c 'import proj.wsgi; {told}'
    """
    ended = environment.run(["sh", "-ec", script], folder, env)
    assert ended.code == 0, ended.err
    answers = [json.loads(line) for line in ended.out.splitlines() if line]
    assert len(answers) == 2
    return answers


@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_settings_runs_in_production_form(environment: Environment, tmp_path: Path, style: str) -> None:
    write(tmp_path, STYLES[style])
    others = {"--settings": "proj.other", "an assignment in manage.py": "proj.mine"}
    for told in seen(environment, tmp_path, style, GIVEN):
        assert told["SETTINGS_MODULE"] == others.get(style, "proj.settings")
        assert told["DEBUG"] is False
        assert told["SECRET_KEY"] == GIVEN["SECRET_KEY"]
        assert {"blog.example.com", "blog-web-main"} <= set(told["ALLOWED_HOSTS"])
        assert told["CSRF_TRUSTED_ORIGINS"] == ["https://blog.example.com"]
        default = told["DATABASES"]["default"]
        assert default["ENGINE"] == "django.db.backends.postgresql"
        assert [default[key] for key in ("NAME", "USER", "PASSWORD", "HOST")] == [
            "blog",
            "blog",
            "p@ss",
            "blog-postgres",
        ]
        assert (int(default["PORT"]), default["OPTIONS"]) == (5432, {"sslmode": "require"})
        assert told["CACHES"]["default"]["LOCATION"] == GIVEN["REDIS_URL"]
        assert (told["STATIC_ROOT"], told["STATIC_URL"]) == ("/app/staticfiles", "/static/")
        assert told["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
        for name in ("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "CACHES", "STATIC_ROOT"):
            assert told["module"][name] == told[name], f"from proj import settings: {name}"


@pytest.mark.parametrize("style", STYLES)
def test_without_its_variable_the_hook_changes_nothing(environments, tmp_path: Path, style: str) -> None:
    write(tmp_path, STYLES[style])
    for told in seen(environments("django5.2-python3.13"), tmp_path, style, {}):
        assert (told["DEBUG"], told["SECRET_KEY"], told["ALLOWED_HOSTS"]) == (True, KEY, [])
        assert told["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"


def test_nothing_is_imported_before_django_is(environment: Environment, tmp_path: Path) -> None:
    program = ["python", "-c", "import sys; print(*sorted(sys.modules))"]
    with_hook = environment.run(program, tmp_path, {"NUAGES_OVERLAY": "debug"}).out.split()
    without = environment.run(program, tmp_path).out.split()
    assert set(with_hook) - set(without) == {"nuages_runtime", "nuages_runtime.hook"}
