"""Causes that lie in an environment variable: the project reads one that is not set, or does not like its value."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container
from nuages.rollout.tracebacks import Trace

_NAME = r"[A-Z][A-Z0-9_]{3,}"
_VARIABLE = (
    r"Set the (\w+) environment variable",  # django-environ
    r'Environment variable "(\w+)" not set',  # environs
    r"\b(\w+) not found\. Declare it as envvar",  # python-decouple
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


def _where(name: str) -> str:
    """The part of the spec that such a variable belongs to."""
    for pattern, service in _SERVICES:
        if re.search(pattern, name):
            return f"declare services.{service} in nuages.yaml, which sets it, or add {name} to secrets"
    if re.search(_SECRET, name):
        return f"add {name} to secrets in nuages.yaml, then nuages secrets set {name}; to env where it is no secret"
    return f"add {name} to env in nuages.yaml, or to secrets where its value is one"
