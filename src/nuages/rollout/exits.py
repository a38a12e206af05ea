"""Exit codes in words. Pure.

Above 128 a signal ended the program (128 + its number, https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html);
125 to 128 are the container runtime's and the shell's for a program that could not be started.
"""

from __future__ import annotations

import signal

_WORDS = {
    0: "it ended well, though it should go on",
    2: "wrong arguments",
    3: "its server could not start",  # gunicorn's word for a worker that does not boot
    124: "out of time",
    126: "not executable",
    127: "no such command",
    128: "it could not be started",
}
_SIGNALS = {
    signal.SIGKILL: "killed",
    signal.SIGTERM: "asked to end",
    signal.SIGSEGV: "it crashed in native code",
    signal.SIGABRT: "it aborted",
    signal.SIGBUS: "a bus error, such as shared memory that is full",
    signal.SIGILL: "an instruction that this processor lacks",
    signal.SIGINT: "interrupted",
    signal.SIGQUIT: "asked to quit at once",
    signal.SIGPIPE: "its reader has gone",
}


def in_words(code: int, *, memory: bool = False) -> str:
    """Say "exit 137, killed for its memory"; of codes that mean nothing in general only the number."""
    if memory:
        return f"exit {code}, killed for its memory"
    words = _WORDS.get(code, "")
    if 128 < code <= 128 + signal.NSIG:
        known = next((one for one in signal.Signals if one.value == code - 128), None)
        words = _SIGNALS.get(known, f"ended by {known.name}") if known else ""
    return f"exit {code}, {words}" if words else f"exit {code}"
