"""Waiting for what no watch can tell: an answer from outside."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Callable
from typing import TypeVar

import httpx2

T = TypeVar("T")
PATIENCE = 180  # seconds; only what is broken takes them


def wait_for(what: Callable[[], T]) -> T:
    """What a question answers, asked until it is something; no answer at all is one that may come yet."""
    end = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException, httpx2.TransportError):
            if answer := what():
                return answer
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.2)
