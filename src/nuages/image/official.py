"""The official image, where its registry answers: tried once, with little patience, and not again for an hour."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

from nuages.host.command import started
from nuages.image import layout
from nuages.image.engine import Engine, Say

PATIENCE = 6.0  # seconds until a registry that works has sent the manifest
FORGET = 3600.0  # seconds that an unreachable registry is believed to stay so
UNREACHABLE = ".registry-unreachable"
# The registry is there and knows no such image, or not for us: others may still be had from it.
_REFUSED = ("reading manifest", "manifest for ", "manifest unknown", "pull access denied")


def worth_trying(folder: Path) -> bool:
    """Whether the registry may answer: it was not found unreachable in the last hour, as noted in this folder."""
    unreachable = folder / UNREACHABLE
    return not unreachable.exists() or time.time() - unreachable.stat().st_mtime > FORGET


def pull(engine: Engine, reference: str, to: Path, say: Say) -> bool:
    """Pull an image by an engine (its mirrors and credentials hold) and write its archive; False when it can't be had.

    A registry that was not reached is noted beside `to`, so that the next image does not wait for it too.
    """
    answered, ended = _pulled(engine, reference, say)
    if not ended:
        if not answered:
            (to.parent / UNREACHABLE).touch()
        return False
    with tempfile.TemporaryDirectory(dir=to.parent) as temporary:
        folder = Path(temporary) / "layout"
        engine.export(reference, folder, say)
        layout.archive(layout.read(folder), [reference], to)
    return True


def _pulled(engine: Engine, reference: str, say: Say) -> tuple[bool, bool]:
    """Whether the registry answered at all (if only with a refusal), and whether the whole image came."""
    answered = False
    with started(engine.pulling(reference)) as program:
        impatient = threading.Timer(PATIENCE, program.terminate)
        impatient.start()
        try:
            for line in program.stdout or ():
                say(line.rstrip())
                if engine.answered in line:
                    impatient.cancel()
                answered = answered or any(words in line for words in (engine.answered, *_REFUSED))
        finally:
            impatient.cancel()
    return answered, program.returncode == 0
