"""What most commands begin with: which spec, which environment, which cluster."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from nuages.app.components import App
    from nuages.kube.client import Cluster

T = TypeVar("T")
Command = Callable[..., Any]


def spec_options(command: Command) -> Command:
    """`--file` and `--environment`, as every command spells them."""
    path = click.Path(path_type=Path)
    file = click.option("--file", "-f", type=path, default=Path("nuages.yaml"), help="The spec.", show_default=True)
    environment = click.option(
        "--environment", "-e", default="local", help="One of the spec's environments.", show_default=True
    )
    return file(environment(command))


def cluster_options(command: Command) -> Command:
    """`spec_options`, and `--context`."""
    context = click.option("--context", help="The kubeconfig context to use.")
    return spec_options(context(command))


def app_of(file: Path, environment: str) -> App:
    """Load the spec, resolve it for one environment and check it.

    Raises:
        Refused: with all findings; SpecInvalid where the file itself is wrong.
        UsageError: there is no such file or environment.
    """
    from nuages.checks.spec import accepted

    return accepted(file, environment)


def cluster_of(app: App, file: Path, asked: str | None) -> Cluster:
    """The cluster where the environment lives: the one it is bound to, the one asked for, or this machine's own.

    Raises:
        WrongCluster: that is not where the environment lives.
        UsageError: there is no such context.
    """
    from nuages.kube.client import Cluster
    from nuages.local.info import local_kubeconfig
    from nuages.release import binding

    context = binding.context(app, asked)
    kubeconfig = local_kubeconfig() if context is None and app.environment == "local" else None
    cluster = Cluster.connect(kubeconfig, context)
    binding.check(app, cluster, file.absolute().parent)
    return cluster


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; Ctrl-C and SIGTERM stop it where it is, and it gives back what it holds."""
    import asyncio
    import signal

    async def stoppable() -> T:
        task = asyncio.ensure_future(story)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(stoppable())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
