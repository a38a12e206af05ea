from __future__ import annotations

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
