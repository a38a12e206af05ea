from __future__ import annotations

import threading

import pytest

from nuages.host.lock import locked
from nuages.progress import Started, silent

pytestmark = pytest.mark.unit


def test_who_waits_for_a_lock_says_so_and_gets_it_when_the_file_was_removed_meanwhile(tmp_path):
    path, waits = tmp_path / "lock", threading.Event()
    got = []

    def second():
        def sink(event):
            if isinstance(event, Started):
                waits.set()

        with locked(path, sink, "the first"):
            got.append(path.exists())

    with locked(path, silent, "nobody"):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(10)
        path.unlink()
    thread.join(10)
    assert got == [True]
