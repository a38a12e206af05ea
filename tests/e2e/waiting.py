"""Waiting for what no watch can tell: an answer from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(what: Callable[[], T], seconds: float = 60) -> T:
    """What a question answers, asked until it is something."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.2)
    return answer
