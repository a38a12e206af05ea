"""Waiting for the API server's own caches (rights, Services behind its proxy): no watch tells when they are fresh."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nuages.errors import Forbidden
from nuages.kube.client import Cluster


async def eventually(question: Callable[[], Awaitable[object]], seconds: float = 60) -> None:
    """Ask until the answer is yes, or something."""
    async with asyncio.timeout(seconds):
        while not await question():
            await asyncio.sleep(0.02)


async def allowed(cluster: Cluster, kind: str, namespace: str) -> None:
    """Wait until a right to list that was just given holds."""

    async def listed() -> bool:
        try:
            await cluster.list(kind, namespace)
        except Forbidden:
            return False
        return True

    await eventually(listed)
