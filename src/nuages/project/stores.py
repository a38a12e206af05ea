"""Which database and which Redis a project uses, and the variables that lead to them: found by trying."""

from __future__ import annotations

import re
from typing import Any

from nuages.project.facts import Found
from nuages.project.trial import Trial

MARK = "nuages-mark"
_URL = f"postgres://{MARK}-user:{MARK}-password@{MARK}-host:54321/{MARK}-name"
_PARTS = {"HOST": "host", "NAME": "name", "USER": "user", "PASSWORD": "password", "PORT": "port"}
_DATABASE = re.compile(r"(DB|DATABASE|POSTGRES|PG|SQL|RDS)", re.IGNORECASE)
_ENGINE = re.compile(
    r"(ENGINE|TYPE|BACKEND|DRIVER|VENDOR|KIND|DIALECT|ADAPTER|USE_|ENABLE|^DB$|^DATABASE$)", re.IGNORECASE
)
_NO_PART = re.compile(_ENGINE.pattern + r"|URL|URI|DSN|OPTION|_FILE$|SSL|AGE|TIMEOUT", re.IGNORECASE)
_POSTGRES = ("postgres", "postgresql", "django.db.backends.postgresql", "true", "True", "1", "psql", "pgsql", "pg")
_REDIS = re.compile(r"(REDIS|BROKER|CACHE|CELERY|VALKEY|RESULT_BACKEND|CHANNEL)", re.IGNORECASE)
_NO_ADDRESS = re.compile(
    r"(MEMCACHE|TLS|PREFIX|TIMEOUT|TTL|SECONDS|EAGER|SSL|DB$|PASSWORD|USER|ENABLE|USE_|QUEUE|LIMIT|MAX|KEY)"
)
# Where an address of Redis is of use, and what says that it is one.
_STORES = ("CACHES", "CELERY_BROKER_URL", "BROKER_URL", "CELERY_RESULT_BACKEND", "CHANNEL_LAYERS", "RQ_QUEUES", "HUEY",
           "Q_CLUSTER", "DRAMATIQ_BROKER", "CACHEOPS_REDIS", "CONSTANCE_REDIS_CONNECTION", "CELERY", "REDIS_URL",
           "REDIS_HOST", "SESSION_REDIS", "DJANGO_REDIS", "EVENTSTREAM_REDIS")  # fmt: skip


def engine(value: object) -> str:
    """postgresql, mysql, sqlite3, ... of an ENGINE: of django-prometheus's and PostGIS's wrappers, too."""
    text = str(value).lower()
    for word, name in (("postg", "postgresql"), ("psql", "postgresql"), ("mysql", "mysql"), ("maria", "mysql"),
                       ("sqlite", "sqlite3"), ("spatialite", "sqlite3"), ("oracle", "oracle"), ("mssql", "mssql"),
                       ("cockroach", "cockroachdb")):  # fmt: skip
        if word in text:
            return name
    return text.rpartition(".")[2]


def database(trial: Trial) -> Found | None:
    """The engine of the default database when no variable is set."""
    default = _default(trial)
    if default is None:
        return None
    named = default.get("ENGINE")
    return Found(engine(named), trial.place("DATABASES"), sure=isinstance(named, str)) if named else None


def database_variables(trial: Trial, variables: set[str]) -> dict[str, str]:
    """The variables with which the default database becomes a PostgreSQL of our choice; {} where none do.

    Answers what each is: url, host, name, user, password, port, or "=VALUE" where a certain value is meant.
    """
    fit = sorted(name for name in variables if _DATABASE.search(name))
    for name in sorted(
        (each for each in fit if re.search("URL|URI|DSN", each)), key=lambda each: each != "DATABASE_URL"
    ):
        if "REPLICA" not in name and _marked(trial.with_(**{name: _URL})):
            return {name: "url"}
    if found := _parts(trial, variables):
        return found
    for name in (each for each in fit if _ENGINE.search(each)):
        for value in _POSTGRES:
            switched = trial.with_(**{name: value})
            # What is read only now is a part of it, too.
            if found := _parts(switched, variables | {read.name for read in switched.reads()}):
                return {name: f"={value}", **found}
    return {}


