"""Texts as nuages.yaml takes them: scalars, words of a command, keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

# What YAML takes as the text it is, whatever its version.
PLAIN = re.compile(r"^(\.|[A-Za-z][A-Za-z0-9._/-]*)$")
# A folder that a volume can be mounted at.
PATH = re.compile(r"^[A-Za-z0-9._/-]+$")
_WORD = re.compile(r"^-{0,2}[A-Za-z][A-Za-z0-9._/=-]*$|^\.$")
WORDS = {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}


def scalar(text: str) -> str:
    """A text as a YAML scalar of one line: as it is, or in double quotes."""
    return text if PLAIN.match(text) and text.lower() not in WORDS else json.dumps(text, ensure_ascii=False)


def command(words: Iterable[str]) -> str:
    """Words inside `[...]`."""
    known = (word if _WORD.match(word) and word.lower() not in WORDS else json.dumps(word) for word in words)
    return ", ".join(known)


def key_of(text: str, taken: Iterable[str] = ()) -> str:
    """A key of the spec: data for data, var-index for var/index; another one where it is taken."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    key = re.sub(r"^[^a-z]+", "", words)[:20].strip("-") or "other"
    while key in taken:
        key = f"{key[:17].rstrip('-')}-x"
    return key
