"""`nuages exec` by the quick way, where what it meets is not well: it ends in time, and says it as every command."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from types import SimpleNamespace

import pytest

from nuages.cli import entered, near
from nuages.cli.conversed import conversed
from nuages.cli.glimpse import read
from nuages.kube import wire
from nuages.kube.config import Access
from nuages.kube.frames import BINARY, CLOSE
from nuages.kube.glance import Answer, Glance
from nuages.release import ran
from nuages.release.entrance import Place
from nuages.release.leaving import Detached

pytestmark = pytest.mark.unit
SITE = SimpleNamespace(name="blog", namespace="blog-local")


@pytest.fixture
def begun():
    entry = ran.begun("blog", ["sh"], pod="blog-web-1", release=3, by="ada@desk")
    where = Place("blog-web-1", "web", 3, serves=True)
    return entered.Begun(
        Access("x", {}, {}), SITE, where, "NUAGES_EXEC=1", tty=False, entry=entry, beyond=[], questions=None
    )


@contextlib.contextmanager
def silent(*_):
    """A connection to somebody who takes everything and says nothing."""
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as stream:
        yield Glance(ours, stream, Access("x", {"server": "https://one"}, {}), "")


async def test_what_runs_is_ended_in_time_also_where_its_node_says_nothing(begun, monkeypatch):
    monkeypatch.setattr(entered, "glance", silent)
    monkeypatch.setattr(entered, "GONE", 0.2)
    await asyncio.wait_for(asyncio.to_thread(entered._end, begun), wire.OPENING / 2)


def answering(status):
    @contextlib.contextmanager
    def glance(*_):
        yield SimpleNamespace(merge=lambda *_: None, answer=lambda: Answer(status, b"{}"))

    return glance


def test_a_command_that_took_its_own_environment_away_keeps_its_exit_code(begun, monkeypatch):
    monkeypatch.setattr(entered, "glance", answering(404))
    monkeypatch.setattr(wire, "opened", lambda *_: None)
    monkeypatch.setattr("nuages.cli.conversed.conversed", lambda *_, **__: 7)
    with contextlib.ExitStack() as held:
        assert entered._ran(begun, ["true"], held) == 7


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 1, ["no space left on device"]),
        (ValueError("odd"), 1, ["a mistake in nuages: ValueError: odd"]),
        (Detached(), 0, []),
    ],
)
def test_whatever_ends_it_is_told_in_one_line(begun, monkeypatch, error, code, said):
    def fails(*_):
        raise error

    monkeypatch.setattr(entered, "_begun", lambda *_: begun)
    monkeypatch.setattr(entered, "_ran", fails)
    monkeypatch.setattr(entered.signal, "signal", lambda *_: None)
    monkeypatch.setattr(entered.gc, "freeze", lambda: None)
    told = []
    console = SimpleNamespace(error=lambda error: told.append(error.message) or error.exit_code)
    monkeypatch.setattr("nuages.cli.console.console", console)
    assert entered.entered({}, read("exec", ["web"])) == code
    assert told == said


def test_a_reader_that_takes_its_time_loses_no_connection(monkeypatch):
    """A pager that is full stops all of it: nothing is heard then, though it may have come."""
    theirs, ours = socket.socketpair()
    now, shown = [1000.0], []
    monkeypatch.setattr(wire, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def show(_, data):
        shown.append(data)
        now[0] += wire.ALIVE + wire.SILENCE + 1

    monkeypatch.setattr(near, "show", show)
    monkeypatch.setattr("nuages.cli.conversed.KEYS", os.open(os.devnull, os.O_RDONLY))
    with theirs, ours:
        ours.setblocking(False)
        # As a server sends them: unmasked.
        for message in (b"\x01one", b"\x01two", b'\x03{"status":"Success"}'):
            theirs.sendall(bytes((0x80 | BINARY, len(message))) + message)
        theirs.sendall(bytes((0x80 | CLOSE, 2)) + (1000).to_bytes(2, "big"))
        monkeypatch.setattr(wire, "CHUNK", 5)
        assert conversed(wire.Wire(ours, b"", "v5.channel.k8s.io", None), tty=False) == 0
    assert shown == [b"one", b"two"]
