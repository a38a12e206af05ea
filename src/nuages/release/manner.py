"""In which manner a release is brought live, and what stands against it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nuages.app.build import Build
from nuages.app.components import App
from nuages.findings import Finding, Level, Place
from nuages.release.record import Stored
from nuages.release.tasks import compare
from nuages.render.canary import GATEWAY, broker, most, way
from nuages.render.release import Release
from nuages.render.storage import one_node


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """What a deploy was asked for beyond what is to be live."""

    kind: str = ""
    """`canary` or `blue-green`, for a set beside the release that serves; "" for all at once."""
    percent: int | None = None
    """The first share of a canary; None for the spec's steps."""
    maintenance: bool = False
    """Whether a page stands in for the app meanwhile."""
    returns: bool = True
    """Whether the last good release is brought back by itself where this one fails."""


PLAIN = Manner()


def fits_beside(app: App, build: Build, serving: Stored | None, manner: Manner) -> list[Finding]:
    """What stands against a set beside the release that serves; pure.

    Args:
        app: as it is to be.
        build: its image.
        serving: the release that serves; without one nothing stands against, for the first release is brought whole.
        manner: as asked for.
    """
    if not manner.kind or serving is None:
        return []
    release = Release(number=0, template=0, build=build, canary=manner.kind)
    return [
        *_connections(app, manner),
        *_one_node(app),
        *_gateway(app, release, serving),
        *_tasks(app, build, serving),
    ]


def _connections(app: App, manner: Manner) -> Iterator[Finding]:
    """Old pods, those of the set, and at its promotion new ones too, have a connection each."""
    limit = most(app)
    wanted = 1 if manner.kind == "canary" else max([1, *(part.most for part in app.replicated)])
    if app.max_connections is None or limit is None or limit >= wanted:
        return
    pods = "one pod more of each" if wanted == 1 else "a second set of all pods"
    yield Finding(
        "release.E340",
        Level.ERROR,
        f"the {app.max_connections} connections of PostgreSQL are too few for {pods}",
        Place(path=app.memory),
        "more memory for it, whose connections follow, or fewer replicas",
    )


def _one_node(app: App) -> Iterator[Finding]:
    if one_node(app):
        yield Finding(
            "release.E341",
            Level.ERROR,
            "a volume is one node's, so no second set of pods can have it",
            Place(path="volumes"),
            "accessMode: ReadWriteMany; or deploy without --canary and --blue-green",
        )


def _gateway(app: App, release: Release, serving: Stored) -> Iterator[Finding]:
    routes = [item for item in serving.manifest.exposure if item["kind"] == "HTTPRoute"]
    if way(app, release) == GATEWAY and not routes:
        yield Finding(
            "release.E342",
            Level.ERROR,
            f"release {serving.record.number} is not reached by a gateway, so no route can share its requests out",
            Place(path="expose.kind"),
            "first deploy the change of `expose` by itself",
        )


def _tasks(app: App, build: Build, serving: Stored) -> Iterator[Finding]:
    """On a broker that both share, the workers that serve work off what the set's webs send: they have to know it."""
    if not app.celery or broker(app):
        return
    found = compare(build.tasks, serving.record.build.tasks)
    if found.known and not found.lost:
        return
    unknown = (
        ", ".join(found.lost) if found.known else "nobody knows which tasks, since an older nuages built the image"
    )
    yield Finding(
        "release.E343",
        Level.ERROR,
        f"the broker is shared, and the new release sends tasks that the old workers don't know: {unknown}",
        Place(path="env.CELERY_BROKER_URL"),
        "services.redis gives a set a queue of its own; or deploy without --canary and --blue-green",
    )
