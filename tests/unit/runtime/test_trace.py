"""What a process opens below a folder is noted, and that it cannot be is noted too."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[3] / "src"


def told(folder: Path, body: str) -> list[str] | None:
    """What a trace of a folder tells after some Python; in a process of its own, since audit hooks stay."""
    script = "import sys, json\nfrom pathlib import Path\nfrom nuages_runtime.trace import Trace\n"
    script += f"trace = Trace(Path.cwd())\n{body}\nprint(json.dumps(trace.told()))\n"
    argv = [sys.executable, "-B", "-c", script]
    env = {"PYTHONPATH": str(SRC)}
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: list[str] | None = json.loads(done.stdout)
    # An import looks for byte code first, and here there is none.
    return answer and [name for name in answer if "__pycache__" not in name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").touch()
    (tmp_path / "app" / "settings.py").write_text("VALUE = 1\n")
    (tmp_path / "VERSION").write_text("1")
    (tmp_path / "views.py").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("sys.path.insert(0, ''); import app.settings", ["app/__init__.py", "app/settings.py"]),
        ("open('VERSION').read()", ["VERSION"]),
        ("Path('app/../VERSION').read_bytes()", ["VERSION"]),
        ("open(b'VERSION').close()", ["VERSION"]),
        ("open('/etc/hostname').close()", []),
        ("import subprocess; subprocess.run(['true'])", None),
        ("import os; os.system('true')", None),
        ("import sqlite3; sqlite3.connect(':memory:').close()", None),
    ],
)
def test_what_is_opened_is_told(body: str, names: list[str] | None, folder: Path) -> None:
    assert told(folder, body) == names


def test_what_is_opened_after_the_telling_is_not(folder: Path) -> None:
    assert told(folder, "trace.told(); open('VERSION').close()") == []


def test_extensions_and_libraries_of_the_project_are_told(folder: Path) -> None:
    built = importlib.util.find_spec("_bisect")
    if built is None or not built.origin or not built.origin.endswith(".so"):
        pytest.skip("this Python has no extension in a file of its own")
    shutil.copyfile(built.origin, folder / "_bisect.so")
    found = f"u.spec_from_file_location('_bisect', '{folder}/_bisect.so')"
    load = f"import importlib.util as u; u.module_from_spec({found})"
    assert told(folder, load) == ["_bisect.so"]
    assert told(folder, "import ctypes; ctypes.CDLL('./_bisect.so')") == ["_bisect.so"]
