"""Tables in a terminal of 60 columns, and in a pipe."""

from __future__ import annotations

import pytest

from nuages.cli import db, env, top
from nuages.cli.listed import listed
from nuages.cli.narrow import folded, table
from nuages.release.brief import Brief, Releases
from nuages.release.database import Other, Size, Table
from nuages.release.top import Pod, Top
from nuages.release.usage import Usage
from nuages.release.variables import Variable

pytestmark = pytest.mark.unit

ROWS = [
    ("", "STATE", "HOST"),
    ("preview-12", "serves 1/1", "preview-12.example.com"),
    ("pr-7", "asleep", "preview-7-of-somebody.example.com"),
]


def test_what_fits_and_what_goes_into_a_pipe_is_a_line_for_each() -> None:
    assert table(ROWS, 80) == table(ROWS, None)
    assert table(ROWS, None)[1] == "preview-12  serves 1/1  preview-12.example.com"


def test_where_a_line_is_too_wide_each_name_stands_above_its_row() -> None:
    assert table(ROWS, 50) == [
        "  STATE       HOST",
        "preview-12",
        "  serves 1/1  preview-12.example.com",
        "pr-7",
        "  asleep      preview-7-of-somebody.example.com",
    ]


def test_a_word_that_fits_nowhere_stays_whole() -> None:
    assert folded("  at https://registry.example.com/acme/blog", 20) == [
        "  at",
        "  https://registry.example.com/acme/blog",
    ]


def test_no_table_and_a_single_cell_are_no_error() -> None:
    assert table([], 60) == []
    assert table([("blog",)], 2) == ["blog"]


def test_pods_of_long_names_fit_60_columns() -> None:
    mebi = 1024**2
    used = Usage(40, 240 * mebi, 300, 768 * mebi, 768 * mebi)
    pods = [Pod(f"blog-worker-newsletters-{name}-x7k2p", "worker-newsletters", "n", used) for name in ("5d9c6f", "a")]
    shown = top.lines(Top(1, "blog", "local", "blog-local", "here", False, pods), lambda text, _: text, 60)
    assert max(map(len, shown)) <= 60
    assert "  worker-newsletters-5d9c6f-x7k2p" in shown
    assert shown[shown.index("  worker-newsletters-a-x7k2p") + 1] == "    40m of 300m  240Mi of 768Mi  31% of 768Mi"


def test_large_tables_fit_60_columns() -> None:
    tables = [
        Table(name="newsletters_subscription_preferences", rows=1_000_000, dead=400_000, bytes=10**9, indexes=10**8),
        Table(name="post", rows=10, dead=0, bytes=8192, indexes=0),
    ]
    found = Size(
        app="blog", environment="local", database="blog", bytes=10**10, volume="10Gi", count=2, tables=tables,
        others=[Other(name="other", bytes=1)],
    )  # fmt: skip
    assert max(map(len, db._sizes(found, 60))) <= 60
    assert len(db._sizes(found)) == 4


def test_a_value_that_is_too_wide_stands_below_its_name_to_be_copied_whole() -> None:
    url = "postgres://blog@blog-postgres.blog-local.svc.cluster.local:5432/blog"
    found = [
        Variable(name="DATABASE_URL", value=url, source="services.postgres"),
        Variable(name="DEBUG", value="0", source="base"),
    ]
    assert env._variables(found, 60) == [
        "  DATABASE_URL",
        f"    {url}",
        "    # services.postgres",
        "  DEBUG         0  # base",
    ]
    assert env._variables(found, None)[0] == f"  DATABASE_URL  {url}  # services.postgres"


def test_a_release_with_much_to_say_stands_below_its_number() -> None:
    image, began = "registry.example.com/blog@sha256:" + 64 * "a", "2026-11-22T04:00:00Z"
    said = "why it failed, in more words than a narrow terminal has room for"
    found = [
        Brief(8, "failed", "ada@desk", "deploy", said, image, began, None, None, None, ""),
        Brief(7, "serving", "ada@desk", "deploy", "", image, began, began, 12.0, None, ""),
    ]
    told = Releases(1, "blog", "local", "blog-local", 7, found)
    assert max(map(len, listed(told, 60, as_json=False).split("\n"))) <= 60
    assert len(listed(told, None, as_json=False).split("\n")) == 2


def test_what_others_wrote_gives_the_terminal_no_orders_and_stays_in_its_line() -> None:
    began = "2026-11-22T04:00:00Z"
    one = Brief(1, "failed", "eve\x1b]0;x\x07@desk", "deploy", "", "", began, None, None, None, "two\n\x1b[2Jlines")
    told = listed(Releases(1, "blog", "local", "blog-local", None, [one]), None, as_json=False)
    assert told.endswith("eve]0;x@desk  two lines")
