"""A deploy of the blog in a process of its own, for tests that kill it: prints each phase as it begins."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from test_release import BUILD, blog

from nuages.kube.client import Cluster
from nuages.progress import Started
from nuages.release.deploy import deploy
from nuages.release.phases import verify


def show(event):
    """Tell whoever holds the other end of the pipe, at once."""
    if isinstance(event, Started):
        sys.stdout.write(f"{event.title}\n")
        sys.stdout.flush()


async def main(kubeconfig, namespace, folder):
    verify.VERIFY = timedelta(0)
    async with Cluster.connect(Path(kubeconfig)) as cluster:
        await deploy(blog(namespace, Path(folder)), BUILD, cluster, show)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
