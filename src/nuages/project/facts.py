"""What is found out about a project: each fact with the file and line it was read from, and how sure it is."""

from __future__ import annotations

from pathlib import Path

import msgspec

from nuages.findings import Place


class Found(msgspec.Struct, frozen=True):
    """A value, and where the project says so; `sure` is False where it was concluded and not read."""

    value: str
    place: Place
    sure: bool = True


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """An environment variable that the settings read."""

    name: str
    place: Place
    required: bool
    """Without it the settings do not load: no default is given."""
    default: str | None = None
    """The default as text, where it is a literal."""
    kind: str = "str"
    """What it is made into: str, int, bool, list, or db where it is parsed as a database URL."""
    setting: str = ""
    """The setting that it becomes, where it is read in an assignment: SECRET_KEY, DATABASES."""


class Dependencies(msgspec.Struct, frozen=True, kw_only=True):
    """Which file says what to install, and what that is."""

    kind: str
    """uv.lock, poetry.lock, pdm.lock, Pipfile.lock, requirements, Pipfile or pyproject."""
    files: tuple[str, ...]
    """All files that decide what is installed, relative to the project: included ones too."""
    packages: dict[str, str]
    """Normalised distribution name -> exact version, or "" where the file does not pin it."""
    extras: tuple[str, ...] = ()
    """The project's own extras that are installed."""
    groups: tuple[str, ...] = ()
    """The groups that are installed beside what always is."""
    indexes: tuple[str, ...] = ()
    """Package indexes that the files name, without credentials; the usual one is left out."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """A project as its files tell it."""

    root: Path
    """The folder of manage.py."""
    manage: Found
    settings: Found
    wsgi: Found | None = None
    python: Found | None = None
    """The range of Python versions that the project declares."""
    dependencies: Dependencies | None = None
    variables: tuple[Variable, ...] = ()
    database: Found | None = None
    """The engine's short name: postgresql, sqlite3, mysql."""
    media_root: Found | None = None
    static_root: Found | None = None
    whitenoise: bool = False
    admin: bool = False
    """Whether django.contrib.admin is installed, so that somebody has to be able to sign in."""

    @property
    def name(self) -> str:
        """What to call the app: the folder's name in lower case, as Kubernetes takes it."""
        letters = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in self.root.name.lower())
        return letters.strip("-0123456789")[:30].rstrip("-") or "app"

    def has(self, distribution: str) -> bool:
        """Whether the project's dependencies name a distribution."""
        return self.dependencies is not None and distribution in self.dependencies.packages

    def variable(self, name: str) -> Variable | None:
        """The first place where the settings read a variable."""
        return next((variable for variable in self.variables if variable.name == name), None)
