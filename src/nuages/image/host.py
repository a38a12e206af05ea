"""Programs of this machine that images are made with: installed where they are missing, run, and one at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from nuages.errors import CommandFailed, MissingTool
from nuages.progress import Sink, silent, step

LAST_LINES = 12  # of a failed program's output are shown


def cache() -> Path:
    """Where archives of images are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nuages" / "images"


def install(programs: Mapping[str, str], sink: Sink) -> None:
    """Install by apt-get the packages of the programs that are missing; `programs` says which package has which.

    Raises:
        MissingTool: something is missing, and there is no apt-get or no right to use it.
    """
    packages = sorted({package for program, package in programs.items() if shutil.which(program) is None})
    if not packages:
        return
    listed = " ".join(packages)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise MissingTool(f"this machine lacks {listed}", hint=f"run: sudo apt-get install {listed}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with step(sink, f"install {listed}", expected=30) as doing:
        run(["apt-get", "update", "-q"], doing.say, env=quiet)
        run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages], doing.say, env=quiet)


def run(
    argv: Sequence[str | Path], say: Callable[[str], None] | None = None, *, env: Mapping[str, str] | None = None
) -> str:
    """Run a program to its end and answer what it printed (stdout and stderr); each line is said as it comes.

    Raises:
        MissingTool: there is no such program.
        CommandFailed: it ended with an error; `detail` has its last lines.
    """
    lines: list[str] = []
    try:
        program = subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **(env or {})},
        )
    except FileNotFoundError as error:
        raise MissingTool(f"{argv[0]} is not installed on this machine") from error
    with program:
        try:
            for line in program.stdout or ():
                lines.append(line.rstrip())
                if say is not None and lines[-1]:
                    say(lines[-1])
        except BaseException:
            program.terminate()
            raise
    if program.returncode:
        shown = " ".join(str(part) for part in argv[:3])
        raise CommandFailed(
            f"`{shown} …` ended with exit code {program.returncode}", detail="\n".join(lines[-LAST_LINES:])
        )
    return "\n".join(lines)


@contextmanager
def locked(path: Path, waiting_for: str, sink: Sink = silent) -> Iterator[None]:
    """Hold a lock file for the body, freed by the kernel when its holder dies; while another holds it, say so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step(sink, f"wait for {waiting_for}"):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
