"""Data stores in the cluster and elsewhere: what their servers are told, and what the project is told of them."""

from __future__ import annotations

import re

import msgspec
import pytest

from nuages.app.components import App, resolve
from nuages.app.objects import Object
from nuages.render import access
from nuages.render.manifest import render, services
from nuages.spec.load import parse

from .blog import release

pytestmark = pytest.mark.unit

REFERENCE = re.compile(r"\$\((\w+)\)")


def app(declared: str, more: str = "workers: {default: {celery: blog}}") -> App:
    spec = f"name: blog\nimage: a/b\nservices: {declared}\n{more}\nenvironments: {{local: }}\n"
    return resolve(parse(spec.encode(), "nuages.yaml"), "local")


def told(app: App, reads: tuple[str, ...] = ()) -> dict[str, Object]:
    wanted = release()
    wanted = msgspec.structs.replace(wanted, build=msgspec.structs.replace(wanted.build, reads=reads))
    return {variable["name"]: variable for variable in access.services(app, wanted)}


def container(app: App, kind: str, name: str) -> Object:
    (found,) = [item for item in services(app) if (item["kind"], item["metadata"]["name"]) == (kind, name)]
    made: Object
    (made,) = found["spec"]["template"]["spec"]["containers"]
    return made


def test_tasks_go_to_rabbitmq_where_there_is_one_and_redis_is_a_cache_then() -> None:
    both = app("{redis: {run: }, rabbitmq: {run: }}")
    url = "amqp://$(RABBITMQ_USER):$(RABBITMQ_PASSWORD)@blog-rabbitmq:5672/blog"
    assert told(both)["CELERY_BROKER_URL"]["value"] == url
    assert both.redis
    assert not both.redis.broker
    assert not both.redis.storage


def test_a_queue_of_commands_stays_in_redis_beside_rabbitmq() -> None:
    both = app("{redis: {run: }, rabbitmq: {run: }}", "workers: {mail: {command: [python, manage.py, run_huey]}}")
    assert both.redis
    assert both.redis.broker


def test_rabbitmq_is_a_cluster_of_one_that_nobody_else_joins() -> None:
    made = container(app("{rabbitmq: {run: }}"), "StatefulSet", "blog-rabbitmq")
    environment = {variable["name"]: variable for variable in made["env"]}
    assert environment["RABBITMQ_NODENAME"]["value"] == "rabbit@localhost"
    assert environment["ERL_EPMD_ADDRESS"]["value"] == "127.0.0.1"
    for name, key in (("RABBITMQ_DEFAULT_PASS", "password"), ("RABBITMQ_ERLANG_COOKIE", "cookie")):
        assert environment[name]["valueFrom"] == {"secretKeyRef": {"name": "blog-rabbitmq", "key": key}}


def test_rabbitmq_stops_taking_messages_before_its_memory_or_its_volume_is_full() -> None:
    made = container(app("{rabbitmq: {run: {storage: 1Gi, resources: {memory: 500Mi}}}}"), "StatefulSet",
                     "blog-rabbitmq")  # fmt: skip
    assert f"vm_memory_high_watermark.absolute = {300 * 1024**2}" in made["args"]
    assert f"disk_free_limit.absolute = {1024**3 // 5}" in made["args"]


@pytest.mark.parametrize(("longest", "seconds"), [("5m", 86400), ("20h", 144000)])
def test_a_worker_may_hold_a_task_for_twice_the_longest_and_for_a_day(longest: str, seconds: int) -> None:
    workers = f"workers: {{default: {{celery: blog, longestTask: {longest}}}}}"
    made = container(app("{rabbitmq: {run: }}", workers), "StatefulSet", "blog-rabbitmq")
    assert f"consumer_timeout = {seconds * 1000}" in made["args"]


def test_memcached_holds_less_than_its_memory() -> None:
    made = container(app("{memcached: {run: {resources: {memory: 64Mi}}}}"), "Deployment", "blog-memcached")
    assert made["args"][:2] == ["-m", "48"]
    assert made["image"] == "docker.io/library/memcached:1.6"


def test_valkey_is_redis_under_names_of_its_own() -> None:
    made = container(app("{redis: {run: {engine: valkey}}}"), "StatefulSet", "blog-redis")
    assert made["image"] == "docker.io/valkey/valkey:8"
    assert made["command"][2].startswith("exec valkey-server")
    assert made["readinessProbe"]["exec"]["command"][0] == "valkey-cli"


def test_who_reads_the_parts_of_an_address_is_told_them_and_nobody_else() -> None:
    stores = app("{postgres: {run: }, rabbitmq: {run: }, memcached: {run: }}")
    assert not {"POSTGRES_HOST", "POSTGRES_SERVICE_HOST", "RABBITMQ_VHOST"} & told(stores).keys()
    reads = ("POSTGRES_DB", "POSTGRES_HOST", "POSTGRES_PASSWORD", "POSTGRES_SERVICE_PORT", "POSTGRES_USER",
             "RABBITMQ_VHOST", "MEMCACHED_SERVICE_HOST", "REDIS_HOST")  # fmt: skip
    found = told(stores, reads)
    plain = {name: found[name].get("value") for name in reads if name in found}
    assert plain == {
        "POSTGRES_DB": "blog",
        "POSTGRES_HOST": "blog-postgres",
        "POSTGRES_PASSWORD": None,
        "POSTGRES_SERVICE_PORT": "5432",
        "POSTGRES_USER": None,
        "RABBITMQ_VHOST": "blog",
        "MEMCACHED_SERVICE_HOST": "blog-memcached",
    }
    assert found["POSTGRES_PASSWORD"]["valueFrom"]["secretKeyRef"] == {"name": "blog-postgres", "key": "password"}


def test_what_the_spec_declares_is_not_told_a_second_time() -> None:
    stores = app(
        "{postgres: {run: }}", "env: {POSTGRES_HOST: elsewhere, POSTGRES_USER: me}\ndatabases: {default: postgres}"
    )
    found = told(stores, ("POSTGRES_HOST", "POSTGRES_USER"))
    assert "POSTGRES_HOST" not in found
    assert "POSTGRES_USER" not in found
    assert found["DATABASE_URL"]["value"].startswith("postgres://$(NUAGES_POSTGRES_USER):$(POSTGRES_PASSWORD)@")


def test_every_reference_is_to_a_variable_before_it() -> None:
    made = render(app("{postgres: {run: }, redis: {run: }, rabbitmq: {run: }, memcached: {run: }}"), release())
    (web,) = [item for item in made.web if item["kind"] == "Deployment"]
    known: set[str] = set()
    for variable in web["spec"]["template"]["spec"]["containers"][0]["env"]:
        assert set(REFERENCE.findall(variable.get("value", ""))) <= known
        known.add(variable["name"])
