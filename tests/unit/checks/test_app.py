"""What is declared well and can't work together."""

from __future__ import annotations

import pytest

from nuages.app.build import Build, Gate
from nuages.app.components import App, resolve
from nuages.checks.app import check
from nuages.spec.load import parse

pytestmark = pytest.mark.unit


def app(text: str) -> App:
    head = "name: blog\nimage: a/b\nservices: {postgres: {run: }}\ndatabases: {default: postgres}\n"
    text += "\nenvironments: {local: }\n"
    return resolve(parse((head + text).encode(), "nuages.yaml"), "local")


def test_more_threads_than_connections_are_refused_with_the_numbers() -> None:
    (finding,) = check(app("web: {main: {replicas: 20}}"))
    assert (finding.id, finding.level) == ("app.E101", "error")
    assert finding.message == (
        "(20 + 5 while rolling out) x 1 x 4 + 5 beside = 105 connections, more than the 25 that its memory allows"
    )
    assert finding.hint.startswith("memory: 2304Mi")


def test_uploads_of_several_replicas_on_the_volume_of_one_node_are_refused() -> None:
    text = "media: {volume: {size: 1Gi, accessMode: ReadWriteOnce}}\nweb: {main: {replicas: 2}}"
    assert [finding.id for finding in check(app(text))] == ["app.E102"]


def test_one_replica_with_such_a_volume_is_warned_of_the_gap() -> None:
    text = "media: {volume: {size: 1Gi, accessMode: ReadWriteOnce}}\nweb: {main: {replicas: 1}}"
    assert [finding.id for finding in check(app(text))] == ["app.W103", "app.I104"]


def test_a_sound_app_has_no_finding() -> None:
    assert check(app("web: {main: {replicas: 3}}")) == []


def built(media_root: str | None) -> Build:
    return Build(reference="a/b@sha256:0", wsgi="b.wsgi:application", settings="b.settings", media_root=media_root)


def test_a_volume_that_the_project_has_no_place_for_is_refused() -> None:
    declared = app("media: {volume: {size: 1Gi}}\nweb: {main: {replicas: 2}}")
    assert [finding.id for finding in check(declared, built(None))] == ["app.E105"]
    assert check(declared, built("/app/media")) == []


def test_uploads_without_a_volume_are_warned_of() -> None:
    declared = app("web: {main: {replicas: 2}}")
    assert [finding.id for finding in check(declared, built("/app/media"))] == ["app.W106"]


def test_workers_and_beat_count_among_the_connections() -> None:
    text = """\
web: {main: {replicas: 2}}
workers: {default: {celery: {app: b, concurrency: 4}, replicas: 2}, own: {command: [x]}}
beat: {celery: b}
env: {CELERY_BROKER_URL: "amqp://mq"}
"""
    (finding,) = check(app(text))
    assert finding.message == (
        "(2 + 1 while rolling out) x 1 x 4 + (2 + 2 while old ones end) x 4 + (1 + 1 while old ones end) x 4"
        " + 1 of beat + 5 beside = 42 connections, more than the 25 that its memory allows"
    )


def test_workers_write_uploads_too() -> None:
    text = "media: {volume: {size: 1Gi, accessMode: ReadWriteOnce}}\nworkers: {own: {command: [x]}}"
    assert "app.E102" in [finding.id for finding in check(app(text))]


def test_uploads_in_a_folder_that_is_kept_need_no_volume_of_their_own() -> None:
    assert check(app("web: {main: {replicas: 2}}\nvolumes: {data: data}"), built("/app/data/media")) == []


def test_what_an_image_says_of_its_migrations_holds_a_release_back_unless_the_spec_lets_it_pass() -> None:
    said = Gate(id="migration.E402", level="error", message="models of blog have changed", place="blog", hint="migrate")
    build = Build(reference="a/b@sha256:0", wsgi="b.wsgi:application", settings="b.settings", gates=(said,))
    found = [each for each in check(app("web: {main: {replicas: 2}}"), build) if each.id.startswith("migration.")]
    assert [(each.id, each.level, str(each.place)) for each in found] == [("migration.E402", "error", "blog")]
    passed = check(app("web: {main: {replicas: 2}}\ndjango: {checks: {ignore: [migration.E402]}}"), build)
    assert not [each for each in passed if each.id.startswith("migration.")]
