"""Every command that a page shows is one that there is, with options and arguments that it takes."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from parsing import commands, parsed

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown(page: Path) -> list[str]:
    """The lines after a prompt in what is set apart, those that go on put together."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").split("\n")
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_is_one_that_can_be_typed(page: Path) -> None:
    wrong = []
    for line in shown(page):
        if "<Tab>" in line:  # half of a line
            continue
        for words in commands(line.split("  #")[0]):
            try:
                parsed(words)
            except click.UsageError as error:
                if not error.message.endswith("does not exist."):  # a file of the reader's
                    wrong.append(f"{line}: {error.format_message()}")
    assert wrong == []
