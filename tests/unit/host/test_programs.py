from __future__ import annotations

import pytest

from nuages.errors import MissingTool
from nuages.host import programs

pytestmark = pytest.mark.unit


def test_a_package_is_missing_once_however_many_of_its_programs_are() -> None:
    wanted = {"sh": "dash", "no-such-program": "tools", "no-other-either": "tools", "/no/such/file": "files"}
    assert programs.missing(wanted) == ["files", "tools"]


def test_who_may_not_install_is_told_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "found", lambda file: "/usr/bin/apt-get" if file == "apt-get" else None)
    monkeypatch.setattr(programs.os, "geteuid", lambda: 1000)
    with pytest.raises(MissingTool) as refused:
        programs.ensure({"nft": "nftables"}, lambda event: None)
    assert refused.value.message == "this machine lacks nftables"
    assert refused.value.hint == "run: sudo apt-get install nftables"
