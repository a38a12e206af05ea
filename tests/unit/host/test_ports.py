from __future__ import annotations

from pathlib import Path

import pytest

from nuages.host import ports

pytestmark = pytest.mark.unit


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the kernel says of the ports that it gives to connections."""
    monkeypatch.setattr(ports, "EPHEMERAL", tmp_path / "range")
    return tmp_path / "range"


def test_ports_are_different_and_none_that_a_connection_may_get(kernel: Path) -> None:
    kernel.write_text("32768\t60999\n")
    found = ports.free(4)
    assert len(set(found)) == 4
    assert all(ports.FIRST <= port < ports.NODE_PORTS for port in found)


@pytest.mark.parametrize("said", ["1024\t65535\n", ""])
def test_where_the_kernel_may_give_all_of_them_any_will_do(kernel: Path, said: str) -> None:
    kernel.write_text(said)
    assert len(set(ports.free(2))) == 2
