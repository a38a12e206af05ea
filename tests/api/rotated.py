"""A rotation of the blog's password in a process of its own, which kills itself as a step begins."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from stopped import dying
from test_release import blog

from nuages.kube.client import Cluster
from nuages.release.keeping import jobs
from nuages.release.keeping.rotation import rotate


async def _nothing(*_):
    """No kubelet keeps a log here."""
    return []


async def main(kubeconfig, namespace, folder, at):
    jobs._printed = _nothing
    async with Cluster.connect(Path(kubeconfig)) as cluster:
        await rotate(blog(namespace, Path(folder)), cluster, dying(at))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
