"""Front ends while they are developed: each one's own development server, on this machine, where the browser is; it
asks the pod by way of the port that leads there. What it writes is shown, and it ends with the session.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from nuages.release.dev.session import Here

_SCRIPTS = ("dev", "start", "serve")
_LOCKS = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn"}
_SOON = 3.0  # seconds that one has to end
_LINE = 1 << 24  # bytes: a source map within a message is one line


def command(folder: Path) -> list[str]:
    """What starts the development server of a package; nothing where its package.json names none."""
    try:
        scripts = json.loads((folder / "package.json").read_text()).get("scripts", {})
    except (OSError, ValueError, AttributeError):
        return []
    name = next((name for name in _SCRIPTS if name in scripts), "")
    return [_manager(folder), "run", name] if name else []


def installation(folder: Path) -> list[str]:
    """What installs its packages; nothing where they are there."""
    if (folder / "node_modules").is_dir():
        return []
    manager = _manager(folder)
    return [manager, "ci" if manager == "npm" and (folder / "package-lock.json").is_file() else "install"]


@asynccontextmanager
async def served(folders: Mapping[str, Path], address: str, here: Here) -> AsyncIterator[None]:
    """Run them beside the body."""
    tasks = [asyncio.create_task(_served(key, folder, address, here)) for key, folder in folders.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _served(key: str, folder: Path, address: str, here: Here) -> None:
    line = command(folder)
    if not line:
        here.say(f"front end {key}: package.json has no script {' or '.join(_SCRIPTS)}", "!")
        return
    if not shutil.which(line[0]):
        here.say(f"front end {key}: {line[0]} is not installed here, so its development server does not run", "!")
        return
    for step in filter(None, (installation(folder), line)):
        here.say(f"front end {key}: {' '.join(step)}")
        if code := await _run(key, step, folder, address, here):
            here.say(f"front end {key}: {' '.join(step)} ended (exit {code})", "✗")
            return


async def _run(key: str, line: Sequence[str], folder: Path, address: str, here: Here) -> int:
    """One program in a process group of its own, for package managers start others."""
    told = {"BROWSER": "none", "NUAGES_DEV_URL": address, "FORCE_COLOR": os.environ.get("FORCE_COLOR", "0")}
    process = await asyncio.create_subprocess_exec(
        *line,
        cwd=folder,
        env={**os.environ, **told},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        limit=_LINE,
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        while text := await process.stdout.readline():
            here.show(f"{key} | ".encode() + text)
        return await process.wait()
    finally:
        await asyncio.shield(_end(process))


async def _end(process: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _SOON)
            return


def _manager(folder: Path) -> str:
    return next((manager for lock, manager in _LOCKS.items() if (folder / lock).is_file()), "npm")
