"""What a database's answer means: who waits for whom, in which pod, and no password."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from nuages.progress import silent
from nuages.release import database, run
from nuages.release.database import Session, Wanted, chains, named

pytestmark = pytest.mark.unit

HOLDER = Session(pid=7, address="10.1.0.4", state="idle in transaction", seconds=90, query="update posts set a = 1")
WAITS = Session(pid=8, blocked_by=[7], wanted=Wanted(mode="AccessExclusiveLock", relation="posts"), query="alter table")
BEHIND = Session(pid=9, blocked_by=[8, 7], query="select 1")


def test_who_waits_stands_below_whom_it_waits_for():
    assert [(depth, one.pid) for depth, one in chains([BEHIND, WAITS, HOLDER])] == [(0, 7), (1, 9), (1, 8)]
    assert [(depth, one.pid) for depth, one in chains([HOLDER, WAITS])] == [(0, 7), (1, 8)]


def test_a_ring_is_told_once():
    ring = [Session(pid=1, blocked_by=[2]), Session(pid=2, blocked_by=[1])]
    assert [one.pid for _, one in chains(ring)] == [1, 2]


def test_a_session_is_known_by_its_pod_and_shows_no_password():
    pods = [{"metadata": {"name": "blog-web-main-x"}, "status": {"podIP": "10.1.0.4"}}]
    asked = Session(pid=5, query="ALTER ROLE blog PASSWORD 'hunter2'")
    found = named([HOLDER, asked], pods)
    assert [one.pod for one in found] == ["blog-web-main-x", ""]
    assert found[1].query == "ALTER ROLE blog PASSWORD '***'"


class Written(Exception):
    """What is written down, before anything runs."""


@pytest.mark.parametrize(
    ("asked", "typed"),
    [
        (lambda app: database.size(app, None, silent), "nuages db size"),
        (lambda app: database.locks(app, None, silent), "nuages db locks"),
        (lambda app: database.end(app, 7, None, silent), "nuages db locks --end 7"),
    ],
)
def test_what_is_written_down_is_what_was_typed_and_not_the_statement(asked, typed, monkeypatch):
    async def write(app, ran, cluster):
        raise Written(" ".join(ran.command))

    async def nothing(*given):
        return None

    live = SimpleNamespace(record=SimpleNamespace(number=3))
    monkeypatch.setattr(run.records, "history", nothing)
    monkeypatch.setattr(run.records, "live", lambda history: live)
    monkeypatch.setattr(run, "in_database", lambda *given: {})
    monkeypatch.setattr(run, "sweep", nothing)
    monkeypatch.setattr(run, "_remove", nothing)
    monkeypatch.setattr(run.audit, "write", write)
    app = SimpleNamespace(name="blog", namespace="blog-local", environment="local", postgres=True, external={})
    with pytest.raises(Written, match=f"^{typed}$"):
        asyncio.run(asked(app))
