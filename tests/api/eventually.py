"""Waiting for the API server's own caches (rights, Services behind its proxy): no watch tells when they are fresh."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(question: Callable[[], Awaitable[object]], seconds: float = 60) -> None:
    """Ask until the answer is yes, or something."""
    async with asyncio.timeout(seconds):
        while not await question():
            await asyncio.sleep(0.02)
