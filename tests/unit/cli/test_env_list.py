"""`nuages env list`, where there is nothing to ask a cluster for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit


def test_a_spec_without_environments_lists_none_in_json_too(tmp_path: Path) -> None:
    (tmp_path / "nuages.yaml").write_text("apiVersion: nuages/v1\nname: blog\nimage: registry.example.com/acme/blog\n")
    asked = [sys.executable, "-m", "nuages", "env", "list", "--json"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
