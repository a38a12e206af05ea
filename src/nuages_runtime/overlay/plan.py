"""plan(world) -> the changes of every part that is switched on, in one order. Pure: the world in, changes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nuages_runtime.dev.settings import developing
from nuages_runtime.overlay.change import Change, World
from nuages_runtime.overlay.database import databases
from nuages_runtime.overlay.files import logs, static
from nuages_runtime.overlay.queues import queues
from nuages_runtime.overlay.redis import caches
from nuages_runtime.overlay.security import debug, hosts, proxy, secret_key
from nuages_runtime.overlay.storages import media

# As they are called in NUAGES_OVERLAY.
PARTS: dict[str, Callable[[World], Iterator[Change]]] = {
    "hosts": hosts,
    "proxy": proxy,
    "secret-key": secret_key,
    "debug": debug,
    "databases": databases,
    "caches": caches,
    "static": static,
    "media": media,
    "logging": logs,
    "celery": queues,
    "dev": developing,
}


def plan(world: World) -> list[Change]:
    """What becomes of each setting that a part has something to say of."""
    wanted = world.words("NUAGES_OVERLAY")
    return [change for name, part in PARTS.items() if name in wanted for change in part(world)]
