"""Whatever prints has --json, and its shape is described; what has none says why, in docs/reference/records.md."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from described import COMMANDS, options

from nuages.cli import done
from nuages.local.status import Status
from nuages.release.database_copy import CopiedDatabase

pytestmark = pytest.mark.unit

REFERENCE = Path(__file__).parents[3] / "docs/reference"
RECORDS = (REFERENCE / "records.md").read_text()
PAGES = RECORDS + (REFERENCE / "plan.md").read_text()

SHAPES = {"ClusterStatus": Status} | {
    kind.__name__: kind
    for kind in (
        done.Built,
        done.Initialised,
        done.Values,
        done.Rotation,
        done.Turned,
        done.Down,
        done.Destroyed,
        done.Copied,
        done.Applied,
        done.Restored,
        done.Dropped,
        done.Carried,
        CopiedDatabase,
    )
}


def has_json(context: click.Context) -> bool:
    return any("--json" in option.opts for option in options(context))


def spoken(context: click.Context) -> str:
    """How it is called: without the word that may be left out, and by the first of two names."""
    words = context.command_path.split()
    if context.parent is not None and getattr(context.parent.command, "default", None) == words[-1]:
        words = words[:-1]
    return " ".join(words).replace("nuages db backup", "nuages backup").replace("nuages db restore", "nuages restore")


def section(title: str) -> str:
    """What stands below the heading that ends so."""
    _, _, after = RECORDS.partition(f"{title}\n")
    return re.split(r"^#", after, maxsplit=1, flags=re.MULTILINE)[0]


def test_what_has_no_json_says_why_and_nothing_else_does() -> None:
    rows = re.findall(r"^\| (`.*`) \|", section("\n## Commands without JSON"), re.MULTILINE)
    told = [name for row in rows for name in re.findall("`(.*?)`", row)]
    assert told == [context.command_path for context in COMMANDS if not has_json(context)]


@pytest.mark.parametrize("context", [each for each in COMMANDS if has_json(each)], ids=lambda each: each.command_path)
def test_the_shape_of_what_is_printed_is_described(context: click.Context) -> None:
    assert re.search(rf"`{spoken(context)}( [^`]*)? --json`", PAGES), f"no `{spoken(context)} --json` in records.md"


@pytest.mark.parametrize("title", SHAPES)
def test_the_page_names_the_fields_that_there_are_in_their_order(title: str) -> None:
    fields = SHAPES[title].__struct_fields__
    assert re.findall(r"^\| `(\w+)` \|", section(f" ({title})"), re.MULTILINE) == list(fields)
    assert fields[0] == "schema"
