"""Ids are a promise: each is documented, and nothing is documented that no code finds.

Diagnoses (`diag.…`) have a page of their own.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs/reference/findings.md"
ID = re.compile(r'"((?:spec|app|objects|release|migration|project|image|registry)\.[A-Z][0-9]{3})"')


def used() -> set[str]:
    return {found for path in (ROOT / "src").rglob("*.py") for found in ID.findall(path.read_text())}


def documented() -> list[str]:
    return re.findall(r"^\| `([a-z]+\.[A-Z][0-9]{3})` \|", REFERENCE.read_text(), re.MULTILINE)


def test_every_id_in_the_code_is_documented() -> None:
    assert used() - set(documented()) == set()


def test_every_documented_id_is_in_the_code() -> None:
    assert set(documented()) - used() == set()


def test_no_id_is_documented_twice() -> None:
    assert len(documented()) == len(set(documented()))
