"""Debian packages that Python distributions need: to be built, and to run.

Only what no wheel brings along: Pillow, lxml, psycopg[binary] and cryptography carry their libraries. The names hold
for bookworm and trixie; where a library was renamed for 64-bit times, the old name is provided by the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from nuages.findings import Place
from nuages.project.facts import Dependencies, Found


class Needs(NamedTuple):
    """What one distribution takes: for building it, and where it runs."""

    build: tuple[str, ...] = ()
    run: tuple[str, ...] = ()


_COMPILER = ("gcc", "libc6-dev")
LIBRARIES = {
    "psycopg2": Needs((*_COMPILER, "libpq-dev"), ("libpq5",)),
    "psycopg-c": Needs((*_COMPILER, "libpq-dev"), ("libpq5",)),
    "mysqlclient": Needs((*_COMPILER, "pkg-config", "libmariadb-dev"), ("libmariadb3",)),
    "pycurl": Needs((*_COMPILER, "libcurl4-openssl-dev", "libssl-dev"), ("libcurl4",)),
    "python-magic": Needs((), ("libmagic1",)),
    "weasyprint": Needs((), ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core")),
    "xmlsec": Needs((*_COMPILER, "pkg-config", "libxmlsec1-dev"), ("libxmlsec1-openssl",)),
    "pysaml2": Needs((), ("xmlsec1",)),
    "djangosaml2": Needs((), ("xmlsec1",)),
    "python-ldap": Needs((*_COMPILER, "libldap2-dev", "libsasl2-dev"), ("libldap-common", "libsasl2-2")),
    "django-auth-ldap": Needs((*_COMPILER, "libldap2-dev", "libsasl2-dev"), ("libldap-common", "libsasl2-2")),
    "pyodbc": Needs((), ("unixodbc",)),
    "mssql-django": Needs((), ("unixodbc",)),
    "gdal": Needs((*_COMPILER, "g++", "libgdal-dev"), ("gdal-bin",)),
    "pycairo": Needs((*_COMPILER, "pkg-config", "libcairo2-dev"), ("libcairo2",)),
    "cairosvg": Needs((), ("libcairo2",)),
    "pdf2image": Needs((), ("poppler-utils",)),
    "pytesseract": Needs((), ("tesseract-ocr",)),
    "pydub": Needs((), ("ffmpeg",)),
    "ffmpeg-python": Needs((), ("ffmpeg",)),
    "wand": Needs((), ("libmagickwand-6.q16-dev",)),
    "pygraphviz": Needs((*_COMPILER, "libgraphviz-dev"), ("graphviz",)),
    "graphviz": Needs((), ("graphviz",)),
    "pyzbar": Needs((), ("libzbar0",)),
    "pdfkit": Needs((), ("wkhtmltopdf",)),
    "gitpython": Needs((), ("git",)),
    "opencv-python": Needs((), ("libgl1", "libglib2.0-0")),
    "pygobject": Needs((*_COMPILER, "pkg-config", "libgirepository1.0-dev"), ("libgirepository-1.0-1",)),
    "pylibmc": Needs((*_COMPILER, "libmemcached-dev", "zlib1g-dev"), ("libmemcached11",)),
    "m2crypto": Needs((*_COMPILER, "swig", "libssl-dev"), ()),
    "pyicu": Needs((*_COMPILER, "g++", "pkg-config", "libicu-dev"), ("libicu-dev",)),
}
# What compilemessages runs.
GETTEXT = "gettext"


def needed(
    declared: Dependencies | None, geodjango: Place | None, named: Callable[[str], Place]
) -> tuple[tuple[Found, ...], tuple[Found, ...]]:
    """Packages at run time and for building, each with the place that asks for the distribution (`named`)."""
    run: dict[str, Found] = {}
    build: dict[str, Found] = {}
    packages = declared.packages if declared else {}
    for name in _wanted(packages):
        place = named(name)
        _add(build, LIBRARIES[name].build, place)
        _add(run, LIBRARIES[name].run, place)
    if geodjango:
        _add(run, ("gdal-bin",), geodjango)
    return tuple(run.values()), tuple(build.values())


def _wanted(packages: dict[str, str]) -> Iterator[str]:
    return (name for name in LIBRARIES if name in packages)


def _add(found: dict[str, Found], names: Iterable[str], place: Place) -> None:
    for name in names:
        found.setdefault(name, Found(name, place))
