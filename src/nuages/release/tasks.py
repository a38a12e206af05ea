"""The Celery tasks of two images compared: which of the messages that one sends the other can't take. Pure.

A worker drops a task that it does not know (consumer.py, `on_unknown_task`), and one with other arguments fails with
TypeError. While a release rolls out, messages of the old code wait for new workers, and the other way round on the way
back: `compare(new, old)` is a rollback.
"""

from __future__ import annotations

import difflib
from typing import NamedTuple

import msgspec

ALIKE = 0.6
"""From which likeness of two dotted names, of 1, a task is taken for renamed rather than replaced by another one."""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A task that both know, and that is called in another way."""

    name: str
    before: str
    """Its signature in the image that runs."""
    after: str
    why: str
    """Which call of before does not work any more."""


class Renamed(msgspec.Struct, frozen=True, kw_only=True):
    """A task that is not there any more, and what it seems to be called now."""

    before: str
    after: str


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the tasks of the image that runs."""

    known: bool = True
    """False where one of the images does not say which tasks it has."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """Gone, the renamed ones left out."""
    renamed: tuple[Renamed, ...] = ()
    changed: tuple[Changed, ...] = ()

    @property
    def lost(self) -> tuple[str, ...]:
        """The tasks whose waiting messages the new workers can't work off: to be drained by the old ones first."""
        gone = (*self.removed, *(one.before for one in self.renamed), *(one.name for one in self.changed))
        return tuple(sorted(gone))


def compare(old: dict[str, str] | None, new: dict[str, str] | None) -> Compared:
    """What the workers of `new` make of the messages of `old`; signatures as the runtime writes them."""
    if old is None or new is None:
        return Compared(known=False)
    renamed, gone, added = [], sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    for name in list(gone):
        if after := _renamed(name, old[name], {other: new[other] for other in added}):
            renamed.append(Renamed(before=name, after=after))
            gone.remove(name)
            added.remove(after)
    changed = [
        Changed(name=name, before=old[name], after=new[name], why=why)
        for name in sorted(old.keys() & new.keys())
        if (why := refuses(old[name], new[name]))
    ]
    return Compared(added=tuple(added), removed=tuple(gone), renamed=tuple(renamed), changed=tuple(changed))


def refuses(old: str, new: str) -> str:
    """Which call that `old` allows does not work with `new`; "" where all do."""
    before, after = _read(old), _read(new)
    if not after.any_name and (gone := [name for name in before.named if name not in after.named]):
        # An argument that has another name now is no harm to who gives it by its place; nobody knows how it is given.
        return f"{gone[0]} is no argument any more"
    if wanted := [name for name in after.required if name not in before.required]:
        return f"{wanted[0]} has to be given now"
    places = list(zip(before.placed, after.placed, strict=False))
    if moved := [one for one, other in places if one != other and other in before.named]:
        return f"{moved[0]} has another place"
    if len(before.placed) > len(after.placed) and not after.any_place:
        return f"{before.placed[len(after.placed)]} can't be given by its place any more"
    if before.any_place and not after.any_place:
        return "any number of arguments is not taken any more"
    if before.any_name and not after.any_name:
        return "arguments of any name are not taken any more"
    return ""


class _Parameters(NamedTuple):
    """A signature, taken apart."""

    placed: tuple[str, ...]
    """Those that may be given by their place, in order."""
    named: frozenset[str]
    required: tuple[str, ...]
    any_place: bool
    any_name: bool


def _read(signature: str) -> _Parameters:
    placed: list[str] = []
    named: list[str] = []
    required: list[str] = []
    any_place = any_name = by_name = False
    parts = [part for part in signature.strip("()").split(", ") if part]
    for part in parts:
        name = part.rstrip("=")
        if part == "/":
            named.clear()  # what stands before it has no name for a caller
        elif part.startswith("**"):
            any_name = True
        elif part.startswith("*"):
            any_place, by_name = any_place or part != "*", True
        else:
            named.append(name)
            if not by_name:
                placed.append(name)
            if name == part:
                required.append(name)
    return _Parameters(tuple(placed), frozenset(named), tuple(required), any_place, any_name)


def _renamed(name: str, signature: str, added: dict[str, str]) -> str | None:
    """The one of the new tasks that this one seems to be: of the same last word, or of the same module and alike."""
    module, _, last = name.rpartition(".")
    same = [other for other in added if other.rpartition(".")[2] == last]
    alike = [
        other
        for other, theirs in added.items()
        if other.rpartition(".")[0] == module
        and theirs == signature
        and difflib.SequenceMatcher(None, last, other.rpartition(".")[2]).ratio() >= ALIKE
    ]
    return next(iter([*same, *alike]), None)
