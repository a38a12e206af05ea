from __future__ import annotations

import base64
import gzip
import json

import pytest

from nuages.release.record import Left
from nuages.release.reports import Failure, Report, read

pytestmark = pytest.mark.unit

FACTS = {"default": {"vendor": "postgresql", "wanted": {"a": {"columns": {"id": {"type": "bigint"}}}}, "known": {}}}
BEGUN = '@nuages {"event": "step", "migration": "blog.0005_slug", "statement": "CREATE INDEX CONCURRENTLY a ON b (c)"}'


def event(kind: str, **facts: object) -> str:
    return "@nuages " + json.dumps({"event": kind, **facts})


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("", Report()),
        ("Operations to perform:\n@nuages {broken\n@nuages [1]\n", Report()),
        (
            f"  Applying blog.0005_slug...\n{BEGUN}",
            Report(under_way="blog.0005_slug: CREATE INDEX CONCURRENTLY a ON b (c)"),
        ),
        (f"{BEGUN}\n OK\n", Report()),
        (f"{BEGUN}\nnuages: migrations are applied\n", Report()),
        (
            event("waiting", migration="blog.0005", reason="post is held by process 7", seconds=2.0),
            Report(under_way="blog.0005: post is held by process 7; again in 2.0 s"),
        ),
        (event("note", message="left as it is"), Report(notes=("left as it is",))),
        (
            "\n".join([event("deferred", entries=2, backfills=1, texts=[]), event("deferred", entries=1, texts=[])]),
            Report(left=Left(statements=3, backfills=1)),
        ),
        (
            event("failed", migration="blog.0005", statement="SELECT 1", error="E: no", hint="mend it", more=1),
            Report(failed=Failure(migration="blog.0005", statement="SELECT 1", error="E: no", hint="mend it")),
        ),
        (event("facts", gzip="nonsense"), Report()),
    ],
)
def test_what_a_log_tells(log: str, told: Report) -> None:
    assert read(log) == told


@pytest.mark.parametrize("packed", [True, False])
def test_the_facts_are_read_packed_or_plain(packed: bool) -> None:
    small = base64.b64encode(gzip.compress(json.dumps(FACTS).encode())).decode()
    found = read(event("facts", **({"gzip": small} if packed else {"databases": FACTS}))).schema
    assert found is not None
    assert found.databases["default"].wanted["a"].columns["id"].type == "bigint"


def test_a_refusal_keeps_each_finding() -> None:
    findings = [{"id": "migration.E430", "place": "blog.0005", "message": "Rename field a: no", "hint": "split it"}]
    (found,) = read(event("refused", findings=findings)).refused
    assert (found.id, str(found.place), found.hint) == ("migration.E430", "blog.0005", "split it")
