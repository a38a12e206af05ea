"""docs/reference/plan.md names exactly the fields that a plan's JSON has: they are promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nuages.release.plan import shape
from nuages.release.tasks import Compared

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[3] / "docs/reference/plan.md"
STRUCTS = [
    shape.Plan,
    shape.Change,
    shape.Field,
    shape.Drift,
    shape.Migrations,
    shape.Pending,
    shape.Migration,
    shape.Operation,
    shape.Statement,
    shape.Lock,
    shape.Held,
    shape.Connections,
    shape.Roll,
    shape.Took,
    Compared,
    shape.Verdict,
    shape.Said,
]


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_the_page_names_the_fields_that_there_are_in_their_order(struct) -> None:
    _, _, after = PAGE.read_text().partition(f" ({struct.__name__})\n")
    section = re.split(r"^#", after, maxsplit=1, flags=re.MULTILINE)[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(struct.__struct_fields__)


def test_the_page_names_what_becomes_of_objects_and_of_drift() -> None:
    said = PAGE.read_text()
    assert all(f"`{action}`" in said for action in shape.Action if action is not shape.Action.SAME)
    assert all(f"`{outcome}`" in said for outcome in shape.Outcome)
