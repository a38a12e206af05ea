"""What Tab does in bash, zsh and fish themselves, in a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from screen import Screen

pytestmark = [pytest.mark.editor, pytest.mark.usefixtures("programs")]

SPEC = """\
name: blog
image: registry.example.com/acme/blog
web: {main: {}, api: {routes: [/api/]}}
services: {postgres: {run: }}
secrets: {SECRET_KEY: {generate: true}, SENTRY_DSN: }
environments: {local: {}, staging: {cluster: staging}}
"""
PROGRAMS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
BEGUN = {
    "bash": "source <(nuages completion bash)",
    "zsh": "autoload -U compinit; compinit -u -D; source <(nuages completion zsh)",
    "fish": "source (nuages completion fish | psub)",
}
LINES = [
    ("nuages dep", "loy"),
    ("nua dep", "loy"),
    ("nuages secrets li", "st"),
    ("nuages deploy --mainten", "ance"),
    ("nuages deploy -e st", "aging"),
    ("nuages deploy --environment=st", "aging"),
    ("nuages secrets set SEN", "TRY_DSN"),
    ("nuages logs web-a", "pi"),
    ("nuages logs -e staging post", "gres"),
    ("nuages check -f nuages.y", "aml"),
    ("nuages check --file=nuages.y", "aml"),
]
"""What is typed before Tab, and what the shell adds."""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A home that is empty, and nuages on the PATH."""
    (tmp_path / "nuages.yaml").write_text(SPEC)
    kept = {name: value for name, value in os.environ.items() if name in ("LANG", "LC_ALL")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "HOME": str(tmp_path), "TERM": "dumb", "PS1": "$ ", "KUBECONFIG": "/nowhere"}


@pytest.fixture(params=["bash", "zsh"])
def shell(request: pytest.FixtureRequest, env: dict[str, str], tmp_path: Path) -> Iterator[Screen]:
    """A shell that completes nuages."""
    found = Screen(PROGRAMS[request.param], tmp_path, env, columns=200)
    begun = BEGUN[request.param]
    found.type(f"{begun}; line() {{ printf '<%s>\\n' \"$*\"; }}; echo rea''dy\n")
    found.until("ready")
    yield found
    found.close()


def test_tab_completes_the_line(shell: Screen) -> None:
    for typed, added in LINES:
        shell.type(f"{typed}\t")
        shell.until(re.escape(added))
        shell.type("\x01line \x05\n")  # the shell itself says which words it would run
        shell.until(f"<{typed}{added}>")


def test_fish_completes_the_line(env: dict[str, str], tmp_path: Path) -> None:
    told = [f"complete -C '{typed}' | string split -f1 \\t; echo ," for typed, _ in LINES]
    done = subprocess.run(
        ["fish", "--no-config", "-c", "; ".join([BEGUN["fish"], *told])],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    wanted = [typed.rpartition(" ")[2] + added for typed, added in LINES]
    assert [word.strip() for word in done.stdout.split(",\n")] == [*wanted, ""]


def test_tab_twice_shows_what_there_is(shell: Screen) -> None:
    shell.type("nuages secrets \t\t")
    for name in ("import", "list", "set", "unset"):
        shell.until(rf"\b{name}\b")


def test_a_name_that_is_there_no_more_is_offered_no_more(shell: Screen, tmp_path: Path) -> None:
    shell.type("nuages deploy -e st\t")
    shell.until("aging")
    shell.type("\x15")
    (tmp_path / "nuages.yaml").write_text(SPEC.replace("staging: {", "stable: {"))
    shell.type("nuages deploy -e st\t")
    shell.until("able")
