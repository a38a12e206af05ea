"""Values as people and programs read them. Quick to import."""

from __future__ import annotations

import os
import re
import sys
from math import isfinite

TYPE_CHECKING = False  # typing costs 4 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

    Paint = Callable[[str, str], str]
    """A text and one of STYLES -> the text as it is written."""

STYLES = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1"}
# What makes a terminal do more than show: colours, titles, the clipboard (ECMA-48's C0 and C1 but for tab and newline).
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def paint(out: TextIO) -> Paint:
    """In colour where it is a terminal that wants it (https://no-color.org)."""
    coloured = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return (lambda text, style: f"\033[{STYLES[style]}m{text}\033[0m") if coloured else (lambda text, _: text)


def harmless(text: str) -> str:
    """A text that others wrote (a pod's log, a colleague's message) without what a terminal would obey."""
    return _CONTROL.sub("", text)


def columns() -> int:
    """How wide the terminal is; as shutil.get_terminal_size says it, which imports every compression there is."""
    try:
        said = int(os.environ.get("COLUMNS", "0"))
        return said if said > 0 else os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return 80


def duration(seconds: float) -> str:
    """Seconds as a person says them: 0.4 s, 12 s, 3 min 20 s."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def document(value: object, indent: int | None = 2) -> str:
    """A value as JSON; what is said by `--json` is written here, whichever way a command goes."""
    import json

    return json.dumps(plain(value), indent=indent, ensure_ascii=False, default=_builtin)


def plain(value: Any) -> object:
    """A value for JSON: what has names becomes an object, so that nobody has to know which place means what.

    A struct that leaves fields out where they say nothing is its own business.
    """
    if hasattr(value, "__struct_fields__") and not value.__struct_config__.omit_defaults:
        names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        return {encoded: plain(getattr(value, name)) for encoded, name in names}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(each) for name, each in value._asdict().items()}
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, float) and not isfinite(value):
        return None  # JSON has no such number
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def _builtin(value: object) -> object:
    """What JSON has no word for (a time, a struct), as msgspec says it: who has such a value has imported that."""
    import msgspec

    return msgspec.to_builtins(value)
