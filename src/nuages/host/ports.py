"""Ports of this machine that a program is to listen on a moment after they were looked for."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
NODE_PORTS = 30000
"""Kubernetes' own begin here (kube-apiserver --service-node-port-range)."""
FIRST = 10240
"""Below lie those of programs that everybody knows."""


def free(count: int = 1) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on, all different.

    Not of those that the kernel gives to connections (ip_local_port_range, ip(7)): such a one may be in use by the time
    that the program comes.
    """
    below = range(FIRST, min(_ephemeral(), NODE_PORTS))
    tried = random.sample(below, min(len(below), 100 * count))
    with ExitStack() as held:
        found: list[int] = []
        for port in (*tried, *[0] * count):  # 0: any
            one = held.enter_context(socket.socket())
            with suppress(OSError):
                one.bind(("127.0.0.1", port))
                found.append(one.getsockname()[1])
            if len(found) == count:
                break
        return found


def _ephemeral() -> int:
    """The first port that the kernel gives to connections."""
    try:
        return int(EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return FIRST
