"""Running programs of this machine: `run` for an answer, `follow` for its lines as they come.

A program's last words go into the error; what it is called with is public, so no secret is ever in argv.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nuages.errors import CommandFailed, MissingTool

LAST_LINES = 12  # of a failed program's output are shown
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"

Argv = Sequence[str | Path]


def run(
    argv: Argv,
    say: Callable[[str], None] | None = None,
    *,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    keep: int = LAST_LINES,
) -> str:
    """Run a program to its end and answer what it printed to stdout.

    Args:
        argv: program and arguments.
        say: told each line of stderr as it comes, empty ones left out.
        stdin: what it reads.
        env: added to our own environment.
        cwd: where it runs.
        keep: how many of its last lines the error has, should it fail.

    Raises:
        MissingTool: there is no such program.
        CommandFailed: it ended with an error; `detail` has the last lines of stderr, or else of stdout.
    """
    last: deque[str] = deque(maxlen=keep)
    # Files, so that a program that prints much, or reads late, never waits for us while we read its stderr.
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+", errors="replace") as printed:
        given.write(stdin)
        given.seek(0)
        with started(argv, stdin=given, stdout=printed, stderr=subprocess.PIPE, env=env, cwd=cwd) as program:
            for line in _lines(program.stderr):
                last.append(line)
                if say is not None:
                    say(line)
        printed.seek(0)
        answer = printed.read()
    if program.returncode:
        raise _failed(argv, program.returncode, last or answer.splitlines()[-keep:])
    return answer


def follow(
    argv: Argv,
    heard: Callable[[str], bool | None],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> bool:
    """Run a program and hand on each line that it prints (stdout and stderr) while it runs, empty ones left out.

    `heard` may answer True to end it early. Answers whether it was ended early.

    Raises:
        MissingTool: there is no such program.
        CommandFailed: it ended with an error by itself; `detail` has its last lines.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    with started(argv, env=env, cwd=cwd) as program:
        for line in _lines(program.stdout):
            last.append(line)
            if heard(line):
                program.terminate()
                return True
    if program.returncode:
        raise _failed(argv, program.returncode, last)
    return False


@contextmanager
def started(
    argv: Argv,
    *,
    stdin: IO[str] | int = subprocess.DEVNULL,
    stdout: IO[str] | int = subprocess.PIPE,
    stderr: int = subprocess.STDOUT,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """A program that runs beside the body and has ended after it; it is terminated where the body fails.

    Raises:
        MissingTool: there is no such program.
    """
    try:
        program = subprocess.Popen(
            [str(part) for part in argv],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            text=True,
            errors="replace",
            env=environment(env),
            cwd=cwd,
        )
    except FileNotFoundError as error:
        raise MissingTool(f"{argv[0]} is not installed on this machine") from error
    with program:
        try:
            yield program
        except BaseException:
            program.terminate()
            raise


def environment(added: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our own environment with what is added; PATH ends in sbin, which that of root after `su` or in cron lacks."""
    return {**os.environ, "PATH": f"{os.environ.get('PATH', os.defpath)}:{SBIN}", **(added or {})}


def _lines(stream: IO[str] | None) -> Iterator[str]:
    return (line for raw in stream or () if (line := raw.rstrip()))


def _failed(argv: Argv, code: int, last: Sequence[str]) -> CommandFailed:
    shown = " ".join(str(part) for part in argv[:4]) + (" …" if len(argv) > 4 else "")
    return CommandFailed(f"`{shown}` ended with exit code {code}", detail="\n".join(last))
