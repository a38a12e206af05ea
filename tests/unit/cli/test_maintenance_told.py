"""Who put the page in front is told as another wrote it, and a terminal obeys none of it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from nuages.cli import maintenance
from nuages.release import pausing

pytestmark = pytest.mark.unit


class Cluster:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None


def test_who_did_it_moves_no_cursor_and_writes_no_clipboard(monkeypatch):
    printed = []
    by = "ada@work\x1b[2J\x1b]52;c;cm0=\x07"
    since = datetime(2026, 5, 4, 12, tzinfo=UTC)

    async def state(*_):
        return pausing.State(app="blog", environment="local", on=True, since=since, by=by)

    monkeypatch.setattr(pausing, "state", state)
    monkeypatch.setattr(maintenance, "app_of", lambda *_: None)
    monkeypatch.setattr(maintenance, "cluster_of", lambda *_: Cluster())
    monkeypatch.setattr(maintenance, "console", SimpleNamespace(print=printed.append))
    maintenance.command.main([], standalone_mode=False)
    assert len(printed) == 1
    assert printed[0].startswith("maintenance is on since 2026-05-04 12:00, by ada@work")
    assert printed[0].isprintable()
