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


# Every style by manage.py and by wsgi.py, two at a time: what takes the time is Python's start.
SCRIPT = """
ask() {
    cd "/app/$1"
    option=$(cat option)
    [ -z "$option" ] || export DJANGO_SETTINGS_MODULE=proj.other
    python manage.py probe $option > manage.json 2> manage.err
    told='from pages.management.commands.probe import told; print(told())'
    python -c "import proj.wsgi; $told" > wsgi.json 2> wsgi.err
}
next=0
for style in */; do
    ask "$style" &
    next=$((next + 1))
    [ $((next % 2)) = 0 ] && wait
done
wait
"""


class Asked:
    """What each style of project sees in an environment, asked once for all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done: set[str] = set()

    def __call__(self, environment: Environment, style: str, env: dict[str, str]) -> list[dict[str, object]]:
        """By manage.py, and by wsgi.py."""
        kind = f"{environment.name}{'-given' if env else ''}"
        folders = {each: self._folder / kind / each.replace(" ", "-").replace(",", "") for each in STYLES}
        if kind not in self._done:
            for each, folder in folders.items():
                write(folder, STYLES[each])
                (folder / "option").write_text("--settings=proj.other" if each == "--settings" else "")
            environment.run(["bash", "-c", SCRIPT], self._folder / kind, env, timeout=300)
            self._done.add(kind)
        answers = []
        for entrance in ("manage", "wsgi"):
            answer = (folders[style] / f"{entrance}.json").read_text()
            assert answer, (folders[style] / f"{entrance}.err").read_text()
            answers.append(json.loads(answer) | {"folder": f"/app/{folders[style].name}"})
        return answers


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return Asked(tmp_path_factory.mktemp("styles"))


@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_settings_runs_in_production_form(environment: Environment, asked: Asked, style: str) -> None:
    others = {"--settings": "proj.other", "an assignment in manage.py": "proj.mine"}
    for told in asked(environment, style, GIVEN):
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
        assert (told["STATIC_ROOT"], told["STATIC_URL"]) == (f"{told['folder']}/staticfiles", "/static/")
        assert told["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
        for name in ("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "CACHES", "STATIC_ROOT"):
            assert told["module"][name] == told[name], f"from proj import settings: {name}"


@pytest.mark.parametrize("style", STYLES)
def test_without_its_variable_the_hook_changes_nothing(environments, asked: Asked, style: str) -> None:
    for told in asked(environments("django5.2-python3.13"), style, {}):
        assert (told["DEBUG"], told["SECRET_KEY"], told["ALLOWED_HOSTS"]) == (True, KEY, [])
        assert told["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"


def test_nothing_is_imported_before_django_is(environment: Environment, tmp_path: Path) -> None:
    program = ["python", "-c", "import sys; print(*sorted(sys.modules))"]
    with_hook, without = (environment.run(program, tmp_path, env) for env in ({"NUAGES_OVERLAY": "debug"}, {}))
    assert (with_hook.err, without.err) == ("", "")
    assert set(with_hook.out.split()) - set(without.out.split()) == {"nuages_runtime", "nuages_runtime.hook"}
