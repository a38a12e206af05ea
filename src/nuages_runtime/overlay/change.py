"""What the parts of the overlay read and answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

ADDED, REPLACED, KEPT = "added", "replaced", "kept"


def split(url: str) -> SplitResult:
    """`urlsplit`; what is no URL is an empty one, for urlsplit's own errors show the password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


class Change(NamedTuple):
    """What becomes of one setting; `value` is never shown, for it may be a password."""

    setting: str
    action: str
    why: str
    value: object = None


class World(NamedTuple):
    """All that a decision depends on."""

    own: Mapping[str, object]
    """The settings that the project sets itself, never Django's defaults."""
    environ: Mapping[str, str]
    """The environment that the process was started with."""
    django: tuple[int, int]
    installed: Callable[[str], bool]
    """Whether a module can be imported."""
    folder: str
    """The working directory, where manage.py is."""
    logs: bool = False
    """Whether the settings gave the root logger a handler while they loaded."""

    def variable(self, name: str) -> str:
        """A variable's text, "" where it is absent."""
        return self.environ.get(name, "")

    def words(self, name: str) -> list[str]:
        """A comma-separated variable, empty parts left out."""
        return [word.strip() for word in self.variable(name).split(",") if word.strip()]

    def named(self, host: str) -> bool:
        """Whether the environment names a server: alone, with its port, or in a URL."""
        pattern = re.compile(rf"(^|//|@|,){re.escape(host)}($|[:/,?])")
        return any(pattern.search(value) for value in self.environ.values())

    def of_compose(self, host: object) -> bool:
        """Whether a host is the bare name of a service in a compose file, by no variable's word: nobody here has it."""
        return isinstance(host, str) and host.replace("-", "").replace("_", "").isalnum() and not self.named(host)

    def said(self, value: object) -> bool:
        """Whether a value came from the environment: then it was chosen for this process, by whoever deploys it."""
        return isinstance(value, str) and value != "" and value in self.environ.values()
