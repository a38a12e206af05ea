"""A cluster that somebody else made, named by a context of the user's kubeconfig: looked at, and nothing created."""

from __future__ import annotations

import asyncio

from nuages.kube.client import Cluster


def reach(context: str) -> str:
    """Ask the cluster of this context for its version.

    Raises:
        UsageError: there is no such context.
        Unreachable: it does not answer.
    """

    async def ask() -> str:
        async with Cluster.connect(None, context) as cluster:
            return await cluster.version()

    return asyncio.run(ask())
