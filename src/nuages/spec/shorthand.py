"""Shorthand a person may write, and the canonical form it stands for.

    env: {COLOR: orange}               env: {COLOR: {value: orange}}
    secrets: {SENTRY_DSN: }            secrets: {SENTRY_DSN: {}}
    databases: {default: postgres}     databases: {default: {service: postgres}}
    expose: {hosts: a.example.com}     expose: {hosts: [a.example.com]}
    services: {postgres: {run: }}      services: {postgres: {run: {}}}
    overlay: false                     overlay: {enabled: false}
    dependencies: production.txt       dependencies: {file: production.txt}
    celery: blog                       celery: {app: blog}
    volumes: {data: var/data}          volumes: {data: {path: var/data}}
    routes: /api/                      routes: [/api/]
    manage: loaddata demo              manage: [loaddata, demo]
    python: 3.10, version: 17, …       the text as it was written: "3.10", "17"
    command: [serve, --port, 8000]     the words as they were written: "8000"

In an environment's patch a null removes, so there nothing stands for null.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

from nuages.spec.document import Document, Path, Value
from nuages.spec.texts import places

# What reads numbers as words: versions lose a zero as numbers (3.10), and 30 must be told from "30s" in the message.
_FORMS = (
    "a duration",
    "an amount of memory",
    "an amount of CPU",
    "a major version",
    "a percentage",
    "a factor",
)
_AS_WRITTEN = (
    ("name",),
    ("env", "*", "value"),
    ("django", "python"),
    *((section, "*", "manage", "*") for section in ("hooks", "schedules", "jobs")),
    *(
        (section, "*", "command", "*")
        for section in ("hooks", "schedules", "jobs", "web", "workers", "frontends", "sidecars", "init")
    ),
    ("databases", "*", "anonymise", "manage", "*"),
    ("workers", "*", "celery", "queues", "*"),
    ("workers", "*", "tasks", "queues", "*"),
    ("build", "commands", "*", "*"),
    ("build", "frontend", "command", "*"),
)


def _in_field(field: str) -> Callable[[Value], Value]:
    """A text stands for a map with this one field."""
    return lambda value: {field: value} if isinstance(value, str) else value


def _in_list(value: Value) -> Value:
    return [value] if isinstance(value, str) else value


def _in_words(value: Value) -> Value:
    """As a shell reads them; what it could not read stays one word."""
    if not isinstance(value, str):
        return value
    try:
        return [*shlex.split(value)] or [value]
    except ValueError:
        return [value]


WRAPPED: dict[tuple[str, ...], Callable[[Value], Value]] = {
    ("env", "*"): lambda value: value if isinstance(value, dict | list) else {"value": value},
    ("databases", "*"): _in_field("service"),
    ("django", "overlay"): lambda value: {"enabled": value} if isinstance(value, bool) else value,
    ("build", "dependencies"): _in_field("file"),
    ("hooks", "*", "manage"): _in_words,
    ("schedules", "*", "manage"): _in_words,
    ("jobs", "*", "manage"): _in_words,
    ("databases", "*", "anonymise", "manage"): _in_words,
    ("django", "checks", "ignore"): _in_list,
    ("workers", "*", "celery"): _in_field("app"),
    ("beat", "celery"): _in_field("app"),
    ("volumes", "*"): _in_field("path"),
    ("web", "*", "routes"): _in_list,
    ("expose", "hosts"): _in_list,
}
EMPTY = (
    ("env", "*"),
    ("secrets", "*"),
    ("services", "postgres", "run"),
    ("services", "postgres", "cloudnativepg"),
    ("services", "redis", "run"),
    ("services", "rabbitmq", "run"),
    ("services", "memcached", "run"),
    ("web", "*"),
    ("expose", "tls", "none"),
    ("databases", "*", "anonymise", "none"),
)


def canonical(document: Document) -> dict[str, Value]:
    """The whole document in canonical form: the base, and each environment's patch; nothing else is changed,
    mistakes neither.
    """
    value = document.value
    if not isinstance(value, dict):
        return {}
    environments = value.get("environments")
    base = {key: entry for key, entry in value.items() if key != "environments"}
    result = _mapping(base, document, (), (), patch=False)
    if isinstance(environments, dict):
        result["environments"] = {
            name: _mapping(patch, document, ("environments", name), (), patch=True)
            if isinstance(patch, dict)
            else patch
            for name, patch in environments.items()
        }
    elif "environments" in value:
        result["environments"] = environments
    return result


def _mapping(
    entries: dict[str, Value], document: Document, above: Path, path: Path, *, patch: bool
) -> dict[str, Value]:
    return {key: _value(value, document, above, (*path, key), patch=patch) for key, value in entries.items()}


def _value(value: Value, document: Document, above: Path, path: Path, *, patch: bool) -> Value:
    if value is None and not patch and _listed(path, EMPTY):
        return {}
    if value is None:
        return None
    if isinstance(value, dict):
        return _mapping(value, document, above, path, patch=patch)
    if isinstance(value, list):
        return [_value(entry, document, above, (*path, index), patch=True) for index, entry in enumerate(value)]
    wrapped = _first(path, WRAPPED)
    if wrapped and path[0] == "env":
        return wrapped(_text(value, document, (*above, *path)))
    if _listed(path, _AS_WRITTEN) or _listed(path, places(*_FORMS)):
        return _text(value, document, (*above, *path))
    return wrapped(value) if wrapped else value


def _text(value: Value, document: Document, at: Path) -> Value:
    return document.written.get(at, value) if isinstance(value, bool | int | float) else value


def _listed(path: Path, patterns: tuple[tuple[str, ...], ...]) -> bool:
    return any(_matches(path, pattern) for pattern in patterns)


def _first(path: Path, table: dict[tuple[str, ...], Callable[[Value], Value]]) -> Callable[[Value], Value] | None:
    return next((rule for pattern, rule in table.items() if _matches(path, pattern)), None)


def _matches(path: Path, pattern: tuple[str, ...]) -> bool:
    return len(path) == len(pattern) and all(part in ("*", key) for part, key in zip(pattern, path, strict=True))
