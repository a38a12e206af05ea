"""Logs as one JSON object a line on standard output, with the id of the request or of the Celery task they belong to.

    LOGGING = config("json")     for a project that configures none; "text" is for people

An object has time, level, logger, message; request_id, task_id and task where there is one; exception, the whole
traceback in one record; and what the project gave as `extra`, where JSON knows it.
"""

# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import json
import logging
import os
import select
import sys
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime, timezone
from math import isfinite
from typing import Any

# Written by wsgi.py and asgi.py; Django's own threads for synchronous views inherit it.
request_id: ContextVar[str] = ContextVar("nuages_request_id", default="")

TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
# What every record has; all else is `extra`.
_OWN = {*vars(logging.LogRecord("", 0, "", 0, "", None, None)), "message", "asctime", "taskName", "color_message"}


class Json(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """What cannot be written as JSON is left out: a request or a user in `extra` is no text."""
        entry: dict[str, Any] = {
            "time": timestamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **context(),
        }
        for name, value in vars(record).items():
            if name in _OWN or name in entry or not _plain(value):
                continue
            if name == "data" and record.name.startswith("celery"):  # a task's arguments, which its text has not
                continue
            entry[name] = value
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        elif record.exc_text:
            entry["exception"] = record.exc_text
        if record.stack_info:
            entry["stack"] = self.formatStack(record.stack_info)
        return _writable(json.dumps(entry, ensure_ascii=False))


class Text(logging.Formatter):
    """A line for people, the id of the request or task at its end."""

    def __init__(self) -> None:
        """The one format there is."""
        super().__init__(TEXT)

    def format(self, record: logging.LogRecord) -> str:
        """With its traceback."""
        return _writable(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Before the traceback is added below it."""
        line = super().formatMessage(record)
        found = context()
        return f"{line} [{found.get('task_id') or found['request_id']}]" if found else line


def config(kind: str, stream: str = "stdout") -> dict[str, Any]:
    """A LOGGING for Django: everything from INFO on to standard output, as "json" or "text".

    Django's own handlers stay as they are: mail_admins writes to ADMINS, the console's is silent without DEBUG.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"nuages": {"()": _formatter_name(kind)}},
        "handlers": {
            stream: {"class": "logging.StreamHandler", "stream": f"ext://sys.{stream}", "formatter": "nuages"}
        },
        "root": {"handlers": [stream], "level": "INFO"},
    }


def server(kind: str) -> dict[str, Any]:
    """What granian and uvicorn take for their own few lines, each under the names that it uses itself."""
    formatter = {"()": _formatter_name(kind)}
    handler = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "generic"}
    own = {"handlers": ["console"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"generic": formatter, "access": formatter},
        "handlers": {"console": handler, "access": handler},
        "loggers": {"_granian": own, "granian.access": own, "uvicorn": own},
    }


def context() -> dict[str, str]:
    """request_id, task_id and task, where there are any."""
    found = {}
    if current := request_id.get():
        found["request_id"] = current
    if (state := sys.modules.get("celery._state")) and (task := state.get_current_task()):
        found |= {"task_id": task.request.id or "", "task": task.name}
    return found


def timestamp(seconds: float) -> str:
    """`2026-11-21T15:04:05.678Z`"""
    moment = datetime.fromtimestamp(seconds, timezone.utc)  # noqa: UP017 - the alias is Python 3.11's
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def kind() -> str:
    """What NUAGES_LOGS asks for; JSON where it says nothing."""
    return os.environ.get("NUAGES_LOGS", "json")


def formatter() -> logging.Formatter:
    """That of this process."""
    return Text() if kind() == "text" else Json()


def _formatter_name(kind: str) -> str:
    return f"{__name__}.{'Text' if kind == 'text' else 'Json'}"


def _plain(value: object) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    if value is None or isinstance(value, str | int):
        return True
    if not isinstance(value, list | tuple | dict):
        return False
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _writable(line: str) -> str:
    """Half a character, as clients send them in JSON, has no place in UTF-8 and would cost the whole line."""
    return line if line.isascii() else line.encode(errors="backslashreplace").decode()


def gunicorn_logger() -> type:
    """The logger class of gunicorn, its lines in our format."""
    from gunicorn import glogging  # noqa: PLC0415 - the image's

    class Gunicorn(glogging.Logger):  # type: ignore[misc,name-defined,unused-ignore]
        def setup(self, cfg: object) -> None:
            super().setup(cfg)
            for logger in (self.error_log, self.access_log):
                for handler in logger.handlers:
                    handler.setFormatter(formatter())

    return Gunicorn


def __getattr__(name: str) -> type:
    """`Gunicorn`, made when gunicorn asks for it: nobody else has gunicorn."""
    if name != "Gunicorn":
        raise AttributeError(name)
    return gunicorn_logger()


def to_stdout(line: str) -> None:
    """A whole line in one write: processes that share a pipe cut into no other's line.

    A log that nobody reads costs a second, and then the line; never the request that it tells of.
    """
    rest = line.encode(errors="backslashreplace") + b"\n"
    with suppress(OSError):
        # A pipe that takes anything takes as much as that without waiting.
        while rest and select.select([], [1], [], 1)[1]:
            rest = rest[os.write(1, rest[: select.PIPE_BUF]) :]
