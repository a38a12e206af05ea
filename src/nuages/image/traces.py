"""Answers that still hold: a project is asked anew only where a file changed that was opened when it was asked before.

A change in a view, a URL or a template opens nothing of what decides settings, migrations and static files, so told and
static files are those of before. New, removed and renamed files, and whatever a program started by the project may have
read, always ask anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from nuages.host.files import replace
from nuages.image import facts, ignore, layers, system
from nuages.image.dependencies import Kept

# Counted up when an answer means something else.
RECIPE = 1


class Answer(msgspec.Struct, frozen=True):
    """What a project said, the layer of its static files, and the digests of the files that it opened."""

    told: facts.Told
    static: Kept | None
    opened: dict[str, str]


class Trace(NamedTuple):
    """A project whose files have these digests, and where the answer of one with the same names is kept."""

    path: Path
    digests: dict[str, str]

    @classmethod
    def of(cls, inputs: Sequence[object], root: Path, files: Sequence[str]) -> Trace | None:
        """None where a link hides which file is read.

        Args:
            inputs: all that decides an answer beside the files.
            root: the project's folder.
            files: its files, relative to the folder.
        """
        if any((root / name).is_symlink() for name in files):
            return None
        runtime = facts.runtime_folder()
        ours = layers.digests(runtime, ignore.select(runtime).files)
        path = system.home() / "answers" / f"{system.short_hash([*inputs, ours, list(files), RECIPE])}.json"
        return cls(path, dict(zip(files, layers.digests(root, files), strict=True)))

    def holding(self) -> Answer | None:
        """The answer that is kept, if no file that it rests on has changed."""
        try:
            kept = msgspec.json.decode(self.path.read_bytes(), type=Answer)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        if any(self.digests.get(name) != digest for name, digest in kept.opened.items()):
            return None
        if kept.static is not None and not kept.static.stored:
            return None
        self.path.touch()  # who prunes looks at the time
        return kept

    def keep(self, told: facts.Told, static: Kept | None) -> None:
        """Remember an answer, where all that it rests on was seen."""
        if told.read is not None:
            opened = {name: self.digests[name] for name in told.read if name in self.digests}
            replace(self.path, msgspec.json.encode(Answer(told, static, opened)).decode())
