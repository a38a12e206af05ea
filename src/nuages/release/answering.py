"""Which release answers through the Service of a web."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from nuages.app.objects import Object
from nuages.errors import Forbidden
from nuages.release.phases.bring import on_hand
from nuages.release.world import World
from nuages.render.labels import RUNTIME
from nuages.render.pause import BEHIND

UNREACHED = "the API server does not reach it"


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
    if status == 200:
        return str(msgspec.json.decode(body).get("release"))
    # The API server's own words: it could not reach the pod (a wall in between), which proves nothing.
    return UNREACHED if b'"Status"' in body else f"nothing but {status}"
