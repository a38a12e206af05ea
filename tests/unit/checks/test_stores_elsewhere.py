"""Services that somebody else runs: what the project is told of them, and what is refused early."""

from __future__ import annotations

import ssl

import pytest

from nuages.app.build import Build
from nuages.app.components import App, resolve
from nuages.checks.app import check
from nuages.render import access, authority
from nuages.render.release import Release
from nuages.spec.load import parse
from nuages_runtime.overlay.change import Change, World
from nuages_runtime.overlay.queues import queues
from nuages_runtime.overlay.redis import caches

pytestmark = pytest.mark.unit

BUILD = Build(reference=f"a/b@sha256:{'0' * 64}", wsgi="b.wsgi:app", settings="b.settings", reads=("DB_PASSWORD",))


def app(service: str, external: str, more: str = "") -> App:
    services = f"services: {{{service}: {{external: {external}}}}}"
    spec = f"name: blog\nimage: a/b\n{services}\n{more}\nenvironments: {{local: }}\n"
    return resolve(parse(spec.encode(), "nuages.yaml"), "local")


def told(app: App) -> dict[str, str]:
    release = Release(number=1, template=1, build=BUILD)
    return {variable["name"]: variable.get("value", "") for variable in access.services(app, release)}


def test_postgres_elsewhere_is_told_as_one_in_the_cluster_is() -> None:
    there = app("postgres", "{host: db.internal, secret: rds, keys: {password: pw}, tls: verify-full, authority: ca}",
                "databases: {default: postgres}")  # fmt: skip
    found = told(there)
    opening = "$(NUAGES_POSTGRES_USER_URL):$(NUAGES_POSTGRES_PASSWORD_URL)"
    options = "sslmode=verify-full&sslrootcert=/run/authorities/postgres/ca.crt"
    assert found["DATABASE_URL"] == f"postgres://{opening}@db.internal:5432/blog?{options}"
    assert found["DB_PASSWORD"] == "$(NUAGES_POSTGRES_PASSWORD)"
    assert {name: (source.secret, source.key) for name, source in there.secrets.items()} == {
        "NUAGES_POSTGRES_USER": ("rds", "user"),
        "NUAGES_POSTGRES_PASSWORD": ("rds", "pw"),
    }
    assert [mount["mountPath"] for mount in authority.mounts(there)] == ["/run/authorities/postgres"]


@pytest.mark.parametrize(
    ("service", "external", "variable", "wanted"),
    [
        ("postgres", "{host: db, secret: s, tls: require}", "", "sslmode=require"),
        ("postgres", "{host: db, secret: s, tls: verify-full}", "", f"sslrootcert={authority.SYSTEM}"),
        ("postgres", "{host: db, secret: s}", "", "sslmode=verify-full"),
        ("redis", "{host: cache.internal, tls: disable}", "REDIS_URL", "redis://cache.internal:6379/0"),
        ("redis", "{host: cache, port: 6380, secret: s, tls: require}", "REDIS_URL",
         "rediss://:$(NUAGES_REDIS_PASSWORD_URL)@cache:6380/0?ssl_cert_reqs=none"),
        ("redis", "{host: cache, secret: s, name: '4', tls: verify-full}", "CELERY_BROKER_URL",
         f"rediss://:$(NUAGES_REDIS_PASSWORD_URL)@cache:6379/5?ssl_cert_reqs=required&ssl_ca_certs={authority.SYSTEM}"
         "&ssl_check_hostname=true"),
        ("rabbitmq", "{host: mq.internal, secret: s, name: /, tls: verify-full}", "CELERY_BROKER_URL",
         "amqps://$(NUAGES_RABBITMQ_USER_URL):$(NUAGES_RABBITMQ_PASSWORD_URL)@mq.internal:5671/%2F"),
        ("memcached", "{host: '10.0.0.7'}", "MEMCACHED_URL", "memcached://10.0.0.7:11211"),
    ],
)  # fmt: skip
def test_an_address_says_how_strict_its_tls_is(service: str, external: str, variable: str, wanted: str) -> None:
    more = "databases: {default: postgres}\n" if service == "postgres" else "workers: {a: {celery: blog}}\n"
    found = told(app(service, external, more))
    assert found[variable] == wanted if variable else wanted in found["DATABASE_URL"]


