"""The pages that name the phases name all of them, in the order in which a release goes through them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nuages.release.engine import PHASES
from nuages.render.hooks import POINTS

pytestmark = pytest.mark.unit

DOCS = Path(__file__).parents[3] / "docs"
OWN = [name for name in PHASES if name not in POINTS]
FORWARD = [name for name in OWN if name != "undo"]


def test_the_story_of_a_release_has_a_row_for_each_phase() -> None:
    story = (DOCS / "explanation/release.md").read_text().partition("| phase |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| ([a-z]+) \|", story, re.MULTILINE) == FORWARD


def test_the_word_phase_is_told_by_all_of_them() -> None:
    line = re.search(r"^\| phase \| ([a-z, ]+):", (DOCS / "explanation/words.md").read_text(), re.MULTILINE)
    assert line
    assert line[1].split(", ") == FORWARD


def test_the_phases_of_a_record_are_those_of_the_engine() -> None:
    line = re.search(r"^\| `phase` \| (`services`.*);", (DOCS / "reference/records.md").read_text(), re.MULTILINE)
    assert line
    assert sorted(re.findall(r"`([a-z]+)`", line[1])) == sorted(OWN)
