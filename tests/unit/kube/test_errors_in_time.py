"""A cluster that cannot be had is told in one line: by a whole command, as a person runs it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
import yaml

from nuages.errors import UsageError
from nuages.kube.config import load

pytestmark = pytest.mark.unit

SPEC = "name: blog\nimage: registry.example.com/acme/blog\nenvironments: {local: }\n"


def kubeconfig(folder, server):
    file = folder / "kubeconfig"
    cluster = {"server": server, "insecure-skip-tls-verify": True}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "away",
        "clusters": [{"name": "away", "cluster": cluster}],
        "users": [{"name": "ana", "user": {"token": "hunter22"}}],
        "contexts": [{"name": "away", "context": {"cluster": "away", "user": "ana"}}],
    }
    file.write_text(yaml.safe_dump(document))
    return file


def releases(folder, server, *arguments):
    (folder / "nuages.yaml").write_text(SPEC)
    env = os.environ | {"KUBECONFIG": str(kubeconfig(folder, server))}
    return subprocess.run(
        [sys.executable, "-m", "nuages", "releases", *arguments],
        cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture
def silent():
    """A port that takes connections and never says a word, as a load balancer without a server behind it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"https://127.0.0.1:{server.getsockname()[1]}"


def test_a_server_that_takes_connections_and_says_nothing_is_given_up(silent, tmp_path):
    done = releases(tmp_path, silent, "--context", "away")
    assert done.returncode == 1
    first, hint = done.stderr.splitlines()
    assert first.startswith(f"✗ no answer from {silent} (context away)")
    assert hint.startswith("  hint  is the cluster running")
    assert "hunter22" not in done.stderr


def test_a_context_typed_wrong_is_met_with_the_right_one(tmp_path):
    with pytest.raises(UsageError, match="no context awya") as told:
        load(kubeconfig(tmp_path, "https://127.0.0.1:1"), "awya")
    assert told.value.hint == "did you mean away?"
