"""A deploy of the blog in a process of its own, which is killed as a phase begins: it prints each as it begins.

It kills itself, as the kernel would: whoever reads what it prints may be late, and it goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from test_release import BUILD, blog

from nuages.kube.client import Cluster
from nuages.progress import Started
from nuages.release.deploy import deploy
from nuages.release.phases import verify


def dying(at):
    """A sink that tells what begins whoever holds the other end of the pipe, and dies where that is `at`."""

    def show(event):
        if isinstance(event, Started):
            sys.stdout.write(f"{event.title}\n")
            sys.stdout.flush()
            if event.title == at:
                os.kill(os.getpid(), signal.SIGKILL)

    return show


async def main(kubeconfig, namespace, folder, at):
    verify.VERIFY = timedelta(0)
    async with Cluster.connect(Path(kubeconfig)) as cluster:
        await deploy(blog(namespace, Path(folder)), BUILD, cluster, dying(at))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
