"""A release that is driven in the cluster, and seen from here."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from nuages.cli.console import console
from nuages.cli.target import run

if TYPE_CHECKING:
    from nuages.app.build import Build
    from nuages.app.components import App
    from nuages.kube.client import Cluster
    from nuages.progress import Sink
    from nuages.release.deploy import Holds
    from nuages.release.locks.lock import Wish
    from nuages.release.manner import Manner


def hand_over(
    app: App,
    build: Build | None,
    cluster: Cluster,
    progress: Sink,
    *,
    wish: Wish,
    manner: Manner,
    holds: Holds | None,
    as_json: bool,
) -> None:
    """Prepare a release, hand it over to a Job, and follow that."""
    from nuages.local.delivery import deliver_driver
    from nuages.release.deploy import serving_build
    from nuages.release.driver.detach import detach

    image = deliver_driver(app, cluster.context, progress)

    async def handed() -> int:
        what = build or await serving_build(app, cluster)
        return (await detach(app, what, cluster, progress, image=image, wish=wish, manner=manner, holds=holds)).number

    _followed(handed(), app, cluster, progress, as_json=as_json)


def attach(app: App, cluster: Cluster, progress: Sink, *, as_json: bool) -> None:
    """Follow the release that is under way.

    Raises:
        Refused: none is.
    """
    from nuages.errors import Refused
    from nuages.release import records

    async def open_one() -> int:
        history = await records.history(cluster, app.namespace, app.name, app.environment)
        if not history or not history[0].open:
            raise Refused("no release is under way", hint="nuages releases")
        return history[0].record.number

    _followed(open_one(), app, cluster, progress, as_json=as_json)


def _followed(which: Coroutine[Any, Any, int], app: App, cluster: Cluster, progress: Sink, *, as_json: bool) -> None:
    """Follow a release until it ends; who leaves then leaves it going."""
    from nuages.cli.status import live
    from nuages.errors import Interrupted
    from nuages.release.driver.follow import follow

    numbers: list[int] = []

    async def story() -> None:
        async with cluster:
            numbers.append(await which)
            record = await follow(app, numbers[0], cluster, progress)
            for line in [] if as_json else await live(app, cluster, record):
                console.print(line)

    try:
        run(story())
    except KeyboardInterrupt:
        if not numbers:
            raise
        raise Interrupted(
            f"left; release {numbers[0]} goes on in the cluster", hint="nuages deploy --follow shows it again"
        ) from None
