"""Projects that nobody prepared for this: generated from PyPI, or written as one of a kind; deployed unchanged."""

from __future__ import annotations

import shutil

import pytest

from .run import Run
from .table import projects

pytestmark = pytest.mark.e2e
OURS = {name: entry for name, entry in projects().items() if not entry.slow}


@pytest.mark.parametrize("name", OURS)
def test_a_project_runs_unchanged_and_nobody_types_anything(name, cluster, tmp_path):
    run = Run(name, OURS[name], cluster, tmp_path / name, lambda _: None)
    try:
        result = run.go()
    finally:
        run.away()
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    assert result.good, f"{result.failed}\n{result.said}"
    assert result.typed == []
    assert len(result.seen) == len(OURS[name].smoke)


def test_every_entry_says_where_it_comes_from_and_what_must_be_seen():
    for name, entry in projects().items():
        assert bool(entry.repository) + bool(entry.generate) + bool(entry.written) <= 1, name
        assert entry.smoke or entry.refused, name
        assert not entry.answers, f"{name}: nuages has to find this out by itself"
