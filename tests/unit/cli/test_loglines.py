"""How a line of a log looks, and which are wanted."""

from __future__ import annotations

import io
import json
import re

import pytest

from nuages.cli.loglines import Filter, Shown
from nuages.release.printed import Line, Source

pytestmark = pytest.mark.unit

POD = Source("blog", "blog-web-main-6f7-s8p6k", "u1", "web", "web", "main", "7")
ACCESS = {
    "time": "2026-11-21T18:57:28.841Z", "level": "INFO", "logger": "nuages.access", "message": "GET /posts/ 200",
    "request_id": "6f1c", "method": "GET", "path": "/posts/", "status": 200, "duration_ms": 12.34, "client": "10.0.0.1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Listening at: http://0.0.0.0:8000", "Listening at: http://0.0.0.0:8000"),
        (json.dumps(ACCESS), "GET /posts/ 200  12 ms  [6f1c]"),
        ('{"message": "saved", "level": "WARNING", "post": 3}', "WARNING saved  post=3"),
        ('{"message": "no", "exception": "Traceback\\n  here"}', "no\n    Traceback\n      here"),
        ('{"message": "sent", "task_id": "t1", "request_id": "r1"}', "sent  [t1]"),
        ('{"no": "message"}', '{"no": "message"}'),
        ("{not json", "{not json"),
        ("", ""),
    ],
)
def test_what_the_runtime_wrote_as_json_is_readable_and_all_else_stays(text, shown):
    out = io.StringIO()
    Shown(out, "text").write([Line("2026-11-21T18:57:28.842042603Z", POD, text)])
    assert out.getvalue() == f"18:57:28 web-main-s8p6k  {shown}\n"


def test_programs_get_where_a_line_comes_from_and_what_is_in_it():
    out = io.StringIO()
    Shown(out, "json").write([Line("2026-11-21T18:57:28Z", POD, json.dumps(ACCESS))])
    entry = json.loads(out.getvalue())
    assert (entry["pod"], entry["component"], entry["release"]) == (POD.pod, "web-main", "7")
    assert entry["fields"]["status"] == 200


@pytest.mark.parametrize(
    ("request_id", "text", "passes"),
    [
        ("r17", '{"request_id": "r17"}', True),
        ("r17", "saved [r17]", True),
        ("r17", '{"request_id": "r171"}', False),
        ("r17", "another-r17", False),
        ("a.b", "axb", False),
    ],
)
def test_a_request_is_found_by_its_whole_id(request_id, text, passes):
    assert Filter(None, request_id).passes(text) is passes


def test_a_pattern_is_searched_for():
    assert Filter(re.compile("Trace.*k$"), None).passes("a Traceback")
    assert not Filter(re.compile("^Trace"), None).passes("a Traceback")


ODD = [
    '{"message": "\\ud800"}', '{"message": "\\ud83d\\ude00"}', '{"message": "n", "x": NaN}', '{"message": "a"} b',
    '{"message": 1}', '{"message": "a", "message": "b"}', '{"message": "e", "x": [1, {"y": null}], "z": "ü"}', "{",
    '{"message": "' + "[" * 9 + '"}', '{"message": "a", "x": ' + "[" * 9000 + "]" * 9000 + "}",
]  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json"])
def test_few_lines_are_told_as_many_are(form):
    lines = [Line("2026-11-21T18:57:28Z", POD, text) for text in ODD]
    assert Shown(io.StringIO(), form, few=True).text(lines) == Shown(io.StringIO(), form).text(lines)
