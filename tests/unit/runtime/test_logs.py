from __future__ import annotations

import json
import logging
import logging.config
import subprocess
import sys

import pytest

from nuages_runtime.logs import Json, Text, config, request_id

pytestmark = pytest.mark.unit


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("posts", logging.WARNING, "posts.py", 1, message, arguments, None)
    vars(made).update(extra)
    return made


def test_a_record_is_one_line_of_json_with_what_the_project_gave_as_extra() -> None:
    line = Json().format(record("%s is\nlate", "Ada", order=7, lines=[1, 2], request=object()))
    assert "\n" not in line
    entry = json.loads(line)
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "WARNING",
        "logger": "posts",
        "message": "Ada is\nlate",
        "order": 7,
        "lines": [1, 2],
    }


def test_what_the_project_gives_as_extra_replaces_none_of_our_own_fields() -> None:
    assert json.loads(Json().format(record("x", level="none", time="never")))["level"] == "WARNING"


def test_a_traceback_is_in_the_record_that_it_belongs_to() -> None:
    try:
        int("too late")
    except ValueError:
        failed = record("it failed", exc_info=sys.exc_info())
    line = Json().format(failed)
    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("base 10: 'too late'")


def test_a_line_says_which_request_it_belongs_to() -> None:
    token = request_id.set("abc")
    try:
        assert json.loads(Json().format(record("x")))["request_id"] == "abc"
        assert Text().format(record("x")).endswith("WARNING posts: x [abc]")
    finally:
        request_id.reset(token)
    assert Text().format(record("x")).endswith("WARNING posts: x")


@pytest.mark.parametrize("formatter", [Json(), Text()])
def test_half_a_character_costs_no_line(formatter: logging.Formatter) -> None:
    line = formatter.format(record("a name: %s, caf\xe9", "\ud83d"))
    assert "caf\xe9".encode() in line.encode()
    if isinstance(formatter, Json):
        assert json.loads(line)["message"] == "a name: \ud83d, caf\xe9"


def test_a_line_is_json_by_the_letter() -> None:
    entry = json.loads(
        Json().format(record("x", ratio=float("nan"), rows=[float("inf")], half=0.5)), parse_constant=str
    )
    assert entry["half"] == 0.5
    assert not {"ratio", "rows"} & set(entry)


@pytest.mark.parametrize(("kind", "formatter"), [("json", Json), ("text", Text)])
def test_the_configuration_is_one_that_logging_takes(kind: str, formatter: type, restored_logging: None) -> None:
    logging.config.dictConfig(config(kind))
    assert [type(handler.formatter) for handler in logging.getLogger().handlers] == [formatter]


FULL = """
import os, sys, time
from nuages_runtime.logs import to_stdout

to_stdout("first " + "x" * 10_000)
os.set_blocking(1, False)
try:
    while True:
        os.write(1, b"y" * 100)
except BlockingIOError:
    os.set_blocking(1, True)
began = time.monotonic()
to_stdout("nobody reads this")
sys.exit(0 if time.monotonic() - began < 5 else 1)
"""


def test_a_log_that_nobody_reads_holds_no_request_up() -> None:
    with subprocess.Popen([sys.executable, "-c", FULL], stdout=subprocess.PIPE) as process:
        assert process.wait(20) == 0
        assert process.stdout
        said = process.stdout.read()
    assert said.startswith(b"first " + b"x" * 10_000 + b"\n")
    assert b"nobody" not in said


@pytest.fixture
def restored_logging():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
