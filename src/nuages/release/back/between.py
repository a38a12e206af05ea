"""Which migrations lie between two releases, by name: what the one recorded, and what is recorded in the database now.

A squash and what it replaces are the same thing told twice
(https://docs.djangoproject.com/en/stable/topics/migrations/#squashing-migrations).
"""

from __future__ import annotations

from collections.abc import Iterator

from nuages.app.schema import Database
from nuages.release.back.misfit import Misfit, Weight


def since(then: Database, now: Database) -> list[str]:
    """The migrations that are applied now and that the earlier release knew neither by name nor in a squash."""
    known, files, squashes = _names(then), _names(now, squashes=False), _squashes(now)
    told = {name for squash, names in squashes.items() if squash in now.applied for name in names}
    new = [name for name in now.applied if name not in known and (name in files or name not in told)]
    # A squash is new where it stands for something new that has no file of its own any more.
    return [name for name in new if name not in squashes or set(squashes[name]) - known - files]


def misfits(then: Database, now: Database, new: list[str]) -> Iterator[Misfit]:
    """What the names alone say: migrations that are gone, and those that did what can't be read off them."""
    for name in sorted(_lacking(then, now)):
        yield Misfit(
            weight=Weight.BREAKS,
            id="release.E333",
            message=f"{name}, which it expects, is no longer recorded as applied",
            hint="its pods would wait for it: deploy forward instead",
        )
    known = _names(now, squashes=False)
    for name in new:
        if name in now.opaque:
            yield Misfit(
                weight=Weight.HIDES,
                id="release.E338",
                message=f"{name} ran code of the project's own (RunPython, RunSQL), and nobody says what it did",
                migration=name,
                hint=f"where earlier code can live with it, declare it: migrations.classes: {{{name}: expand}}",
            )
        elif name not in known:
            yield Misfit(
                weight=Weight.HIDES,
                id="release.E338",
                message=f"{name} is applied, and no image that was asked has it: nobody knows what it did",
                migration=name,
            )


def _lacking(then: Database, now: Database) -> set[str]:
    """What a pod's start-up would wait for (nuages_runtime/startup.py): a squash counts where all it replaces do."""
    applied = set(now.applied)
    squashes = _squashes(then)
    known = _names(then, squashes=False)
    return {
        name
        for name in then.applied
        if name in known and name not in applied and not (squashes.get(name) and set(squashes[name]) <= applied)
    }


def _squashes(of: Database) -> dict[str, list[str]]:
    return {f"{app}.{name}": names for app, all_ in of.known.items() for name, names in all_.items() if names}


def _names(of: Database, squashes: bool = True) -> set[str]:
    """The migrations that a release knows; with `squashes` also those that it knows only as a part of one, or only by
    their record.
    """
    names = {f"{app}.{name}" for app, all_ in of.known.items() for name in all_}
    if squashes:
        names |= {name for replaced in _squashes(of).values() for name in replaced} | set(of.applied)
    return names
