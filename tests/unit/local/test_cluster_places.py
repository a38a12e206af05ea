"""Where a cluster's things are, and how they go."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nuages.local.places import Places

pytestmark = pytest.mark.unit


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "blog")
    (made.lib / "etcd").mkdir(parents=True)
    made.info.write_text("{}")
    return made


def test_nothing_is_left_of_a_cluster(places: Places) -> None:
    places.forget()
    assert not places.root.exists()


def test_a_removal_that_was_interrupted_can_be_repeated(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shutil, "rmtree", stopped)
        places.forget()
    assert places.info.exists()
    places.forget()
    assert not places.root.exists()
