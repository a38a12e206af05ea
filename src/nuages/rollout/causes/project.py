"""Causes that lie in the project's own code and settings, as its traceback tells them."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container
from nuages.rollout.pods import Symptom

_VARIABLE = (
    r"Set the (\w+) environment variable",  # django-environ
    r'Environment variable "(\w+)" not set',  # environs
    r"(\w+) not found\. Declare it as envvar",  # python-decouple
    r"(?i:environment variable) [\"']?([A-Z][A-Z0-9_]+)[\"']? (?:is )?(?:not set|missing|required)",  # by hand
    r"(?i:the|set|missing|define|provide) [\"'`]?([A-Z][A-Z0-9_]{3,})[\"'`]? (?i:(?:as an? )?env(?:ironment)? var)",
)
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
    """The project asks for a variable that is not set: by os.environ, django-environ, environs or decouple."""
    trace = evidence.trace
    if trace is None:
        return None
    if refused := re.search(_INVALID, trace.line):
        name = refused[1] or refused[2]
        return Cause("diag.D021", f"the image does not take the value of {name}", f"correct {name} in nuages.yaml")
    name = next((found[1] for pattern in _VARIABLE if (found := re.search(pattern, trace.line))), "")
    from_environ = trace.name == "KeyError" and any("os" in frame.file and frame.library for frame in trace.frames[-1:])
    if from_environ:
        name = trace.message.strip("'\"")
    if not name:
        return None
    declared = {one["name"] for one in container(evidence.trouble).get("env", [])}
    if name in declared:
        return Cause("diag.D021", f"the image does not take the value of {name}", f"correct {name} in nuages.yaml")
    return Cause("diag.D020", f"the image reads {name}, and the spec does not declare it", _where(name))


def syntax(evidence: Evidence) -> Cause | None:
    """A file of the project is not Python, or not this Python's."""
    trace = evidence.trace
    if trace is None or trace.name not in _SYNTAX:
        return None
    hint = "python -m compileall on your machine finds it; newer syntax wants a newer django.python in nuages.yaml"
    return Cause("diag.D034", "a file cannot be read as Python", hint)


def module(evidence: Evidence) -> Cause | None:
    """A module is missing: a package that is not installed, or one of the project's own that is named wrongly."""
    trace = evidence.trace
    if trace is None or trace.name != "ModuleNotFoundError":
        return None
    name = trace.message.partition("named ")[2].strip("'\"")
    if "." in name:
        hint = "is its file committed, not left out by .dockerignore, and spelled so in settings or nuages.yaml?"
    else:
        hint = "add it to the project's dependencies and lock file" if name else ""
    return Cause("diag.D022", f"the image has no module {name}", hint)


def exception(evidence: Evidence) -> Cause | None:
    """Any other exception that ended the program, or that it logged while it does not get ready."""
    trace = evidence.trace
    if trace is None:
        return None
    if trace.name == "ImproperlyConfigured":
        return Cause("diag.D023", "the project's settings are not complete", "the line above says which one")
    if evidence.trouble and evidence.trouble.symptom is Symptom.UNREADY:
        return Cause("diag.D024", "the program runs, and logs an exception", _CORRECT)
    return Cause("diag.D024", "the program ended with an exception", _CORRECT)


def _where(name: str) -> str:
    """The part of the spec that such a variable belongs to."""
    for pattern, service in _SERVICES:
        if re.search(pattern, name):
            return f"declare services.{service} in nuages.yaml, which sets it, or add {name} to secrets"
    if re.search(_SECRET, name):
        return f"add {name} to secrets in nuages.yaml, then nuages secrets set {name}; to env where it is no secret"
    return f"add {name} to env in nuages.yaml, or to secrets where its value is one"
