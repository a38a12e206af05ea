"""What `exec` writes down by the quick way is what release/audit.py reads and writes."""

from __future__ import annotations

import json

import msgspec
import pytest

from nuages.release import ran
from nuages.release.audit import Ran, _newest

pytestmark = pytest.mark.unit


def entry(**fields):
    return ran.begun(
        "blog", ["echo", "--password", "hunter2horse", "ü\n"], pod="blog-web-x", release=7, by="ada@desk"
    )._replace(**fields)


@pytest.mark.parametrize(
    "how",
    [{}, {"ended": "2026-11-22T08:44:35Z", "exit_code": 7}, {"ended": "2026-11-22T08:44:35Z", "note": "interrupted"}],
)
def test_both_ways_write_the_same(how):
    written = entry(**how)
    read = msgspec.json.decode(written.text, type=Ran, strict=True)
    assert msgspec.json.encode(read).decode() == written.text
    assert "hunter2horse" not in written.text
    assert read.key == written.id


def test_a_command_line_that_is_too_long_is_cut():
    told = ran.begun("blog", ["x" * 3000], pod="p", release=0, by="ada@desk")
    assert len(told.command[0]) == ran.LONGEST + 1


def test_the_oldest_go_as_the_whole_way_has_it():
    kept = {
        f"blog-{n}": json.dumps(
            {"started": f"2026-11-22T08:{n // 60:02}:{n % 60:02}Z", "pod": "p", "by": "a", "command": [], "release": 1}
        )
        for n in range(ran.KEPT + 3)
    }
    assert ran.beyond(kept) == _newest(kept)[ran.KEPT :] == ["blog-2", "blog-1", "blog-0"]
    assert ran.beyond(dict(list(kept.items())[: ran.KEPT])) == []
