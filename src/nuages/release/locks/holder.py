"""Who holds a lock: a process, named so that others know it and its own machine can tell whether it is gone."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

BY_HAND = "by-hand"
"""What stands in the place of a process where a person holds a lock; an older nuages takes it for somebody alive."""


def me() -> str:
    """Who holds the lock: user@host, and the process with its start time: a recycled pid is not taken for it.

    Two machines may have one host name (`debian`, `localhost`, a CI's containers): so which machine is said too.
    """
    return f"{user()}/{os.getpid()}-{_started(os.getpid())}-{machine()}"


def by_hand() -> str:
    """A person as a holder, who has it until it is given back."""
    return f"{user()}/{BY_HAND}"


def heir(by: str, release: int) -> str:
    """As whom a lock is kept for the Job that is to drive a release."""
    return f"{by}/driver-{release}"


def user() -> str:
    """user@host, as records and messages name a person; a pod that drives a release goes under who started it."""
    name = getpass.getuser()
    return name if "@" in name else f"{name}@{socket.gethostname()}"


def machine() -> str:
    """Where a pid means something: this boot of this kernel, in this pid namespace; empty where there is no /proc."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        return f"{boot[:8]}.{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def is_gone(holder: str) -> bool:
    """Whether a holder is a process of this machine and user that has ended; of others we can't know."""
    who, _, process = holder.rpartition("/")
    pid, _, rest = process.partition("-")
    started, _, where = rest.partition("-")
    return (who, where) == (user(), machine()) and pid.isdigit() and _started(int(pid)) != started


def person(holder: str) -> str:
    """user@host of a holder; "nobody" where there is none."""
    return holder.rpartition("/")[0] or "nobody"


def _started(pid: int) -> str:
    """When a process started, in clock ticks since boot (proc(5), field 22); empty where it is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
