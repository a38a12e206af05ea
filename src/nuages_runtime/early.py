"""What is asked to end before it has begun ends at once.

To process 1 of a container the kernel gives no signal that it has no handler for
(https://man7.org/linux/man-pages/man7/pid_namespaces.7.html). A worker whose SIGTERM comes while it loads the project,
from a release that is followed by another or an autoscaler that thinks again, would go on loading, take tasks, and be
killed with them at the end of its grace: Redis gives back after an hour what was taken, and nobody what was told done
when it began, which is Celery's default.
"""

from __future__ import annotations

import os
import signal


def end_at_once() -> None:
    """Until the program's own handler takes its place, SIGTERM ends this process: nothing is under way yet."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
