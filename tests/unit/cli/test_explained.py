"""`nuages config explain` without what is slow to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nuages.cli import explained
from nuages.spec.describe import described, flat

pytestmark = pytest.mark.unit

TOLD = (
    "import sys; from nuages.cli.main import main\n"
    "sys.argv = ['nuages', *sys.argv[1:]]\n"
    "try:\n    main()\n"
    "finally:\n    print(sorted({'msgspec', 'click', 'yaml', 'asyncio'} & set(sys.modules)), file=sys.stderr)\n"
)


def test_simple_values_are_written_as_yaml_writes_them():
    pages = [described(path) for path, _ in flat("")]
    values = [value for page in pages for value in (page.default, *page.examples) if value is not None]
    values += [
        "y",
        "no",
        "~",
        "on",
        "1e3",
        "0x1f",
        "12",
        "1:30",
        "30s",
        "5Gi",
        "",
        "-",
        "a b",
        "null",
        "None",
        ".5",
        [],
        {},
    ]
    for value in values:
        assert explained.flow(value) == explained._written(value)
    assert sum(explained._simple(value) is not None for value in values) > len(values) / 2


@pytest.mark.parametrize("words", [("web",), ("web.main.requestTimeout", "--json"), ("expose", "-r")])
def test_a_page_needs_neither_click_nor_yaml(words, tmp_path):
    def told(*options):
        return subprocess.run(
            [sys.executable, "-c", TOLD, *options, "config", "explain", *words],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip

    quick, whole = told(), told("--debug")  # with an option before the command it goes the whole way
    assert quick.stdout == whole.stdout != ""
    assert "click" not in quick.stderr
    assert "click" in whole.stderr
