"""`python -m nuages.cli.drive`: what the Job of `nuages deploy --detach` runs in the cluster. Nobody types it."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("name")
@click.argument("environment")
@click.argument("namespace")
@click.argument("release", type=int)
@click.option("--no-return", is_flag=True, help="Bring no earlier release back where it fails.")
def command(name: str, environment: str, namespace: str, release: int, no_return: bool) -> None:
    """Drive a release that was handed over to its end, with the pod's own account; tell events, one a line."""
    from nuages.cli.console import console
    from nuages.cli.target import run
    from nuages.kube.client import Cluster
    from nuages.release.driver.driven import Place, drive_on
    from nuages.release.events import Teller, told

    teller = Teller(console.print)

    async def story() -> None:
        async with Cluster.connect() as cluster:
            await drive_on(Place(name, environment, namespace), release, cluster, teller.sink, returns=not no_return)

    with told(teller):
        run(story())


AGAIN = 75
"""The exit code that has the Job make another pod (EX_TEMPFAIL of sysexits.h)."""


def main() -> int:
    """Run it; the exit code tells the Job whether another pod would change anything."""
    from nuages.errors import NuagesError, Unreachable

    try:
        command.main(standalone_mode=False)
    except (Unreachable, click.Abort):
        return AGAIN
    except NuagesError as error:
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
