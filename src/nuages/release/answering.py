"""Which release answers through the Service of a web."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import msgspec

from nuages.app.objects import Object
from nuages.errors import Forbidden
from nuages.release.phases.bring import on_hand
from nuages.release.world import World
from nuages.render.labels import RUNTIME
from nuages.render.pause import BEHIND

UNREACHED = "the API server does not reach it"


class _Ready(msgspec.Struct):
    """What the runtime in the image says of itself."""

    release: str | int | None = None


class Unasked(NamedTuple):
    """Nobody can tell which release answers; `why` is "" where that is as it should be."""

    why: str = ""


async def answers(service: Object, world: World) -> str | Unasked:
    """The release that a web's Service answers as; UNREACHED, or what else is the matter."""
    about = service["metadata"]
    if about.get("annotations", {}).get(RUNTIME) == "false":
        return Unasked()  # the project's own server has no /-/ready
    port = service["spec"]["ports"][0]["name"]
    try:
        called = about["name"] + (BEHIND if on_hand(world, service) else "")
        status, body = await world.cluster.service_get(about["namespace"], called, port, "/-/ready")
    except Forbidden:
        return Unasked("no right to get services/proxy")
    return release(status, body)


def release(status: int, body: bytes) -> str:
    """The release that says so of itself; UNREACHED, or what else came back. Pure."""
    if status == 200:
        with contextlib.suppress(msgspec.DecodeError):
            return str(msgspec.json.decode(body, type=_Ready).release)
        return "something else"  # a proxy beside the web, which answers for it
    # The API server's own words: it could not reach the pod (a wall in between), which proves nothing.
    return UNREACHED if b'"Status"' in body else f"nothing but {status}"
