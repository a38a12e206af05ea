from __future__ import annotations

import pytest

from nuages.errors import CommandFailed, MissingTool
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


def test_the_lists_of_packages_are_waited_for_while_somebody_else_brings_them_up_to_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def follow(argv: list[str], *_: object, **__: object) -> None:
        asked.append(argv[1])
        if len(asked) < 3:
            raise CommandFailed(
                "`apt-get update -q` ended with exit code 100",
                detail=f"E: {programs.LOCKED}. It is held by process 7 (apt-get)",
            )

    monkeypatch.setattr(programs, "found", lambda file: "/usr/bin/apt-get" if file == "apt-get" else None)
    monkeypatch.setattr(programs.os, "geteuid", lambda: 0)
    monkeypatch.setattr(programs.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(programs, "follow", follow)
    programs.ensure({"nft": "nftables"}, lambda event: None)
    assert asked == ["update", "update", "update", "install"]


@pytest.mark.parametrize(
    "said", ["E: no such host", "E: Could not open lock file /var/lib/apt/lists/lock - open (13: Permission denied)"]
)
def test_lists_that_cannot_be_had_for_another_reason_are_not_waited_for(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def follow(*_: object, **__: object) -> None:
        raise CommandFailed("`apt-get update -q` ended with exit code 100", detail=said)

    monkeypatch.setattr(programs, "found", lambda file: "/usr/bin/apt-get" if file == "apt-get" else None)
    monkeypatch.setattr(programs.os, "geteuid", lambda: 0)
    monkeypatch.setattr(programs, "follow", follow)
    with pytest.raises(CommandFailed):
        programs.ensure({"nft": "nftables"}, lambda event: None)
