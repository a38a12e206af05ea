"""What a cluster's cgroups are given, on a folder that looks like a hierarchy."""

from __future__ import annotations

import pytest

from nuages.local import cgroups

pytestmark = pytest.mark.unit


def test_a_group_of_version_2_hands_its_controllers_down(tmp_path):
    (tmp_path / "cgroup.controllers").write_text("pids\n")
    cgroups.hand_down(tmp_path)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+pids"


def test_a_group_of_version_1_has_nothing_to_hand_down(tmp_path):
    cgroups.hand_down(tmp_path)
    assert not any(tmp_path.iterdir())
