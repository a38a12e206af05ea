"""Causes that lie in the project's own code and settings, as its traceback tells them."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container
from nuages.rollout.pods import Symptom
from nuages.rollout.tracebacks import Trace

_NAME = r"[A-Z][A-Z0-9_]{3,}"
_VARIABLE = (
    r"Set the (\w+) environment variable",  # django-environ
    r'Environment variable "(\w+)" not set',  # environs
    r"(\w+) not found\. Declare it as envvar",  # python-decouple
    r"required to be set as the environment variable '(\w+)'",  # django-configurations
    r"ValidationError: (\w+) is required in env ",  # dynaconf
    rf"(?i:environment variable)s? [\"'`]?({_NAME})[\"'`]? (?:is )?(?:not set|missing|required|not found)",  # by hand
    rf"(?i:the|set|missing|define|provide) [\"'`]?({_NAME})[\"'`]? (?i:(?:as an? )?env(?:ironment)? var)",
    rf"(?i:missing|required|set|lacks?|not found|undefined)[^:\n]{{0,20}} (?i:env(?:ironment)? ?var\w*)[^:\n]{{0,12}}:?"
    rf" [\"'`\[]*({_NAME})",
)
_BY_HAND = (
    rf"[\"'`]?\b({_NAME})[\"'`]? (?:must be|is not|isn't|was not|not|has not been)"
    rf" (?:set|defined|provided|configured|found)",
    rf"[\"'`]?\b({_NAME})[\"'`]? (?:setting |variable )?is (?:missing|required|empty|undefined)",
    rf"(?i:missing|required) (?:(?i:setting|variable|key|config\w*|value)s?)?:? ?[\"'`]?({_NAME})\b",
)
"""What projects write themselves; believed of an exception that the project's own code raises."""

_READS = re.compile(r"(?:environ(?:\.get)?|getenv|config|env(?:\.\w+)?)\s*[(\[]\s*[\"'](\w+)[\"']")
_OPERATING = re.compile(r"^<frozen os>$|/os\.py$")
_SETTINGS = re.compile(r"^(\w[\w.]*)\n\s+(.+) \[type=(\w+)", re.MULTILINE)
"""A field that pydantic refuses: https://docs.pydantic.dev/latest/errors/errors/"""

_INVALID = r'Environment variable "(\w+)" invalid|Invalid value for (?:the )?(\w+) environment variable'
_SERVICES = (
    (r"^(?:DATABASE_URL|DB_\w+|POSTGRES(?:QL)?_\w+|PG(?:HOST|PORT|USER|PASSWORD|DATABASE))$", "postgres"),
    (r"^(?:REDIS_\w+|CELERY_BROKER_URL|BROKER_URL|CELERY_RESULT_BACKEND|CACHE_URL)$", "redis"),
    (r"^(?:RABBITMQ_\w+|AMQP_\w+)$", "rabbitmq"),
    (r"^(?:MEMCACHED?_\w+)$", "memcached"),
)
_SECRET = r"KEY|SECRET|TOKEN|PASSWORD|PASSWD|DSN|CREDENTIAL|PRIVATE|SALT"  # noqa: S105 - parts of names
_CORRECT = "correct it, and deploy again"
_SYNTAX = frozenset({"SyntaxError", "IndentationError", "TabError"})


def environment(evidence: Evidence) -> Cause | None:
    """The project asks for a variable that is not set, or does not like its value: however it reads it."""
    trace = evidence.trace
    if trace is None:
        return None
    if refused := re.search(_INVALID, trace.line):
        return _refused(refused[1] or refused[2])
    if fields := _fields(trace):
        return fields
    name, wrong = _missing(trace), False
    if not name:
        name, wrong = _read(trace)
    if not name:
        return None
    declared = {one["name"] for one in container(evidence.trouble).get("env", [])}
    if wrong or name in declared:
        return _refused(name)
    return Cause("diag.D020", f"the image reads {name}, and the spec does not declare it", _where(name))


def _refused(name: str) -> Cause:
    return Cause("diag.D021", f"the image does not take the value of {name}", f"correct {name} in nuages.yaml")


def _missing(trace: Trace) -> str:
    """The variable that the message names."""
    if trace.name == "KeyError":
        name = trace.message.strip("'\"")
        text = trace.own.text if trace.own else ""
        asked = any(_OPERATING.search(frame.file) for frame in trace.frames[-1:]) or name in _READS.findall(text)
        return name if asked else ""
    # Who writes an exception by hand raises it, too: the last frame is the project's.
    own = bool(trace.frames) and not trace.frames[-1].library
    patterns = (*_VARIABLE, *(_BY_HAND if own else ()))
    return next((found[1] for pattern in patterns if (found := re.search(pattern, trace.line))), "")


def _read(trace: Trace) -> tuple[str, bool]:
    """The one variable that is read in the project's line that failed; and whether it had a value, but a wrong one."""
    names = set(_READS.findall(trace.own.text)) if trace.own else set()
    if len(names) != 1 or trace.name not in {"TypeError", "ValueError", "AttributeError", "InvalidOperation"}:
        return "", False
    return names.pop(), "NoneType" not in trace.message


def _fields(trace: Trace) -> Cause | None:
    """What a settings class of pydantic lacks; the name of a field is its variable's, behind the class's env_prefix."""
    if not any("pydantic_settings" in frame.file for frame in trace.frames):
        return None
    if field := re.search(r"error parsing value for field \"(\w+)\"", trace.line):
        return _refused(field[1].upper())
    found = _SETTINGS.findall("\n".join(trace.more))
    lacking = [name.upper() for name, _, kind in found if kind == "missing"]
    if lacking:
        name = lacking[0]
        more = f" (and {', '.join(lacking[1:])})" if lacking[1:] else ""
        hint = f"{_where(name)}; with the env_prefix of its class in front, where that has one"
        return Cause("diag.D020", f"the image reads {name}{more}, and the spec does not declare it", hint)
    return _refused(found[0][0].upper()) if found else None


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
        return _no_module(said[1], said.string.strip()) if said else None
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
    r"(\S+\.so[.\d]*): cannot open shared object file",
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
        return Cause("diag.D023", "Django's own checks find an error in the project", hint, checked[1].strip())
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


def _where(name: str) -> str:
    """The part of the spec that such a variable belongs to."""
    for pattern, service in _SERVICES:
        if re.search(pattern, name):
            return f"declare services.{service} in nuages.yaml, which sets it, or add {name} to secrets"
    if re.search(_SECRET, name):
        return f"add {name} to secrets in nuages.yaml, then nuages secrets set {name}; to env where it is no secret"
    return f"add {name} to env in nuages.yaml, or to secrets where its value is one"
