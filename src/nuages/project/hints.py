"""What a project says to other platforms: Procfile, Dockerfile, compose, app.json and their like.

Hints, and no more: they may be years old. Each is a fact with its place, named after what it says: "settings=..." for
DJANGO_SETTINGS_MODULE, "process.web=...", "python=...", "env.NAME=...".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from nuages.findings import Place
from nuages.project.facts import Found
from nuages.project.files import Files

_SETTINGS = re.compile(r"DJANGO_SETTINGS_MODULE[\"']?\s*[=:,\s]\s*(?:value:\s*)?[\"']?([A-Za-z_][\w.]*)")
_SETTINGS_KEY = re.compile(r"(key|name):\s*[\"']?DJANGO_SETTINGS_MODULE")
_VALUE = re.compile(r"^\s*-?\s*value:\s*[\"']?([A-Za-z_][\w.]*)")
_PROCESS = re.compile(r"^([a-z][\w-]*):\s*(\S.*)$")
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)?\S*python:(\d+\.\d+)", re.IGNORECASE)
_RUN = re.compile(r"^\s*(?:CMD|ENTRYPOINT)\s+(.*)$")
_COMMAND = re.compile(r"^\s*command\s*[:=]\s*(\S.*)$")
_DAEMON = re.compile(r"^\s*(?:smart-)?attach-daemon2?\s*=\s*(?:cmd=)?(\S.*)$")
_VERSION = re.compile(r"python\D{0,3}(\d+\.\d+)", re.IGNORECASE)
_DOTENV = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$")
_EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", "env.example", ".env-example", "example.env",
             "sample.env")  # fmt: skip


def hints(files: Files) -> tuple[Found, ...]:
    """Every hint, in the order of the files' names."""
    return tuple(hint for file in _hinting(files) for hint in _of(files, file))


def say(found: tuple[Found, ...], kind: str) -> Iterator[Found]:
    """The hints of one kind, each with its value alone."""
    for hint in found:
        name, _, value = hint.value.partition("=")
        if name == kind or name.startswith(f"{kind}."):
            yield Found(value, hint.place, sure=False)


def _hinting(files: Files) -> list[str]:
    """Files of platforms, at most two folders deep."""
    wanted = re.compile(
        r"^(Procfile[\w.]*|.*Dockerfile.*|Containerfile|(docker-)?compose[\w.-]*\.ya?ml|app\.json|runtime\.txt|\.tool-versions"
        r"|fly\.toml|render\.yaml|railway\.(json|toml)|nixpacks\.toml|heroku\.yml|\.platform\.app\.yaml|zappa_settings\.json"
        r"|supervisord?[\w.-]*\.conf|uwsgi\.ini|deploy[\w.-]*\.ya?ml|[\w.-]*\.env\.(example|sample|template|dist)"
        r"|env\.example|example\.env|sample\.env|\.env-example|.*\.service)$"
    )
    return [file for file in files.all if file.count("/") <= 2 and wanted.match(file.rpartition("/")[2])]


def _of(files: Files, file: str) -> Iterator[Found]:
    name = file.rpartition("/")[2]
    if name == "app.json":
        yield from _app_json(files, file)
        return
    if name in _EXAMPLES or ".env." in name:
        yield from _dotenv(files, file)
        return
    waiting = False
    for line, text in files.lines(file):
        if text.lstrip().startswith("#"):
            continue
        place = Place(file, line)
        if said := _SETTINGS.search(text):
            yield Found(f"settings={said[1]}", place, sure=False)
        elif waiting and (value := _VALUE.match(text)):
            yield Found(f"settings={value[1]}", place, sure=False)
        waiting = bool(_SETTINGS_KEY.search(text)) or (waiting and not _VALUE.match(text) and "key:" not in text)
        if name.startswith("Procfile") and "." not in name and (process := _PROCESS.match(text)):
            yield Found(f"process.{process[1]}={process[2]}", place, sure=False)
        elif "ockerfile" in name or name == "Containerfile":
            yield from _dockerfile(text, place)
        elif command := _COMMAND.match(text):
            yield Found(f"{'process' if 'supervisor' in name else 'command'}={command[1]}", place, sure=False)
        elif daemon := _DAEMON.match(text):
            yield Found(f"process={daemon[1]}", place, sure=False)
        if name in ("runtime.txt", ".tool-versions") and (version := _VERSION.search(text)):
            yield Found(f"python={version[1]}", place, sure=False)


def _dockerfile(text: str, place: Place) -> Iterator[Found]:
    if version := _FROM.match(text):
        yield Found(f"python={version[1]}", place, sure=False)
    if command := _RUN.match(text):
        yield Found(f"command={command[1]}", place, sure=False)
    for word in ("compilemessages", "uv sync"):
        if word in text:
            yield Found(f"build={text.strip()}", place, sure=False)


def _app_json(files: Files, file: str) -> Iterator[Found]:
    try:
        said = json.loads(files.text(file))
        variables = said.get("env", {})
    except (ValueError, AttributeError):
        return
    lines = dict(reversed([(text.partition(":")[0].strip().strip('"'), line) for line, text in files.lines(file)]))
    for name, value in variables.items() if isinstance(variables, dict) else []:
        known = value.get("value") if isinstance(value, dict) else value
        if name == "DJANGO_SETTINGS_MODULE" and isinstance(known, str):
            yield Found(f"settings={known}", Place(file, lines.get(name, 1)), sure=False)
        elif isinstance(known, str):
            yield Found(f"env.{name}={known}", Place(file, lines.get(name, 1)), sure=False)


def _dotenv(files: Files, file: str) -> Iterator[Found]:
    for line, text in files.lines(file):
        if said := _DOTENV.match(text):
            name, value = said[1], said[2].strip().strip("\"'")
            kind = "settings" if name == "DJANGO_SETTINGS_MODULE" else f"env.{name}"
            yield Found(f"{kind}={value}", Place(file, line), sure=False)
