"""The channels of a container's streams, and how a program in it ended. Pure, and quick to import.

Each message is one byte that names a channel, and bytes: 0 input, 1 output, 2 errors, 3 how it ended (a Status), 4 the
terminal's size. Version 5 of the protocol adds 255: "this channel is at its end", without which a program that reads
to the end of a pipe never gets there. Version 4 is spoken with API servers before 1.30.
https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

INPUT, OUTPUT, ERRORS, ENDED, SIZE = range(5)
CLOSED = 255
FIVE, FOUR = "v5.channel.k8s.io", "v4.channel.k8s.io"

OPENING = 30.0
"""Seconds that the API server and the pod's node may take until a connection is open; both may be busy."""

ALIVE = 15.0
"""Seconds between pings: what lies between may end a silent connection after a minute (AWS, nginx)."""

SILENCE = 60.0
"""Seconds that a ping may stay unanswered: a container that reads nothing holds its answer back too."""


def wanted(container: str, *, stdin: bool, tty: bool, command: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Which streams are wanted of a container, as the API spells it; and the command to start in it."""
    streams = {"stdin": stdin, "stdout": True, "stderr": not tty, "tty": tty}
    named = [(name, str(value).lower()) for name, value in streams.items()]
    return [("container", container), *named, *(("command", word) for word in command)]


def code(status: Mapping[str, Any]) -> int | None:
    """The exit code in the Status that ends the streams of a program (remotecommand's NonZeroExitCode).

    127 and 126, as shells say it, where there is no such program or none that may be run: the runtime's own words.
    """
    if status.get("status") == "Success":
        return 0
    said = str(status.get("message", ""))
    if "exec failed" in said or "executing command" in said:
        if "executable file not found" in said or "no such file or directory" in said:
            return 127
        if "permission denied" in said:
            return 126
    causes = (status.get("details") or {}).get("causes") or []
    return next((int(one["message"]) for one in causes if one.get("reason") == "ExitCode"), None)
