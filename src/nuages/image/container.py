"""A working container: where the project's own Python runs while its image is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nuages.image import engines
from nuages.image.engine import Say, Volume

__all__ = ["Volume", "inside"]


def inside(
    container: str,
    program: Sequence[str],
    say: Say,
    *,
    volumes: Sequence[Volume] = (),
    env: Mapping[str, str] | None = None,
    offline: bool = False,
) -> str:
    """Run a program in a container and answer its standard output; lines of standard error are told as they come.

    `offline`: it has no network. `env` is seen by every user of this machine: nothing secret. What it writes into
    mounted folders belongs to who builds, where that is not root.

    Raises:
        CommandFailed: it ended with an error; `detail` has its last lines, without the engine's own.
    """
    return engines.chosen().run(container, program, say, volumes=volumes, env=env, offline=offline)
