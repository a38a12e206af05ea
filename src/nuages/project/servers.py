"""What answers HTTP: the WSGI and the ASGI application, and which of them is to serve."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from nuages.findings import Place
from nuages.project.facts import Found
from nuages.project.files import Files, importable, module_of
from nuages.project.hints import say
from nuages.project.scopes import module_path, parse
from nuages.project.trial import Trial

_ASGI_SERVER = re.compile(r"\b(uvicorn|daphne|hypercorn|UvicornWorker|asgi)\b")
_WSGI_SERVER = re.compile(r"\b(wsgi|uwsgi)\b")
_SERVER = re.compile(r"\b(gunicorn|uvicorn|daphne|hypercorn|uwsgi|granian|waitress)\b")


class Servers(NamedTuple):
    """The applications, and which is to serve."""

    wsgi: Found | None
    asgi: Found | None
    interface: Found | None
    channels: Found | None


def servers(files: Files, trial: Trial, hints: tuple[Found, ...]) -> Servers:
    """WSGI serves where there is one; ASGI where there is no other, or where something needs it."""
    wsgi = _set(trial, "WSGI_APPLICATION") or _file(files, "wsgi")
    asgi = _set(trial, "ASGI_APPLICATION") or _file(files, "asgi")
    layers = trial.installed("channels") or (trial.place("CHANNEL_LAYERS") if trial.value("CHANNEL_LAYERS") else None)
    channels = Found("channels", layers) if layers else None
    return Servers(wsgi, asgi, _interface(files, wsgi, asgi, channels, hints), channels)


def _interface(
    files: Files, wsgi: Found | None, asgi: Found | None, channels: Found | None, hints: tuple[Found, ...]
) -> Found | None:
    if asgi is None or wsgi is None:
        found = asgi or wsgi
        return Found("asgi" if asgi else "wsgi", found.place, sure=found.sure) if found else None
    if channels:
        return Found("asgi", channels.place)
    for hint in [*say(hints, "process.web"), *say(hints, "command")]:
        if _SERVER.search(hint.value) and (_ASGI_SERVER.search(hint.value) or _WSGI_SERVER.search(hint.value)):
            kind = "asgi" if _ASGI_SERVER.search(hint.value) else "wsgi"
            return Found(kind, hint.place, sure=False)
    if line := _websockets(files, asgi):
        return Found("asgi", line, sure=False)
    return Found("wsgi", wsgi.place)


def _set(trial: Trial, setting: str) -> Found | None:
    """WSGI_APPLICATION as servers write it, `package.wsgi:application`; only where the project has that module."""
    value = trial.value(setting)
    if not isinstance(value, str):
        return None
    module, _, attribute = value.rpartition(".")
    if not module or module_path(trial.root, module) is None:
        return None
    return Found(f"{module}:{attribute}", trial.place(setting))


def _file(files: Files, kind: str) -> Found | None:
    """A wsgi.py or asgi.py that is there, the one nearest to manage.py; with the name of what it makes."""
    wanted = re.compile(rf"(^|/){kind}(/__init__)?\.py$")
    found = [file for file in files.python if wanted.search(file) and importable(file)]
    for file in sorted(found, key=lambda each: (each.count("/"), each)):
        tree = parse(files.root / file, file)
        names = [name.id for node in (tree.body if tree else []) if isinstance(node, ast.Assign)
                 for name in node.targets if isinstance(name, ast.Name)]  # fmt: skip
        names += [node.name for node in (tree.body if tree else [])
                  if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]  # fmt: skip
        made = next((name for name in ("application", "app") if name in names), None)
        if made:
            return Found(f"{module_of(file)}:{made}", Place(file, 1), sure=False)
    return None


def _websockets(files: Files, asgi: Found) -> Place | None:
    """Where the ASGI application handles what a WSGI one can't."""
    path = module_path(files.root, asgi.value.partition(":")[0])
    if path is None:
        return None
    file = str(path.relative_to(files.root))
    return next(
        (Place(file, line) for line, text in files.lines(file) if re.search(r"[\"']websocket[\"']", text)), None
    )
