"""docs/reference/records.md names exactly the fields that records, the status and findings have: they are promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nuages.app.build import Build, Statics
from nuages.findings import Finding, Place
from nuages.project.explain import Line
from nuages.project.report import Row
from nuages.release.audit import Ran
from nuages.release.brief import Brief, Releases
from nuages.release.database import Locks, Session, Size
from nuages.release.difference import Change, Difference
from nuages.release.doctor.findings import Examination, Look
from nuages.release.environments.listing import Listed
from nuages.release.events import Event
from nuages.release.keeping.backups import Backup, Backups, Drilled
from nuages.release.keeping.upgrade import Upgrade, Upgraded
from nuages.release.pausing import State
from nuages.release.record import SCHEMA, DatabaseState, Outcome, Passed, Pause, Record, Reference
from nuages.release.releases import Shown
from nuages.release.seen import Certificate, Component, Hold, Job, Problem, Schedule, Status
from nuages.release.services.record import Changed
from nuages.release.top import Pod, Top
from nuages.release.trials.trial import Trial
from nuages.release.usage import Usage
from nuages.release.values import Entry, Listing
from nuages.release.variables import Variables
from nuages.release.webhook import Notice
from nuages.render.release import Hook, Manifest

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[3] / "docs/reference/records.md"

FIELDS = {
    "Changed": Changed.__struct_fields__,
    "Upgrade": Upgrade.__struct_fields__,
    "Upgraded": Upgraded.__struct_fields__,
    "Record": Record.__struct_fields__,
    "Build": Build.__struct_fields__,
    "Statics": Statics.__struct_fields__,
    "Passed": Passed.__struct_fields__,
    "Trial": Trial.__struct_fields__,
    "Pause": Pause.__struct_fields__,
    "Reference": Reference.__struct_fields__,
    "DatabaseState": DatabaseState.__struct_fields__,
    "Manifest": Manifest.__struct_fields__,
    "Releases": Releases._fields,
    "Brief": Brief._fields,
    "Shown": Shown.__struct_fields__,
    "Difference": Difference.__struct_fields__,
    "Change": Change.__struct_fields__,
    "Event": Event.__struct_fields__,
    "Hook": Hook.__struct_fields__,
    "Notice": Notice.__struct_fields__,
    "Ran": Ran.__struct_fields__,
    "State": State.__struct_fields__,
    "Status": Status._fields,
    "Hold": Hold._fields,
    "Component": Component._fields,
    "Usage": Usage._fields,
    "Schedule": Schedule._fields,
    "Job": Job._fields,
    "Certificate": Certificate._fields,
    "Problem": Problem._fields,
    "Top": Top._fields,
    "Pod": Pod._fields,
    "Listing": Listing.__struct_fields__,
    "Entry": Entry.__struct_fields__,
    "Backups": Backups.__struct_fields__,
    "Backup": Backup.__struct_fields__,
    "Drilled": Drilled.__struct_fields__,
    "Size": Size.__struct_fields__,
    "Locks": Locks.__struct_fields__,
    "Session": Session.__struct_fields__,
    "Listed": Listed.__struct_fields__,
    "Variables": Variables.__struct_fields__,
    "Examination": Examination.__struct_fields__,
    "Look": Look.__struct_fields__,
    "Row": Row._fields,
    "Line": Line._fields,
    "Finding": Finding._fields,
    "Place": Place._fields,
}


def documented(title: str) -> list[str]:
    """The first column of the table below the heading that ends with `(title)`."""
    _, _, after = PAGE.read_text().partition(f" ({title})\n")
    section = re.split(r"^#", after, maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("title", FIELDS)
def test_the_page_names_the_fields_that_there_are_in_their_order(title: str) -> None:
    assert documented(title) == list(FIELDS[title])


def test_the_page_names_every_outcome() -> None:
    assert all(f"`{outcome}`" in PAGE.read_text() for outcome in Outcome)


def test_the_page_names_the_shape_of_records() -> None:
    assert f"shape {SCHEMA}" in PAGE.read_text()
