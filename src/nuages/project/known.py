"""Values that settings come to, as far as they can be known without running them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from nuages.project.scopes import Scope


class _Unknown:
    """A value that could not be followed."""

    def __repr__(self) -> str:
        return "?"


class _Random:
    """A value that is another one in every process: get_random_secret_key(), secrets.token_urlsafe()."""

    def __repr__(self) -> str:
        return "random"


UNKNOWN = _Unknown()
RANDOM = _Random()


class Symbol(NamedTuple):
    """Something that is imported: its dotted name."""

    dotted: str


class Function(NamedTuple):
    """A function of the project's own, and the module where it stands."""

    node: ast.FunctionDef
    scope: Scope


class Reader(NamedTuple):
    """An object of django-environ, environs or decouple; its scheme has name -> kind and default."""

    scheme: dict[str, tuple[str, ast.expr]]


class Method(NamedTuple):
    """A method of a value that is known."""

    owner: Any
    name: str


class Url(dict[str, Any]):
    """A database, as dj-database-url and django-environ make it of a URL."""


_SCHEMES = {
    **dict.fromkeys(("postgres", "postgresql", "psql", "pgsql", "postgis"), "django.db.backends.postgresql"),
    **dict.fromkeys(("mysql", "mysql2"), "django.db.backends.mysql"),
    **dict.fromkeys(("sqlite", "spatialite"), "django.db.backends.sqlite3"),
    "oracle": "django.db.backends.oracle",
}


def database(url: str) -> Url:
    """What a URL of a database becomes: its engine, and the URL as what it is made of."""
    scheme = url.partition("://")[0].partition("+")[0]
    return Url(ENGINE=_SCHEMES.get(scheme, scheme), NAME=url, HOST=url)


def guarded(made: Callable[[], Any]) -> Any:
    """A value, or UNKNOWN where Python would raise: settings of another version, a value that is not there."""
    try:
        return made()
    except Exception:
        return UNKNOWN
