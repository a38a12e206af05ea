"""The line that matters, out of logs as real programs left them."""

import json

import pytest

from nuages.rollout.tracebacks import last_trace, readable

from .recorded import log


@pytest.mark.parametrize(
    ("name", "line", "place"),
    [
        ("os-environ", "KeyError: 'SENTRY_DSN'", "proj/settings.py:124"),
        (
            "django-environ",
            "django.core.exceptions.ImproperlyConfigured: Set the SENTRY_DSN environment variable",
            "proj/settings.py:124",
        ),
        ("missing-module", "ModuleNotFoundError: No module named 'storages'", "proj/wsgi.py:16"),
        ("migrate-failed-python", "ValueError: no slug for post 7", "posts/migrations/0002_broken.py:3"),
        ("migrate-failed-statement", 'django.db.utils.ProgrammingError: relation "nowhere" does not exist', ""),
    ],
)
def test_the_exception_that_ended_the_program_and_the_projects_own_line_are_found(name, line, place):
    trace = last_trace(log(name))
    assert (trace.line, trace.place()) == (line, place)


def test_of_chained_exceptions_the_last_is_told_and_the_earlier_lend_their_frames():
    trace = last_trace(log("decouple"))
    assert trace.name == "UndefinedValueError"
    assert trace.place() == "proj/settings.py:124"


def test_an_earlier_exception_that_was_only_logged_lends_nothing():
    logged = "Traceback (most recent call last):\n  File \"/app/blog/views.py\", line 3, in feed\nKeyError: 'x'\n"
    ended = 'Traceback (most recent call last):\n  File "<frozen runpy>", line 198\nValueError: no\n'
    assert last_trace(logged + "GET /feed 500\n" + ended).place() == ""


def test_a_traceback_inside_a_json_line_is_found():
    text = 'Traceback (most recent call last):\n  File "/app/blog/settings.py", line 4, in <module>\nNameError: name'
    trace = last_trace(json.dumps({"level": "error", "exc_info": text}))
    assert (trace.line, trace.place()) == ("NameError: name", "blog/settings.py:4")


def test_the_place_is_told_from_the_projects_root():
    text = (
        'Traceback (most recent call last):\n  File "/srv/code/blog/settings.py", line 4, in <module>\nNameError: name'
    )
    assert last_trace(text).place("/srv/code") == "blog/settings.py:4"


def test_a_log_without_an_exception_has_no_trace():
    assert last_trace(log("migrate-refused")) is None
    assert last_trace("") is None


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain words", "plain words"),
        ('{"broken', '{"broken'),
        ('{"status": 200}', '{"status": 200}'),
        (json.dumps({"level": "INFO", "message": "Using worker: gthread"}), "INFO Using worker: gthread"),
        (
            json.dumps(
                {"level": "ERROR", "message": "no", "exc": "Traceback (most recent call last):\n ...\nKeyError: 1"}
            ),
            "ERROR no: KeyError: 1",
        ),
    ],
)
def test_a_line_of_a_json_logger_is_shown_as_a_person_reads_it(line, shown):
    assert readable(line) == shown
