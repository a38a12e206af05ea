"""A cluster of an installed kind: which of its commands are run, by a program in kind's place that writes them down."""

from __future__ import annotations

import pytest

from nuages.local import cluster

pytestmark = pytest.mark.unit

PROGRAM = """\
#!/bin/sh
echo "$1 $2" >> "$ASKED"
case "$1 $2" in
    "get clusters") echo theirs ;;
    "get kubeconfig") echo "kind: Config" ;;
esac
"""


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """The commands given to kind, which has a cluster `theirs`; our own state lies in a folder of the test."""
    for module in ("places", "cluster"):
        monkeypatch.setattr(f"nuages.local.{module}.base", lambda: tmp_path / "state")
    program = tmp_path / "bin" / "kind"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    return lambda: (tmp_path / "asked").read_text().splitlines()


def test_a_cluster_that_was_there_before_is_used_and_not_deleted(asked):
    assert cluster.up("theirs", provider="kind").context == "kind-theirs"
    assert cluster.down("theirs")
    assert "create cluster" not in asked()
    assert "delete cluster" not in asked()


def test_a_cluster_that_up_made_is_deleted(asked):
    cluster.up("ours", provider="kind")
    assert cluster.down("ours")
    assert "create cluster" in asked()
    assert asked()[-1] == "delete cluster"
