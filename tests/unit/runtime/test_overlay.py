"""The overlay's decisions as a table: what a project sets, what the environment says, what becomes of a setting."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from nuages_runtime.overlay.change import Change, World
from nuages_runtime.overlay.database import parse
from nuages_runtime.overlay.plan import PARTS, plan
from nuages_runtime.overlay.security import placeholder

pytestmark = pytest.mark.unit

SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
LOCAL_POSTGRES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "blog", "HOST": "localhost"}}
URL = "postgres://blog:secret@blog-postgres:5432/blog"
REDIS = "redis://:secret@blog-redis:6379/0"
BROKER = "redis://:secret@blog-redis:6379/1"
LOCMEM = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "TIMEOUT": 60}}
REDIS_CACHE = "django.core.cache.backends.redis.RedisCache"
RANDOM = "f3b1c0a9d8e7465b9a2c1d0e8f7a6b5c4d3e2f1a"
STATICFILES = ["django.contrib.staticfiles"]
ASGI = {"DATABASE_URL": URL, "NUAGES_COMPONENT": "web", "NUAGES_INTERFACE": "asgi", "NUAGES_POOL": "5"}


def world(
    own: dict[str, object],
    environ: dict[str, str],
    part: str = "",
    *,
    django: tuple[int, int] = (6, 1),
    lacking: tuple[str, ...] = (),
) -> World:
    environ = {"NUAGES_OVERLAY": part or ",".join(PARTS), **environ}
    return World(own, environ, django, lambda module: module not in lacking, "/app")


def changed(part: str, own: dict[str, object], environ: dict[str, str], **known: Any) -> dict[str, Change]:
    return {change.setting: change for change in plan(world(own, environ, part, **known))}


@pytest.mark.parametrize(
    ("own", "hosts", "action", "value"),
    [
        (None, "blog.example.com", "added", ["blog.example.com"]),
        ([], "blog.example.com,blog-web", "added", ["blog.example.com", "blog-web"]),
        ([".localhost", "127.0.0.1"], "blog.example.com", "replaced", [".localhost", "127.0.0.1", "blog.example.com"]),
        (("a.example.com",), "b.example.com", "replaced", ("a.example.com", "b.example.com")),
        ([".example.com"], "blog.example.com", "kept", None),
        (["*"], "blog.example.com", "kept", None),
        (["blog.example.com"], "*", "replaced", ["blog.example.com", "*"]),
    ],
)
def test_the_specs_hosts_stand_beside_the_projects_own(own, hosts: str, action: str, value: object) -> None:
    settings = {} if own is None else {"ALLOWED_HOSTS": own}
    change = changed("hosts", settings, {"NUAGES_HOSTS": hosts})["ALLOWED_HOSTS"]
    assert (change.action, change.value) == (action, value)
    assert own is None or change.value is not own


@pytest.mark.parametrize(
    ("own", "value"),
    [
        ([], ["https://blog.example.com"]),
        (["https://other.example.org"], ["https://other.example.org", "https://blog.example.com"]),
        (["https://*.example.com"], None),
        (["http://*.example.com"], ["http://*.example.com", "https://blog.example.com"]),
        ({"https://other.example.org"}, ["https://other.example.org", "https://blog.example.com"]),
    ],
)
def test_forms_from_the_specs_origins_are_trusted(own: object, value: list[str] | None) -> None:
    environ = {"NUAGES_ORIGINS": "https://blog.example.com"}
    change = changed("hosts", {"CSRF_TRUSTED_ORIGINS": own}, environ).get("CSRF_TRUSTED_ORIGINS")
    assert (change.value if change else None) == value


def test_a_proxy_is_believed_only_where_the_way_in_overwrites_its_header() -> None:
    secure = {"NUAGES_PROXY": "https", "NUAGES_ORIGINS": "https://blog.example.com"}
    added = {"SECURE_PROXY_SSL_HEADER", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"}
    assert set(changed("proxy", {}, secure)) == added
    assert changed("proxy", {}, secure | {"NUAGES_PROXY": ""}) == {}
    assert set(changed("proxy", {}, secure | {"NUAGES_ORIGINS": "http://a,https://b"})) == {"SECURE_PROXY_SSL_HEADER"}
    own = {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_PROTO", "https"), "SESSION_COOKIE_SECURE": False}
    assert changed("proxy", own, secure)["SECURE_PROXY_SSL_HEADER"].action == "kept"
    assert "SESSION_COOKIE_SECURE" not in changed("proxy", own, secure)


@pytest.mark.parametrize(
    ("own", "environ", "action"),
    [
        (None, {"SECRET_KEY": RANDOM}, "added"),
        ("", {"SECRET_KEY": RANDOM}, "added"),
        ("django-insecure-" + "x1" * 25, {"SECRET_KEY": RANDOM}, "replaced"),
        ("changeme", {"SECRET_KEY": RANDOM}, "replaced"),
        ("k3y-written-down-by-hand-9f8e7d6c5b4a", {"SECRET_KEY": RANDOM}, "replaced"),
        (RANDOM, {"SECRET_KEY": RANDOM}, "kept"),
        (RANDOM, {"DJANGO_SECRET_KEY": RANDOM, "SECRET_KEY": "another"}, "kept"),
        ("changeme", {}, "kept"),
        (None, {}, None),
    ],
)
def test_a_secret_key_comes_from_the_environment(own: str | None, environ: dict[str, str], action: str | None) -> None:
    settings = {} if own is None else {"SECRET_KEY": own}
    change = changed("secret-key", settings, environ).get("SECRET_KEY")
    assert (change.action if change else None) == action
    if change and action in ("added", "replaced"):
        assert change.value == RANDOM
        assert RANDOM not in change.why


@pytest.mark.parametrize(
    ("key", "development"),
    [
        ("change-me", True),
        ("CHANGE_ME_IN_PRODUCTION!!!", True),
        ("my-super-secret-key", True),
        ("secret", True),
        ("dev-key-123", True),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", True),
        ("x" * 49 + "abc", True),
        ("fn0k0t7q1vk0hb6x^r5zk!w6yb^8y2$_0h2s(l&1c7u%4t@e=d", False),
        (RANDOM, False),
        ("correct horse battery staple", False),
    ],
)
def test_placeholders_are_told_from_keys(key: str, development: bool) -> None:
    assert placeholder(key) is development


@pytest.mark.parametrize(
    ("environ", "off"),
    [
        ({"NUAGES_HOSTS": "*", "NUAGES_ORIGINS": "http://shop.localhost"}, True),
        ({"NUAGES_HOSTS": "*"}, False),
        ({"NUAGES_HOSTS": "*", "NUAGES_ORIGINS": "https://shop.localhost"}, False),
        ({"NUAGES_HOSTS": "*", "NUAGES_PROXY": "https"}, False),
        ({"NUAGES_HOSTS": "shop.example.com", "NUAGES_ORIGINS": "http://shop.example.com"}, False),
    ],
)
def test_only_where_nothing_answers_to_https_nobody_is_sent_there(environ: dict[str, str], off: bool) -> None:
    own = {"SECURE_SSL_REDIRECT": True, "SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": False}
    found = changed("proxy", own, environ)
    expected = {"SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE"} if off else set()
    assert {name for name, change in found.items() if change.value is False} == expected


def test_replaced_keys_are_still_believed() -> None:
    change = changed("secret-key", {"SECRET_KEY": RANDOM}, {"SECRET_KEY_FALLBACKS": "old, older"})
    assert change["SECRET_KEY_FALLBACKS"].value == ["old", "older"]
    own = {"SECRET_KEY": RANDOM, "SECRET_KEY_FALLBACKS": ["own"]}
    assert "SECRET_KEY_FALLBACKS" not in changed("secret-key", own, {"SECRET_KEY_FALLBACKS": "old"})


@pytest.mark.parametrize(
    ("own", "environ", "action"),
    [
        (True, {}, "replaced"),
        ("False", {}, "replaced"),
        (1, {}, "replaced"),
        (True, {"DJANGO_DEBUG": "true"}, "kept"),
        (True, {"DEBUG": "0"}, "replaced"),
        (True, {"BLOG_DEBUG_MODE": "on"}, "kept"),
        (True, {"SENTRY_DEBUG": "true", "PYTHONASYNCIODEBUG": "1", "DEBUG_TOOLBAR": "1"}, "replaced"),
        (False, {}, None),
    ],
)
def test_debug_is_off_unless_the_pods_own_environment_says_on(own, environ: dict[str, str], action: str | None) -> None:
    change = changed("debug", {"DEBUG": own}, environ).get("DEBUG")
    assert (change.action if change else None) == action
    assert not (change and change.value)


@pytest.mark.parametrize(
    ("own", "environ", "action", "why"),
    [
        ({}, {"DATABASE_URL": URL}, "added", "from DATABASE_URL"),
        ({"default": {}}, {"DATABASE_URL": URL}, "added", "from DATABASE_URL"),
        ({"default": {"ENGINE": "django.db.backends.dummy"}}, {"DATABASE_URL": URL}, "replaced", "from DATABASE_URL"),
        (SQLITE, {"DATABASE_URL": URL}, "replaced", "SQLite"),
        (SQLITE, {}, "kept", "DATABASE_URL is not in the environment"),
        (SQLITE, {"DATABASE_URL": "sqlite:////data/db"}, "kept", "of the kind sqlite"),
        (LOCAL_POSTGRES, {"DATABASE_URL": URL}, "replaced", "the project's is at localhost"),
        (LOCAL_POSTGRES, {"DATABASE_URL": URL, "DB_HOST": "localhost"}, "kept", "HOST is localhost"),
        (LOCAL_POSTGRES, {"DATABASE_URL": "mysql://u:p@h/n"}, "kept", "HOST is localhost"),
        (LOCAL_POSTGRES, {}, "kept", "HOST is localhost"),
        ({"default": {"ENGINE": "a.postgresql", "NAME": "x"}}, {"DATABASE_URL": URL}, "replaced", "at localhost"),
        ({"default": {"ENGINE": "a.postgresql", "HOST": "db"}}, {"DATABASE_URL": URL}, "replaced", "is at db"),
        ({"default": {"ENGINE": "a.postgresql", "HOST": "db"}}, {"DATABASE_URL": URL, "H": "db:1"}, "kept", "at db"),
        ({"default": {"ENGINE": "a.postgresql", "HOST": "/run/pg"}}, {"DATABASE_URL": URL}, "kept", "at /run/pg"),
        ({"default": {**parse(URL), "ENGINE": "a.postgresql"}}, {"DATABASE_URL": URL}, "kept", "from the environment"),
        ({"default": {"ENGINE": "a.mysql", "HOST": "db.internal"}}, {"DATABASE_URL": URL}, "kept", "own mysql at db."),
    ],
)
def test_a_database_is_replaced_where_no_server_was_chosen(
    own: dict[str, Any], environ: dict[str, str], action: str, why: str
) -> None:
    change = changed("databases", {"DATABASES": own}, environ)["DATABASES"]
    assert change.action == action
    assert why in change.why


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgres://u:p@shop-postgres/shop", "prefer"),
        ("postgres://u:p@shop-postgres/shop?sslmode=require", None),
        ("postgres://u:p@db.example.com/shop", None),
    ],
)
def test_tls_is_demanded_of_no_service_in_the_same_namespace(url: str, mode: str | None) -> None:
    own = {"default": {**parse(url), "ENGINE": "django.db.backends.postgresql", "OPTIONS": {"sslmode": "require"}}}
    change = changed("databases", {"DATABASES": own}, {"DATABASE_URL": url})["DATABASES"]
    value: Any = change.value
    assert (value["default"]["OPTIONS"]["sslmode"] if value else None) == mode


def test_what_a_project_says_of_its_transactions_and_its_other_databases_is_kept() -> None:
    own = {
        "default": {**SQLITE["default"], "ATOMIC_REQUESTS": True, "OPTIONS": {"timeout": 5}},
        "legacy": {"ENGINE": "x"},
    }
    value: Any = changed("databases", {"DATABASES": own}, {"DATABASE_URL": URL})["DATABASES"].value
    assert value["legacy"] == {"ENGINE": "x"}
    assert value["default"]["ATOMIC_REQUESTS"] is True
    assert "OPTIONS" not in value["default"]
    assert own["default"]["ENGINE"] == "django.db.backends.sqlite3"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URL, {"ENGINE": "postgresql", "NAME": "blog", "USER": "blog", "PASSWORD": "secret", "PORT": 5432}),
        ("postgresql://u:p%40%2Fs%23@h/n", {"PASSWORD": "p@/s#", "PORT": "", "HOST": "h"}),
        ("postgres://u@%2Frun%2Fpostgresql/n", {"HOST": "/run/postgresql", "PASSWORD": ""}),
        ("postgres://u:p@[fd00::1]:6432/n", {"HOST": "fd00::1", "PORT": 6432}),
        ("postgres://u:p@Mixed.Example.com/n", {"HOST": "Mixed.Example.com"}),
        ("postgresql+psycopg://u:p@h/n", {"ENGINE": "postgresql"}),
        ("postgis://u:p@h/n", {"ENGINE": "postgis"}),
        ("mysql://u:p@h:3306/n?charset=utf8mb4", {"ENGINE": "mysql", "OPTIONS": {"charset": "utf8mb4"}}),
        (
            "postgres://u:p@h/n?sslmode=require&connect_timeout=3&conn_max_age=120&conn_health_checks=true",
            {"OPTIONS": {"sslmode": "require", "connect_timeout": 3}, "CONN_MAX_AGE": 120, "CONN_HEALTH_CHECKS": True},
        ),
    ],
)  # fmt: skip
def test_a_database_url_is_read_in_every_spelling(url: str, expected: dict[str, object]) -> None:
    assert expected.items() <= parse(url).items()


NO_URLS = ("postgres://u:secret@h:port/n", "postgres://u:secret[@h/n", "postgres://u:secret\u2100@h/n", "secret")


@pytest.mark.parametrize("url", NO_URLS)
def test_a_url_that_is_none_says_so_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL is no URL") as raised:
        changed("databases", {"DATABASES": SQLITE}, {"DATABASE_URL": url})
    assert "secret" not in "".join(traceback.format_exception(raised.value, limit=0))


@pytest.mark.parametrize("url", NO_URLS)
def test_a_url_that_is_none_stops_no_project_that_has_its_own_server(url: str) -> None:
    own = {"DATABASES": {"default": {"ENGINE": "a.postgresql", "HOST": "db.example.com"}}}
    assert changed("databases", own, {"DATABASE_URL": url})["DATABASES"].action == "kept"
    assert not changed("celery", {"CELERY_BROKER_URL": "redis://[localhost"}, {"REDIS_URL": url})


@pytest.mark.parametrize(
    ("own", "url", "lacking", "engine"),
    [
        ("django.db.backends.sqlite3", URL, (), "django.db.backends.postgresql"),
        ("django.contrib.gis.db.backends.spatialite", URL, (), "django.contrib.gis.db.backends.postgis"),
        ("django.db.backends.sqlite3", "postgis://u:p@h/n", (), "django.contrib.gis.db.backends.postgis"),
        ("django_prometheus.db.backends.sqlite3", URL, (), "django_prometheus.db.backends.postgresql"),
        ("own.backends.sqlite3", URL, ("own.backends.postgresql",), "django.db.backends.postgresql"),
    ],
)
def test_the_engine_is_of_the_family_that_the_project_uses(
    own: str, url: str, lacking: tuple[str, ...], engine: str
) -> None:
    settings = {"DATABASES": {"default": {"ENGINE": own, "NAME": "x"}}}
    value: Any = changed("databases", settings, {"DATABASE_URL": url}, lacking=lacking)["DATABASES"].value
    assert value["default"]["ENGINE"] == engine


@pytest.mark.parametrize(
    ("environ", "django", "lacking", "kept_for", "pool"),
    [
        ({**ASGI, "NUAGES_INTERFACE": "wsgi"}, (6, 1), (), 60, None),
        (ASGI, (6, 1), (), None, {"min_size": 1, "max_size": 5, "timeout": 10}),
        (ASGI, (5, 0), (), None, None),
        (ASGI, (6, 1), ("psycopg_pool",), None, None),
        ({**ASGI, "NUAGES_POOL": ""}, (6, 1), (), None, None),
        ({**ASGI, "NUAGES_COMPONENT": "worker"}, (6, 1), (), None, None),
        ({**ASGI, "NUAGES_COMPONENT": "migrate", "NUAGES_INTERFACE": "wsgi"}, (6, 1), (), None, None),
        ({**ASGI, "DATABASE_URL": f"{URL}?conn_max_age=0"}, (6, 1), (), 0, None),
    ],
)
def test_connections_are_kept_by_threads_and_pooled_for_async_servers(
    environ: dict[str, str], django: tuple[int, int], lacking: tuple[str, ...], kept_for: int | None, pool: object
) -> None:
    change = changed("databases", {"DATABASES": SQLITE}, environ, django=django, lacking=lacking)["DATABASES"]
    value: Any = change.value
    default = value["default"]
    assert default.get("CONN_MAX_AGE") == kept_for
    assert default.get("OPTIONS", {}).get("pool") == pool
    assert (default.get("CONN_HEALTH_CHECKS") is True) == bool(kept_for)


@pytest.mark.parametrize(("interface", "kept_for"), [("wsgi", 600), ("asgi", None)])
def test_connections_that_were_kept_for_a_file_are_not_kept_by_an_async_server(
    interface: str, kept_for: object
) -> None:
    own = {"DATABASES": {"default": {**SQLITE["default"], "CONN_MAX_AGE": 600}}}
    value: Any = changed("databases", own, {**ASGI, "NUAGES_INTERFACE": interface})["DATABASES"].value
    assert value["default"].get("CONN_MAX_AGE") == kept_for


@pytest.mark.parametrize(
    ("own", "lacking", "action", "location"),
    [
        (None, (), "added", REDIS),
        (LOCMEM, (), "replaced", REDIS),
        (LOCMEM, ("redis",), "kept", None),
        ({"default": {"BACKEND": "a.DatabaseCache", "LOCATION": "table"}}, (), "kept", None),
        ({"default": {"BACKEND": "a.cache.RedisCache", "LOCATION": "redis://127.0.0.1:6379/1"}}, (), "replaced", REDIS),
        ({"default": {"BACKEND": REDIS_CACHE, "LOCATION": "redis://elsewhere.example.com:6379/1"}}, (), "kept", None),
        ({"default": {"BACKEND": REDIS_CACHE, "LOCATION": "redis://cache:6379/1"}}, (), "replaced", REDIS),
        ({"default": {"BACKEND": REDIS_CACHE, "LOCATION": ["redis://localhost:6379/1"]}}, (), "replaced", REDIS),
        ({"default": {"BACKEND": REDIS_CACHE, "LOCATION": ["redis://a.org", "redis://localhost"]}}, (), "kept", None),
        ({"default": {"BACKEND": "a.DummyCache"}}, (), "kept", None),
    ],
)  # fmt: skip
def test_a_cache_in_the_process_moves_to_redis(
    own, lacking: tuple[str, ...], action: str, location: str | None
) -> None:
    settings = {} if own is None else {"CACHES": own}
    change = changed("caches", settings, {"REDIS_URL": REDIS}, lacking=lacking)["CACHES"]
    value: Any = change.value
    assert change.action == action
    assert (value["default"]["LOCATION"] if value else None) == location
    if own is LOCMEM and value:
        assert value["default"] == {"BACKEND": REDIS_CACHE, "TIMEOUT": 60, "LOCATION": REDIS}


def test_without_a_redis_no_cache_is_touched() -> None:
    assert changed("caches", {"CACHES": LOCMEM}, {}) == {}


@pytest.mark.parametrize(
    ("layer", "lacking", "hosts"),
    [
        ({"BACKEND": "channels.layers.InMemoryChannelLayer"}, (), [REDIS]),
        ({"BACKEND": "channels.layers.InMemoryChannelLayer"}, ("channels_redis",), None),
        ({"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [("127.0.0.1", 6379)]}}, (), [REDIS]),
        (
            {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": ["redis://other.svc:6379"]}},
            (),
            None,
        ),
        (
            {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": ["redis://cache:6379"]}},
            (),
            [REDIS],
        ),
        ({"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [("cache", 6379)]}}, (), [REDIS]),
    ],
)
def test_channel_layers_reach_every_process(layer: dict[str, Any], lacking: tuple[str, ...], hosts: object) -> None:
    settings = {"CHANNEL_LAYERS": {"default": layer}}
    change = changed("caches", settings, {"REDIS_URL": REDIS}, lacking=lacking).get("CHANNEL_LAYERS")
    value: Any = change.value if change else None
    assert (value["default"]["CONFIG"]["hosts"] if value else None) == hosts


def test_celerys_localhost_becomes_the_services_address_whatever_the_namespace() -> None:
    own = {
        "CELERY_BROKER_URL": "redis://localhost:6379/0",
        "CELERY_RESULT_BACKEND": "redis://localhost",
        "TASKS_BROKER_URL": "amqp://guest:guest@localhost//",
        "BROKER_URL": "memory://",
        "OTHER_RESULT_BACKEND": "django-db",
    }
    environ = {"CELERY_BROKER_URL": BROKER, "REDIS_URL": REDIS}
    values = {name: change.value for name, change in changed("celery", own, environ).items()}
    assert values == dict.fromkeys(
        ("BROKER_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "TASKS_BROKER_URL"), BROKER
    )
    assert changed("celery", {"CELERY_BROKER_URL": BROKER}, environ) == {}
    assert changed("celery", own, {}) == {}


@pytest.mark.parametrize(
    ("setting", "own", "value"),
    [
        ("RQ_QUEUES", {"a": {"HOST": "localhost", "PORT": 6379, "DEPTH": 9}}, {"a": {"DEPTH": 9, "URL": BROKER}}),
        ("RQ_QUEUES", {"a": {"URL": "redis://127.0.0.1/0"}, "b": {"DB": 1}}, {"a": {"URL": BROKER}, "b": {"DB": 1}}),
        ("RQ_QUEUES", {"default": {"USE_REDIS_CACHE": "default"}}, None),
        ("HUEY", {"name": "x"}, {"name": "x", "connection": {"url": BROKER}}),
        ("HUEY", {"connection": {"host": "localhost", "most": 3}}, {"connection": {"most": 3, "url": BROKER}}),
        ("HUEY", {"huey_class": "huey.SqliteHuey"}, None),
        ("HUEY", {"connection": {"url": "redis://other:6379"}}, None),
        ("Q_CLUSTER", {"redis": {"host": "127.0.0.1", "port": 6379}, "workers": 2}, {"redis": BROKER, "workers": 2}),
        ("Q_CLUSTER", {"redis": "redis://localhost:6379"}, {"redis": BROKER}),
        ("Q_CLUSTER", {"orm": "default"}, None),
    ],
)  # fmt: skip
def test_other_queues_leave_localhost_too(setting: str, own: dict[str, object], value: object) -> None:
    change = changed("celery", {setting: own}, {"REDIS_URL": REDIS}).get(setting)
    assert (change.value if change else None) == value


@pytest.mark.parametrize("spelling", [REDIS, REDIS.removesuffix("0"), REDIS.removesuffix("/0")])
def test_tasks_never_share_the_caches_database_however_the_address_is_spelt(spelling: str) -> None:
    change = changed("celery", {"HUEY": {}}, {"REDIS_URL": spelling})["HUEY"]
    assert change.value == {"connection": {"url": BROKER}}


@pytest.mark.parametrize(
    ("own", "address"),
    [
        ({}, "/static/0123456789abcdef/"),
        ({"STATIC_URL": "static/"}, "static/0123456789abcdef/"),
        ({"STATIC_URL": "/assets"}, "/assets/0123456789abcdef/"),
        ({"STATIC_URL": "https://cdn.example.com/static/"}, None),
        ({"STATIC_URL": "/"}, None),
        ({"STATIC_URL": "/blog/static/", "FORCE_SCRIPT_NAME": "/blog"}, None),
    ],
)
def test_static_files_without_hashes_are_named_below_the_hash_of_all(
    own: dict[str, object], address: str | None
) -> None:
    changes = changed("static", {"INSTALLED_APPS": STATICFILES, **own}, {"NUAGES_STATIC_TREE": "0123456789abcdef"})
    assert (changes["STATIC_URL"].value if "STATIC_URL" in changes else None) == address


def test_a_whitenoise_of_the_projects_own_goes_on_answering_below_the_plain_address() -> None:
    own = {
        "INSTALLED_APPS": STATICFILES,
        "STATIC_URL": "/a/",
        "MIDDLEWARE": ["whitenoise.middleware.WhiteNoiseMiddleware"],
    }
    assert changed("static", own, {"NUAGES_STATIC_TREE": "0" * 16})["WHITENOISE_STATIC_PREFIX"].value == "/a/"
    assert "WHITENOISE_STATIC_PREFIX" not in changed("static", own, {})


def test_static_files_have_a_root_and_no_storage_is_chosen() -> None:
    assert changed("static", {}, {}) == {}
    added = changed("static", {"INSTALLED_APPS": STATICFILES}, {})
    assert {name: change.value for name, change in added.items()} == {
        "STATIC_URL": "/static/",
        "STATIC_ROOT": "/app/staticfiles",
    }
    own = {"INSTALLED_APPS": STATICFILES, "STATIC_URL": "static/", "STATICFILES_DIRS": [("x", "staticfiles")]}
    assert changed("static", own, {})["STATIC_ROOT"].value == "/app/staticfiles-collected"
    whitenoise = {**own, "STATIC_ROOT": "/x", "MIDDLEWARE": ("whitenoise.middleware.WhiteNoiseMiddleware",)}
    assert set(changed("static", whitenoise, {})) == {"WHITENOISE_IMMUTABLE_FILE_TEST"}


def test_a_projects_own_logging_is_kept() -> None:
    assert changed("logging", {"LOGGING": {"version": 1}}, {"NUAGES_LOGS": "json"})["LOGGING"].action == "kept"
    assert changed("logging", {"LOGGING_CONFIG": None}, {"NUAGES_LOGS": "json"})["LOGGING"].action == "kept"
    assert changed("logging", {}, {}) == {}
    itself = world({}, {"NUAGES_LOGS": "json"}, "logging")._replace(logs=True)
    assert [change.action for change in plan(itself)] == ["kept"]


@pytest.mark.parametrize("kind", ["json", "text"])
def test_logs_go_to_standard_output_where_the_project_says_nothing(kind: str) -> None:
    change = changed("logging", {"LOGGING": {}}, {"NUAGES_LOGS": kind})["LOGGING"]
    value: Any = change.value
    assert (change.action, value["root"]["handlers"]) == ("added", ["stdout"])


@pytest.mark.parametrize(("component", "stream"), [("web", "stdout"), ("migrate", "stdout"), ("run", "stderr")])
def test_what_a_persons_command_writes_is_not_mixed_with_logs(component: str, stream: str) -> None:
    value: Any = changed("logging", {}, {"NUAGES_LOGS": "text", "NUAGES_COMPONENT": component})["LOGGING"].value
    assert value["handlers"][stream]["stream"] == f"ext://sys.{stream}"
    assert value["root"]["handlers"] == [stream]


def test_a_part_that_is_switched_off_says_nothing_and_nothing_at_all_is_on_by_itself() -> None:
    own: dict[str, object] = {"DEBUG": True, "ALLOWED_HOSTS": [], "INSTALLED_APPS": STATICFILES}
    environ = {"NUAGES_HOSTS": "blog.example.com"}
    assert set(changed("debug", own, environ)) == {"DEBUG"}
    assert plan(World(own, environ, (6, 1), lambda _: True, "/app")) == []


def test_no_reason_has_a_secret_in_it() -> None:
    environ = {"DATABASE_URL": URL, "REDIS_URL": REDIS, "CELERY_BROKER_URL": BROKER, "SECRET_KEY": RANDOM, **ASGI}
    own: dict[str, object] = {
        "DATABASES": LOCAL_POSTGRES,
        "CACHES": LOCMEM,
        "SECRET_KEY": "changeme",
        "BROKER_URL": "memory://",
    }
    for change in plan(world(own, environ)):
        assert "secret@" not in change.why
        assert RANDOM not in change.why