def given(trial: Trial, led: dict[str, str]) -> Trial:
    """The settings as they are with the variables that lead to PostgreSQL set: what they need then counts."""
    values = {"url": _URL, "port": "54321"}
    return trial.with_(
        **{name: meaning[1:] if meaning[0] == "=" else values.get(meaning, MARK) for name, meaning in led.items()}
    )


def redis_variables(trial: Trial, variables: set[str]) -> dict[str, str]:
    """The variables that lead to a Redis: each as url (with a number of a database), address (without) or host."""
    fit = [name for name in sorted(variables) if _REDIS.search(name) and not _NO_ADDRESS.search(name)]
    marks = {name: _redis_mark(name) for name in fit}
    marked = trial.with_(**marks)
    found: dict[str, str] = {}
    for setting in _STORES:
        texts = marked.texts(setting)
        for name, mark in marks.items():
            for text in texts:
                if mark in text and name not in found:
                    found[name] = _form(name, mark, text)
    return found


def redis(trial: Trial) -> Found | None:
    """A setting that works only with a Redis when no variable is set."""
    for setting in _STORES:
        texts = trial.texts(setting)
        if any("redis" in text.lower() or "valkey" in text.lower() for text in texts):
            if setting in ("REDIS_URL", "REDIS_HOST"):
                continue
            return Found(setting, trial.place(setting))
    return None


def cache(trial: Trial) -> Found | None:
    """The backend of the default cache, as it is written."""
    caches = trial.value("CACHES")
    default = caches.get("default") if isinstance(caches, dict) else None
    backend = default.get("BACKEND") if isinstance(default, dict) else None
    return Found(backend, trial.place("CACHES")) if isinstance(backend, str) else None


def _default(trial: Trial) -> dict[str, Any] | None:
    databases = trial.value("DATABASES")
    default = databases.get("default") if isinstance(databases, dict) else None
    return default if isinstance(default, dict) else None


def _marked(trial: Trial) -> bool:
    default = _default(trial) or {}
    whole = any(MARK in str(default.get(part)) for part in ("HOST", "NAME"))
    return whole and engine(default.get("ENGINE", "")) == "postgresql"


def _parts(trial: Trial, variables: set[str]) -> dict[str, str]:
    """Which variable came out where, when the engine is PostgreSQL and the host, or the name, is one of them."""
    marks = {name: "54321" if "PORT" in name else f"{MARK}-{name}-"
             for name in sorted(variables) if _DATABASE.search(name) and not _NO_PART.search(name)}  # fmt: skip
    default = _default(trial.with_(**marks)) or {}
    # "postgres" would be taken for a module of that name: a backend has a path.
    if engine(default.get("ENGINE", "")) != "postgresql" or "." not in str(default.get("ENGINE")):
        return {}
    found: dict[str, str] = {}
    for part, meaning in _PARTS.items():
        for name, mark in marks.items():
            if mark in str(default.get(part, "")) and name not in found and meaning not in found.values():
                found[name] = meaning
    return found if {"host", "name"} & set(found.values()) else {}


def _redis_mark(name: str) -> str:
    if name.endswith("PORT"):
        return "54321"
    if name.endswith(("HOST", "HOSTNAME", "SERVER")):
        return f"{MARK}-{name.lower()}"
    return f"redis://{MARK}-{name.lower()}"


def _form(name: str, mark: str, text: str) -> str:
    if mark == "54321":
        return "port"
    if not mark.startswith("redis://"):
        return "host"
    # What the settings put behind it themselves: LOCATION = REDIS_URL + "/0".
    return "address" if re.search(re.escape(mark) + r"/\d*$", text) else "url"
