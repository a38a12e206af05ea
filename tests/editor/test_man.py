"""The man page as `man` shows it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.editor, pytest.mark.usefixtures("programs")]

PAGE = Path(__file__).parents[2] / "docs/reference/nuages.1"


def test_groff_has_nothing_to_say_against_it() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", str(PAGE)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


def test_man_shows_it_in_a_narrow_terminal() -> None:
    env = {**os.environ, "MANWIDTH": "60", "MANPAGER": "cat", "MAN_KEEP_FORMATTING": "", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["man", "-l", str(PAGE)], capture_output=True, text=True, check=True, env=env)
    assert max(map(len, done.stdout.splitlines())) <= 60
    shown = " ".join(done.stdout.split())
    assert "nuages, nua - any Django project" in shown
    assert "nuages deploy [OPTIONS]" in shown
