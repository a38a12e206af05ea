"""A working container: where the project's own Python runs while its image is built. buildah makes it, without a
daemon.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nuages.errors import CommandFailed, MissingTool

# What buildah adds to the output of a program that failed.
_ADDED = re.compile(r"^(subprocess exited with status \d+|Error: exit status \d+)$")
# Last lines of a program that are kept for the error, should it fail.
KEPT = 60


class Volume(NamedTuple):
    """A folder or file of this machine as the container sees it."""

    source: Path
    target: str
    writable: bool = False

    def __str__(self) -> str:
        return f"{self.source}:{self.target}" + ("" if self.writable else ":ro")


def command(container: str, program: Sequence[str], volumes: Sequence[Volume], env: Mapping[str, str]) -> list[str]:
    """The command line that runs a program in a container; `env` is seen by every user of this machine: nothing secret.

    chroot isolation with the machine's own network: it works without a bridge, as root and in a user namespace alike.
    """
    mounts = [f"--volume={volume}" for volume in volumes]
    variables = [f"--env={name}={value}" for name, value in env.items()]
    return ["buildah", "run", "--isolation=chroot", "--network=host", *mounts, *variables, container, "--", *program]


def run(arguments: Sequence[str], say: Callable[[str], None] = lambda line: None) -> str:
    """Run a program and answer its standard output; lines of standard error are told as they come.

    Raises:
        CommandFailed: it ended with an error; `detail` has its last lines.
        MissingTool: it is not installed.
    """
    if shutil.which(arguments[0]) is None:
        raise MissingTool(f"{arguments[0]} is not installed", hint=f"on Debian: apt-get install {arguments[0]}")
    last: deque[str] = deque(maxlen=KEPT)
    with (
        tempfile.TemporaryFile("w+", errors="replace") as output,
        subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, text=True, errors="replace"
        ) as process,
    ):
        try:
            for line in process.stderr or ():
                if not _ADDED.match(line.rstrip()):
                    last.append(line.rstrip())
                    say(line.strip())
            code = process.wait()
        except BaseException:
            process.terminate()
            raise
        output.seek(0)
        answer = output.read()
    if code:
        raise CommandFailed(f"{arguments[0]} ended with {code}", detail="\n".join(last) or answer.strip())
    return answer