def test_a_password_of_any_characters_is_written_as_a_url_wants_it() -> None:
    there = app("postgres", "{host: db, secret: s}")
    copied = access.quoted(there, {"NUAGES_POSTGRES_PASSWORD": b"p@ss/w:rd #1%", "OTHER": b"x"})
    assert copied == {"NUAGES_POSTGRES_PASSWORD_URL": b"p%40ss%2Fw%3Ard%20%231%25"}


@pytest.mark.parametrize(
    ("service", "external", "wanted"),
    [
        ("postgres", "{host: db}", {"app.E120": "services.postgres.external.secret"}),
        ("rabbitmq", "{host: mq}", {"app.E120": "services.rabbitmq.external.secret"}),
        ("redis", "{host: cache}", {}),
        ("redis", "{host: cache, keys: {password: pw}}", {"app.E122": "services.redis.external.keys"}),
        ("redis", "{host: cache, secret: s}", {}),
        ("redis", "{host: cache, secret: s, tls: disable}", {"app.W123": "services.redis.external.tls"}),
        ("redis", "{host: cache, secret: s, tls: require, authority: ca}",
         {"app.E122": "services.redis.external.authority"}),
        ("memcached", "{host: cache, secret: s, tls: verify-full}", {"app.E121": "services.memcached.external.tls"}),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused(service: str, external: str, wanted: dict[str, str]) -> None:
    found = {one.id: str(one.place.path) for one in check(app(service, external)) if ".external" in str(one.place.path)}
    assert {name: place for name, place in found.items() if name != "app.I125"} == wanted


def test_how_many_connections_are_opened_is_said_where_nobody_knows_how_many_there_are() -> None:
    (found,) = [one for one in check(app("postgres", "{host: db, secret: s}")) if one.id == "app.I125"]
    assert "up to 8" in found.message


def changes(environ: dict[str, str], own: dict[str, object], *, modules: tuple[str, ...] = ()) -> dict[str, Change]:
    world = World(own, environ, (5, 2), lambda name: name in modules, "/app")
    return {change.setting: change for change in [*queues(world), *caches(world)]}


def test_celery_asks_rabbitmq_to_prove_who_it_is() -> None:
    environ = {"CELERY_BROKER_URL": "amqps://u:p@mq.internal:5671/blog", "NUAGES_BROKER_TLS": "/run/ca.crt"}
    found = changes(environ, {"CELERY_BROKER_URL": environ["CELERY_BROKER_URL"]})
    assert found["CELERY_BROKER_USE_SSL"].value == {
        "cert_reqs": ssl.CERT_REQUIRED,
        "ca_certs": "/run/ca.crt",
        "server_hostname": "mq.internal",
    }
    assert "CELERY_BROKER_USE_SSL" not in changes(environ, {"CELERY_BROKER_USE_SSL": True})


@pytest.mark.parametrize(
    ("own", "location"),
    [
        ({}, "blog-memcached:11211"),
        ({"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}, "blog-memcached:11211"),
        ({"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache", "LOCATION": "127.0.0.1:11211"},
         "blog-memcached:11211"),
        ({"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache", "LOCATION": "cache.example.com:11211"},
         None),
        ({"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://localhost:6379"},
         "redis://blog-redis:6379/0"),
    ],
)  # fmt: skip
def test_a_cache_goes_to_memcached_where_there_is_one(own: dict[str, str], location: str | None) -> None:
    environ = {"MEMCACHED_URL": "memcached://blog-memcached:11211", "REDIS_URL": "redis://blog-redis:6379/0"}
    found = changes(environ, {"CACHES": {"default": own}} if own else {}, modules=("pymemcache", "redis"))["CACHES"]
    value = found.value
    assert (value["default"]["LOCATION"] if isinstance(value, dict) else None) == location
