"""Why a project can't be deployed as it is: each reason a finding with its place and the way out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from nuages.findings import Finding, Level, Place
from nuages.project.facts import Dependencies, Found
from nuages.project.files import Files
from nuages.project.hints import say
from nuages.project.scopes import parse
from nuages.project.trial import Trial

OLDEST_DJANGO = (4, 2)
OLDEST_PYTHON = (3, 10)
_STARTED = re.compile(rb"startproject' using Django (\d+\.\d+(?:\.\d+)?)")
_DJANGOS = (
    "6.1",
    "6.0",
    "5.2",
    "5.1",
    "5.0",
    "4.2",
    "4.1",
    "4.0",
    "3.2",
    "3.1",
    "3.0",
    "2.2",
    "2.1",
    "2.0",
    "1.11",
    "1.10",
    "1.9",
    "1.8",
)
# Versions that no Python of today builds: distribution -> the first that one does.
TOO_OLD = {
    "psycopg2": (2, 8),
    "psycopg2-binary": (2, 8),
    "mysqlclient": (2, 0),
    "pillow": (8, 0),
    "lxml": (4, 6),
    "celery": (5, 0),
}


def problems(
    files: Files, trial: Trial, declared: Dependencies | None, python: Found | None, hints: tuple[Found, ...]
) -> tuple[Finding, ...]:
    """All of them, the cause of the others first."""
    old = (*_django(declared, files), *_old(declared, files))
    # What it runs on elsewhere is no reason by itself: a newer Python will do.
    asked = _python(python, hints) if old or (python and python.sure) else ()
    return (
        *_broken(trial),
        *_configured(files),
        *asked,
        *old,
        *_undeclared(declared, files),
        *_logs(trial),
        *_geography(trial),
    )


def range_of(versions: str) -> tuple[int, int] | None:
    """The newest 3.x that a range of Pythons allows, where it names a bound: "<3.12", "==3.5.1", "3.5"."""
    if exact := re.match(r"^(?:==|~=|\^|~)?\s*(\d+)\.(\d+)", versions.strip()):
        return (int(exact[1]), int(exact[2])) if not versions.strip().startswith(("^", "~=")) else None
    below = re.search(r"<(=?)\s*(\d+)\.(\d+)", versions)
    return (int(below[2]), int(below[3]) - (not below[1])) if below else None


def _broken(trial: Trial) -> Iterator[Finding]:
    for each in trial.world.broken:
        yield _error("project.E204", f"no Python: {each.message}", each.place, "correct the line; settings must load")


def _configured(files: Files) -> Iterator[Finding]:
    """`settings.configure()` in what starts the project: there is no settings module then to work with."""
    for file in ("manage.py", *(each for each in files.python if each.endswith(("wsgi.py", "asgi.py")))):
        tree = parse(files.root / file, file)
        for node in ast.walk(tree) if tree else []:
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "settings.configure":
                yield _error(
                    "project.E205",
                    "the settings are made by settings.configure()",
                    Place(file, node.lineno),
                    "move them into a module, and name it in DJANGO_SETTINGS_MODULE",
                )


def _python(python: Found | None, hints: tuple[Found, ...]) -> Iterator[Finding]:
    found = python or next(say(hints, "python"), None)
    newest = range_of(found.value) if found else None
    if found and newest and newest < OLDEST_PYTHON:
        yield _error(
            "project.E206",
            f"Python {found.value} is no longer maintained; 3.10 is the oldest that can be deployed",
            found.place,
            "move the project to a newer Python",
        )


def _django(declared: Dependencies | None, files: Files) -> Iterator[Finding]:
    version = _version(declared.packages.get("django", "") or bounded(declared, files)) if declared else None
    if declared and version and version.release[:2] < OLDEST_DJANGO:
        yield _error(
            "project.E207",
            f"Django {version} is no longer maintained; 4.2 is the oldest that can be deployed",
            named(declared, files, "django"),
            "upgrade step by step: https://docs.djangoproject.com/en/stable/howto/upgrade-version/",
        )


def _old(declared: Dependencies | None, files: Files) -> Iterator[Finding]:
    for name, oldest in TOO_OLD.items():
        version = _version(declared.packages.get(name, "")) if declared else None
        if declared and version and version.release[:2] < oldest:
            wanted = ".".join(map(str, oldest))
            yield _error(
                "project.E208",
                f"{name} {version} builds with no Python that is maintained; {wanted} is the first that does",
                named(declared, files, name),
                f"upgrade it to {wanted} or newer",
            )


def _as_started(files: Files) -> str:
    """Django in the version that made the project, which it says in its settings; else any that is maintained.

    https://github.com/django/django/blob/main/django/conf/project_template/project_name/settings.py-tpl
    """
    for file in files.search(_STARTED):
        found = _STARTED.search((files.root / file).read_bytes())
        if found and Version(found[1].decode()).release[:2] >= OLDEST_DJANGO:
            return f"django~={found[1].decode()}"
    return f"django>={'.'.join(map(str, OLDEST_DJANGO))}"


def _undeclared(declared: Dependencies | None, files: Files) -> Iterator[Finding]:
    if declared is None:
        yield _error(
            "project.E209",
            "nothing says what to install: no lock, no requirements.txt, no dependencies in pyproject.toml",
            Place(str(files.root)),
            f"echo '{_as_started(files)}' > requirements.txt; or pip freeze, where more is installed",
        )
    elif declared.packages and "django" not in declared.packages:
        yield Finding(
            "project.W210",
            Level.WARNING,
            "Django is not among the dependencies",
            Place(declared.files[-1] if declared.files else ""),
            "add it, or name the file that has it: build.dependencies.file",
        )


def _logs(trial: Trial) -> Iterator[Finding]:
    """A log file beside manage.py: the image is read-only, and a volume can't hide the project."""
    logging = trial.value("LOGGING")
    handlers = logging.get("handlers") if isinstance(logging, dict) else None
    for handler in handlers.values() if isinstance(handlers, dict) else ():
        name = handler.get("filename") if isinstance(handler, dict) else None
        inside = trial.inside(name) if name else None
        if inside and "/" not in inside:
            yield Finding(
                "project.W211",
                Level.WARNING,
                f"logs are written to {inside} beside manage.py, which is read-only in a pod",
                trial.place("LOGGING"),
                "log to standard error, or into a folder of its own",
            )


