"""When something in the project's folders changed. The folders themselves are watched, none below what is left out; a
change of the folders begins the watch anew, and what happened in between is found by looking.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from nuages.release.dev.tree import Project

if TYPE_CHECKING:
    from pathlib import Path

_QUIET_MS = 20  # after which a save is over: editors write a file in several steps
_LONGEST_MS = 300


async def changes(project: Project) -> AsyncIterator[None]:
    """One after each change, and one at the beginning of each watch; ends never."""
    from watchfiles import awatch  # noqa: PLC0415 - slow to import

    while True:
        folders = await asyncio.to_thread(project.folders)
        watch = awatch(
            *folders,
            watch_filter=None,
            recursive=False,
            step=_QUIET_MS,
            debounce=_LONGEST_MS,
            rust_timeout=200,
            ignore_permission_denied=True,
        )
        async with contextlib.aclosing(watch):
            coming = asyncio.ensure_future(anext(watch))
            await asyncio.sleep(0)  # it watches from here on
            yield
            try:
                while True:
                    changed = await coming
                    coming = asyncio.ensure_future(anext(watch))
                    yield
                    if _folders_changed(folders, {one for _, one in changed}):
                        break
            finally:
                coming.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                    await coming


def _folders_changed(folders: list[Path], paths: set[str]) -> bool:
    """Whether one came, or one that was watched is not there any more."""
    from pathlib import Path  # noqa: PLC0415

    known = {str(folder) for folder in folders}
    return any(path in known or Path(path).is_dir() for path in paths)
