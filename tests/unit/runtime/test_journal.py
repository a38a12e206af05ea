from __future__ import annotations

import io

import pytest

from nuages_runtime.facts import application
from nuages_runtime.migrate import Progress

pytestmark = pytest.mark.unit


def test_progress_passes_on_what_django_says_and_knows_the_migration_under_way() -> None:
    out = io.StringIO()
    progress = Progress(out)
    for text in ("  Applying posts.0001_initial...", " OK\n", "  Applying posts.0002_tags..."):
        progress.write(text)
    assert out.getvalue() == "  Applying posts.0001_initial... OK\n  Applying posts.0002_tags..."
    assert progress.migration == "posts.0002_tags"


def test_progress_keeps_the_statement_that_failed_and_none_of_its_values() -> None:
    progress = Progress(io.StringIO())

    def fail(*_: object) -> None:
        raise ValueError

    with pytest.raises(ValueError):
        progress.watch(fail, "INSERT INTO users\n  VALUES (%s)", ["a secret"], False, {})
    assert progress.statement == "INSERT INTO users VALUES (%s)"


def test_wsgi_application_is_written_as_servers_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert application("blog.wsgi.application", "NUAGES_WSGI") == "blog.wsgi:application"
    monkeypatch.setenv("NUAGES_WSGI", "other.wsgi:app")
    assert application(None, "NUAGES_WSGI") == "other.wsgi:app"
