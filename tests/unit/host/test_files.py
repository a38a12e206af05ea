from __future__ import annotations

import os
from pathlib import Path

import pytest

from nuages.host import files

pytestmark = pytest.mark.unit


def test_a_key_is_readable_for_its_owner_only_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "kubeconfig"
    files.replace(file, "key", mode=0o600)
    assert file.read_text() == "key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    files.replace(tmp_path / "link", "content")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "content"


def test_a_key_is_not_written_into_what_lies_where_it_is_prepared(tmp_path: Path) -> None:
    prepared = tmp_path / f".kubeconfig.{os.getpid()}"
    prepared.symlink_to(tmp_path / "elsewhere")
    files.replace(tmp_path / "kubeconfig", "key", mode=0o600)
    assert (tmp_path / "kubeconfig").read_text() == "key"
    assert not (tmp_path / "elsewhere").exists()
    assert not prepared.is_symlink()