def _geography(trial: Trial) -> Iterator[Finding]:
    """GeoDjango: the PostgreSQL that is run for an app has no PostGIS."""
    if place := trial.installed("django.contrib.gis"):
        yield Finding(
            "project.W214",
            Level.WARNING,
            "GeoDjango needs PostGIS, which the PostgreSQL that runs in the cluster does not have",
            place,
            "leave databases out, and name a server with PostGIS in env and secrets",
        )


def bounded(declared: Dependencies, files: Files) -> str:
    """The newest Django that a range allows, "5.0" for ~=5.0.4; "" where nothing keeps it from the newest."""
    place = named(declared, files, "django")
    text = next((text for line, text in files.lines(place.file) if line == place.line), "") if place.line else ""
    found = re.search(
        r"django(?:\[[\w,-]*\])?[\"']?\s*(?:=\s*[\"'])?\(?((?:[~^=!<>]{1,2}\s*\d[\d.*]*\s*,?\s*)+)", text, re.IGNORECASE
    )
    wanted = re.sub(
        r"\^\s*(\d+)([\d.]*)", lambda known: f">={known[1]}{known[2]},<{int(known[1]) + 1}", found[1] if found else ""
    )
    try:
        allowed = SpecifierSet(wanted.strip().rstrip(","))
    except InvalidSpecifier:
        return ""
    fit = [each for each in _DJANGOS if allowed.contains(f"{each}.99") or allowed.contains(each)]
    return fit[0] if fit and fit[0] != _DJANGOS[0] else ""


def named(declared: Dependencies, files: Files, name: str) -> Place:
    """The line of a requirements file or lock that names a distribution."""
    pattern = re.compile(rf"^\s*(?:name\s*=\s*)?[\"']?{re.escape(name)}\b", re.IGNORECASE)
    for file in declared.files:
        for line, text in files.lines(file):
            if pattern.match(text):
                return Place(file, line)
    return Place(declared.files[-1]) if declared.files else Place()


def _version(text: str) -> Version | None:
    try:
        return Version(text) if text else None
    except InvalidVersion:
        return None


def _error(number: str, message: str, place: Place, hint: str) -> Finding:
    return Finding(number, Level.ERROR, message, place, hint)
