"""projects.toml: which projects there are, what their user would have to type, and what must answer."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

HERE = Path(__file__).parent


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a visitor, or the project's owner, does; exactly one of the first five says what.

    `form` makes a request a form that is got, filled in with what the page has already, and posted.
    """

    get: str = ""
    websocket: str = ""
    manage: list[str] = []
    """A management command, run by `nuages manage`; `prints` says what it must print."""
    worker: list[str] = []
    """As `manage`, until it prints what it should: something that a worker does in its own time."""
    restart: str = ""
    """Delete the pods of one component and wait until they are back: what must outlive them is read afterwards."""
    form: dict[str, str] = {}
    query: dict[str, Any] = {}
    """A JSON body: the request is a POST."""
    headers: dict[str, str] = {}
    status: int = 200
    contains: str = ""
    lacks: str = ""
    json: dict[str, Any] = {}
    grows: str = ""
    """A pattern that a second request finds once more than the first."""
    link: str = ""
    """A pattern for an address in the page, a static file's for instance, which must answer too."""
    send: str = ""
    prints: str = ""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One project: where it comes from, what is typed, and what must be seen."""

    smoke: list[Step] = []
    repository: str = ""
    commit: str = ""
    generate: list[list[str]] = []
    """Commands that make the project from packages of PyPI, in an empty folder."""
    written: str = ""
    """A folder of tests/corpus/projects."""
    folder: str = "."
    """Where manage.py is."""
    secrets: dict[str, str] = {}
    """Values of `nuages secrets set`; one that begins with `$ ` is what that command prints."""
    answers: dict[str, Any] = {}
    """What has to be written into nuages.yaml by hand, as a merge patch: something was not found out."""
    after: list[list[str]] = []
    """`nuages ...` commands after the deploy."""
    refused: list[str] = []
    """It must be refused by init, check or build, with all of these words."""
    slow: bool = False
    """Too big for `make test`."""


def projects(path: Path = HERE / "projects.toml") -> dict[str, Entry]:
    """All entries, in the file's order.

    Raises:
        msgspec.ValidationError: with the path of what is wrong.
    """
    return msgspec.convert(tomllib.loads(path.read_text()), dict[str, Entry])
