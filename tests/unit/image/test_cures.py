from __future__ import annotations

import pytest

from nuages.image.cures import Raised, cure, raised, reason

pytestmark = pytest.mark.unit

BUILD_FAILED = """\
Resolved 12 packages in 300ms
   Building psycopg2==2.9.10
  × Failed to build `psycopg2==2.9.10`
  ├─▶ The build backend returned an error
  ╰─▶ Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)

      [stdout]
      running egg_info

      [stderr]
      Error: pg_config executable not found.
"""


def test_the_reason_begins_at_the_installer_s_mark_and_has_no_progress_in_it() -> None:
    told = reason(BUILD_FAILED).splitlines()
    assert told[0].strip() == "× Failed to build `psycopg2==2.9.10`"
    assert told[-1].strip() == "Error: pg_config executable not found."
    assert not any("running egg_info" in line or "Resolved" in line for line in told)


def test_a_long_reason_keeps_its_beginning_what_names_an_error_and_its_end() -> None:
    middle = [f"line {number}" for number in range(50)]
    middle[20] = "Error: pg_config executable not found."
    told = reason("\n".join(["error: it failed", *middle])).splitlines()
    assert told == ["error: it failed", "line 0", "line 1", middle[20], "line 48", "line 49"]


def test_without_a_mark_the_last_lines_are_the_reason() -> None:
    assert reason("\n".join(str(number) for number in range(20)), lines=3) == "17\n18\n19"


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        (BUILD_FAILED, "libpq-dev"),
        ("fatal error: Python.h: No such file or directory", "python3-dev"),
        ("error: command 'gcc' failed: No such file or directory", "gcc"),
        ("E: Unable to locate package libfoo", "Debian does not have"),
        ("× No solution found when resolving dependencies:", "exclude each other"),
        ("all is well", ""),
    ],
)
def test_known_failures_have_a_cure(output: str, advice: str) -> None:
    assert advice in cure(output) if advice else cure(output) == ""


TRACEBACK = """\
Traceback (most recent call last):
  File "/usr/lib/python3.13/runpy.py", line 198, in _run_module_as_main
    return _run_code(code)
  File "/app/shop/settings.py", line 41, in <module>
    DSN = env("SENTRY_DSN")
  File "/venv/lib/python3.13/site-packages/environ/environ.py", line 388, in get_value
    raise ImproperlyConfigured(error_msg)
django.core.exceptions.ImproperlyConfigured: Set the SENTRY_DSN environment variable
  with a second line
"""


def test_a_traceback_ends_in_one_error_and_in_a_line_of_the_project_s_own() -> None:
    wanted = "django.core.exceptions.ImproperlyConfigured: Set the SENTRY_DSN environment variable"
    assert raised(TRACEBACK, "/app") == Raised(wanted, "shop/settings.py", 41)
    assert raised("all is well", "/app") is None
