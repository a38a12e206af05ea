"""Causes that lie in the project's own code and what it imports, as its traceback tells them."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence
from nuages.rollout.pods import Symptom
from nuages.rollout.tracebacks import shortened

_CORRECT = "correct it, and deploy again"
_SYNTAX = frozenset({"SyntaxError", "IndentationError", "TabError"})


def syntax(evidence: Evidence) -> Cause | None:
    """A file of the project is not Python, or not this Python's."""
    trace = evidence.trace
    if trace is None or trace.name not in _SYNTAX:
        return None
    hint = "python -m compileall on your machine finds it; newer syntax wants a newer django.python in nuages.yaml"
    return Cause("diag.D034", "a file cannot be read as Python", hint)


def module(evidence: Evidence) -> Cause | None:
    """A module is missing: a package that is not installed, or one of the project's own that is named wrongly."""
    if library := _library(evidence):
        return library
    trace = evidence.trace
    if trace is None:
        # Without a traceback: `python -m NAME`, uWSGI, a server that tells only the last line.
        said = evidence.nuages(_NO_MODULE)
        return _no_module(said[1] or said[2], said.string.strip()) if said else None
    if trace.name == "ModuleNotFoundError":
        named = re.search(r"named '([^']+)'", trace.message) or re.search(r"import of (\S+) halted", trace.message)
        return _no_module(named[1] if named else "")
    if found := next(filter(None, (re.search(pattern, trace.said) for pattern in _NOT_INSTALLED)), None):
        return _no_module(found[1])
    return None


_NO_MODULE = (
    r"(?:^ModuleNotFoundError|python[\d.]*|^Error.*): No module named '?([\w.]+)|Could not import module \"([\w.]+)\""
)
_NOT_INSTALLED = (
    r"Did you install (\S+?)\?",
    r"Error loading (?:\w+ or )?(\w+) module",
    r"Could not import '([\w.]+)'",
    r"requires the ([\w-]+) package",
    r"pip3? install (?:-U |--upgrade )?[`'\"]?([\w-]+(?:\[[\w,]+\])?)",
    r"worker requires (\w+)",
    r"(?:Couldn't|Could not) import (Django)\b",
)
"""What stands in for a ModuleNotFoundError: Django's, Celery's, environs' and others' own words."""

_SHARED = (
    r"(?<!\S)(\S+\.so[.\d]*): cannot open shared object file",
    r"cannot load library '([^']+)'",
    r"[Ff]ailed to find (libmagic)",
    r"Could not find the (GDAL) library|(?:Unable to find|Could not find) the (geos|GEOS|proj)",
    r"version `(GLIBC\w*_[\d.]+)' not found",
)


def _library(evidence: Evidence) -> Cause | None:
    """A shared library of the system is missing, that a package brings no copy of."""
    trace = evidence.trace
    text = trace.said if trace else ""
    said = next(filter(None, (re.search(pattern, text) for pattern in _SHARED)), None)
    said = said or next(filter(None, (evidence.nuages(pattern) for pattern in _SHARED[:1] if not trace)), None)
    if said is None:
        return None
    name = next(filter(None, said.groups()), "")
    hint = f"name the Debian package that has it in build.packages of nuages.yaml (apt-file search {name})"
    return Cause(
        "diag.D099", f"the image lacks the system's library {name}", hint, "" if trace else said.string.strip()
    )


def _no_module(name: str, line: str = "") -> Cause:
    if "." in name:
        hint = "is its file committed, not left out by .dockerignore, and spelled so in settings or nuages.yaml?"
    else:
        hint = "add it to the project's dependencies and lock file" if name else ""
    return Cause("diag.D022", f"the image has no module {name}", hint, line)


def exception(evidence: Evidence) -> Cause | None:
    """Any other exception that ended the program, or that it logged while it does not get ready."""
    if checked := re.search(r"^ERRORS:\n(.+)", evidence.log, re.MULTILINE):
        hint = "manage.py check says the same on your machine, with what the image has installed"
        return Cause(
            "diag.D023", "Django's own checks find an error in the project", hint, shortened(checked[1]).strip()
        )
    trace = evidence.trace
    if trace is None:
        return None
    cure = next((hint for pattern, hint in _CURES if re.search(pattern, trace.said)), "")
    if trace.name == "ImproperlyConfigured":
        return Cause("diag.D023", "the project's settings are not complete", cure or "the line above says which one")
    if evidence.trouble and evidence.trouble.symptom is Symptom.UNREADY:
        return Cause("diag.D024", "the program runs, and logs an exception", cure or _CORRECT)
    return Cause("diag.D024", "the program ended with an exception", cure or _CORRECT)


_CURES = (
    (
        r"supply the (?:ENGINE|NAME) value",
        "DATABASES has no database: declare services.postgres, or add DATABASE_URL to secrets",
    ),
    (r"Unable to configure handler", "LOGGING writes to a file that is not there: in a pod, log to standard output"),
    (
        r'relation "\S+" does not exist|no such table|Table \S+ doesn\'t exist',
        "is the database asked while code is imported (a URLconf, a form, ready())? That is before its migrations",
    ),
    (r'extension "\S+" is not available', "the database's image has no such extension: take one that has it"),
    (r"or later is required \(found", "a newer version of the database's server, or an older Django"),
    (r"read-only transaction|read only replica", "its address leads to a replica: take the one that is written to"),
    (r"'maxmemory'", "the store is full: more memory for it, or a policy that lets old keys go"),
    (r"partially initialized module", "two modules import each other: move one import into the function that needs it"),
    (r"cannot import name", "another version of that package than the code expects: lock it, and build again"),
    (
        r"[Aa]pps aren't loaded yet|AppRegistryNotReady",
        "something asks for models before django.setup(): import it later",
    ),
)
"""What to do about exceptions that many have had."""
