"""The only place that runs programs of the host, and that knows a process again by pid and start time."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from nuages.errors import CommandFailed, MissingTool

LAST_LINES = 12  # of a failed program's output are shown


def run(
    argv: Sequence[str | Path], *, stdin: str = "", env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> str:
    """Run a program to its end and answer what it printed.

    Args:
        argv: program and arguments; never a secret, argv is public.
        stdin: what it reads.
        env: added to our own environment.
        cwd: where it runs.

    Raises:
        MissingTool: there is no such program.
        CommandFailed: it ended with an error; `detail` has the last lines of what it wrote to stderr.
    """
    try:
        done = subprocess.run(
            [str(part) for part in argv],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=_environment(env),
            cwd=cwd,
        )
    except FileNotFoundError as error:
        raise MissingTool(f"{argv[0]} is not installed on this machine") from error
    if done.returncode:
        raise _failed(argv, done.returncode, (done.stderr or done.stdout).splitlines())
    return done.stdout


def follow(
    argv: Sequence[str | Path],
    heard: Callable[[str], bool | None],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> bool:
    """Run a program and hand on each line that it prints (stdout and stderr) while it runs; True ends it early.

    Answers whether it was ended early.

    Raises:
        MissingTool: there is no such program.
        CommandFailed: it ended with an error by itself.
    """
    last: list[str] = []
    try:
        program = subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(env),
            cwd=cwd,
        )
    except FileNotFoundError as error:
        raise MissingTool(f"{argv[0]} is not installed on this machine") from error
    with program:
        assert program.stdout is not None  # noqa: S101 - asked for above; for the type checker
        try:
            for line in program.stdout:
                last = [*last[1 - LAST_LINES :], line.rstrip()]
                if heard(line.rstrip()):
                    program.terminate()
                    return True
        except BaseException:
            program.terminate()
            raise
    if program.returncode:
        raise _failed(argv, program.returncode, last)
    return False


def _environment(added: Mapping[str, str] | None) -> dict[str, str] | None:
    return {**os.environ, **added} if added else None


def _failed(argv: Sequence[str | Path], code: int, lines: Sequence[str]) -> CommandFailed:
    shown = " ".join(str(part) for part in argv[:4]) + (" …" if len(argv) > 4 else "")
    return CommandFailed(f"`{shown}` ended with exit code {code}", detail="\n".join(lines[-LAST_LINES:]))


class Process(msgspec.Struct, frozen=True):
    """A process that may have ended since: its pid, and when it began in clock ticks since boot (a pid comes again)."""

    pid: int
    started: int

    def alive(self) -> bool:
        """Whether this very process still runs; one that only waits to be reaped does not."""
        return _stat(self.pid) == (self.started, True)

    def kill(self) -> None:
        """End it by SIGKILL and wait until it is gone. One that is gone already is fine."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.alive():  # asked while the handle is held: the pid cannot come to mean another process in between
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                select.select([handle], [], [])
        finally:
            os.close(handle)


def children(pid: int) -> list[Process]:
    """The processes that this one started and that run now."""
    pids: set[int] = set()
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread ended while we looked
            pids.update(int(child) for child in thread.read_text().split())
    return [found for child in sorted(pids) if (found := process(child))]


def process(pid: int) -> Process | None:
    """The process that has this pid now, if any."""
    found = _stat(pid)
    return Process(pid, found[0]) if found and found[1] else None


def _stat(pid: int) -> tuple[int, bool] | None:
    """Start time (field 22 of proc(5) stat) and whether it runs (a zombie does not)."""
    try:
        content = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = content[content.rindex(")") + 2 :].split()  # the name before it may hold anything
    return int(fields[19]), fields[0] not in "ZX"
