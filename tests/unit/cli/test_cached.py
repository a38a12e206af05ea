"""What is kept in the cache is our own: nobody else's file is believed, and no link followed."""

from __future__ import annotations

import os

import pytest

from nuages.cli import cached

pytestmark = pytest.mark.unit


def test_what_is_kept_is_for_us_alone(tmp_path):
    place = tmp_path / "nuages" / "sites" / "1"
    for text in ("one", "two"):
        cached.write(str(place), text)
    assert cached.read(str(place))[0] == "two"
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert list(place.parent.iterdir()) == [place]


def test_a_link_that_was_laid_there_is_not_written_through(tmp_path):
    other, place = tmp_path / "other", tmp_path / "1"
    other.write_text("as it was")
    (tmp_path / f"1.{os.getpid()}").symlink_to(other)
    cached.write(str(place), "ours")
    assert (other.read_text(), place.read_text()) == ("as it was", "ours")
    assert not place.is_symlink()


def test_a_file_of_somebody_elses_is_not_believed(tmp_path, monkeypatch):
    place = str(tmp_path / "1")
    cached.write(place, "theirs")
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(PermissionError):
        cached.read(place)
