"""Records to test with."""

from datetime import UTC, datetime

import msgspec

from nuages.app.build import Build
from nuages.release.record import DatabaseState, Outcome, Record, Stored
from nuages.render.release import Manifest

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

BUILD = Build(
    reference="registry.example.com/acme/blog@sha256:" + "1" * 64,
    wsgi="blog.wsgi:application",
    settings="blog.settings",
    migrations={"posts": ["0002_comments"]},
)


def record(number=1, **changes):
    """A record of the blog, as it begins."""
    before = Record(
        number=number,
        template=number,
        app="blog",
        environment="local",
        namespace="blog-local",
        by="ada@laptop",
        build=BUILD,
        started=NOON,
        database=DatabaseState(volumes=("v1",), migrations=BUILD.migrations),
    )
    return msgspec.structs.replace(before, **changes)


def live(number, **changes):
    """A release that went live."""
    return stored(record(number, **changes).closed(Outcome.LIVE, NOON))


def stored(of, web=()):
    """A record with a manifest."""
    manifest = Manifest(foundation=[], services=[], expand=[], web=list(web), exposure=[])
    return Stored(record=of, manifest=manifest, resource_version=None)
