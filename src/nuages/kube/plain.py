"""A kubeconfig as programs write it, read without a YAML library, which takes as long to import as all else of a quick
command: maps and lists in block style, each value on its line, no quotes, no anchors. Anything else is not understood
here, and is left to that library.
"""

from __future__ import annotations

from typing import Any

_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+=:@,")
_TRUTHS = {"true": True, "false": False}
_OTHERS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""What is, or may be, something else than a text."""

_LETTERS = frozenset("ghjklmqrsuvw")


def read(text: str) -> dict[str, Any] | None:
    """The document; None where it is not of this simple form."""
    lines = []
    for line in text.split("\n"):
        bare = line.lstrip(" ")
        if bare and not bare.startswith("#"):
            lines.append((len(line) - len(bare), bare))
    try:
        found, end = _map(lines, 0, 0)
    except (ValueError, IndexError):
        return None
    return found if end == len(lines) else None


def _map(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[dict[str, Any], int]:
    """The map that begins at a line, whose names stand at this indent; and the line after it."""
    found: dict[str, Any] = {}
    while at < len(lines) and lines[at][0] == indent and not lines[at][1].startswith("- "):
        name, colon, rest = lines[at][1].partition(":")
        if not colon or name in found or isinstance(_scalar(name), bool):
            raise ValueError(name)
        if rest:
            if rest[0] != " ":
                raise ValueError(name)
            found[name], at = _scalar(rest.strip(" ")), at + 1
            continue
        deeper, text = lines[at + 1]
        if text.startswith("- ") and deeper >= indent:
            found[name], at = _list(lines, at + 1, deeper)
        elif deeper > indent:
            found[name], at = _map(lines, at + 1, deeper)
        else:
            raise ValueError(name)
    return found, at


def _list(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[list[Any], int]:
    """The list of maps, or of texts, that begins at a line."""
    found: list[Any] = []
    while at < len(lines) and lines[at][0] == indent and lines[at][1].startswith("- "):
        rest = lines[at][1][2:].lstrip(" ")
        inner = indent + len(lines[at][1]) - len(rest)
        if ": " in rest or rest.endswith(":"):
            lines[at] = (inner, rest)
            one, at = _map(lines, at, inner)
            found.append(one)
        else:
            found.append(_scalar(rest))
            at += 1
    return found, at


def _scalar(text: str) -> Any:
    """A text, a truth or an empty map or list; no number, no date, and nothing that is quoted."""
    if text in _TRUTHS:
        return _TRUTHS[text]
    if text in ("{}", "[]"):
        return {} if text == "{}" else []
    # What begins as a number may be one, or a time: a letter that none of these has makes it a text.
    begins = text[:1].isalpha() or text[:1] == "/" or (text[:1].isdigit() and not _LETTERS.isdisjoint(text.lower()))
    if not begins or text.lower() in _OTHERS or not _CHARACTERS.issuperset(text) or text[-1] == ":":
        raise ValueError(text)
    return text
