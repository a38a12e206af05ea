"""`python -m nuages_runtime.facts [--static FOLDER]`: what an image says of itself, as JSON on standard output.

Runs once, when the image is built, with the project's own settings, the overlay on them, no database and no network:
migration leaves come from the files. With --static it also collects the static files into that folder. What the project
prints while it loads goes to standard error.

Exit codes: 0 told, 1 the project does not load (its own traceback), 3 it can't be deployed as it is; the last line on
standard error says why, after "nuages: ".
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import ast
import contextlib
import json
import os
import socket
import sys
import traceback
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from nuages_runtime import hook, registry
from nuages_runtime.collect import Collected, collect
from nuages_runtime.trace import Trace

REFUSED = 3
# What drivers and clients call it when no server answers; OSError's own kinds are known by their class.
_NO_SERVER = frozenset({"OperationalError", "ConnectionError", "EndpointConnectionError", "ConnectTimeout", "URLError"})


class Refused(Exception):
    """The project can't be deployed as it is; the text is the line to say."""


def facts() -> dict[str, object]:
    """The facts of the project whose settings DJANGO_SETTINGS_MODULE names; Django is set up already."""
    import django
    from django.apps import apps
    from django.conf import settings
    from django.db import connections

    from nuages_runtime.migrations import gates
    from nuages_runtime.overlay import apply

    media = str(settings.MEDIA_ROOT or "")
    static = str(settings.STATIC_ROOT or "")
    return {
        "settings": os.environ["DJANGO_SETTINGS_MODULE"],
        "wsgi": application(settings.WSGI_APPLICATION, "NUAGES_WSGI"),
        "asgi": application(getattr(settings, "ASGI_APPLICATION", None), "NUAGES_ASGI"),
        "django": django.get_version(),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "migrations": leaves(),
        "engines": {alias: connections[alias].vendor for alias in connections},
        "gates": list(gates.of_the_image()),
        "tasks": registry.tasks(os.environ.get("NUAGES_CELERY_APP", "")),
        "media_root": str(Path(media).absolute()) if media else None,
        "static_root": str(Path(static).absolute()) if static else None,
        "static_url": settings.STATIC_URL,
        "staticfiles": apps.is_installed("django.contrib.staticfiles"),
        "overlay": [
            {"setting": change.setting, "action": change.action, "why": change.why}
            for _, change in sorted(apply.done.items())
        ],
    }


def application(setting: str | None, variable: str) -> str:
    """`package.wsgi.application` as servers write it, `package.wsgi:application`; the variable where it is not set."""
    if not setting:
        return os.environ.get(variable, "")
    module, _, attribute = setting.rpartition(".")
    return f"{module}:{attribute}"


def leaves() -> dict[str, list[str]]:
    """Per app label the leaves of its migration graph, read from the files."""
    from django.db.migrations.loader import MigrationLoader

    found: dict[str, list[str]] = {}
    for app, name in sorted(MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes()):
        found.setdefault(app, []).append(name)
    return found


def load() -> None:
    """Set Django up with the overlay on.

    Raises:
        Refused: there is no settings module to add to, or the project asks a server while it loads.
    """
    import django

    if configured := configures(Path("manage.py")):
        raise Refused(f"{configured}: the project calls settings.configure(); give it a settings module")
    hook.start()
    try:
        django.setup()
    except Exception as error:
        if why := needs(error):
            traceback.print_exc()
            raise Refused(f"{own_line(error)}{why}") from error
        raise


def configures(manage: Path) -> str:
    """Where manage.py calls settings.configure(), as file:line; "" where it does not."""
    try:
        tree = ast.parse(manage.read_text())
    except (OSError, SyntaxError, ValueError):
        return ""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    for call in calls:
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func).endswith("settings.configure"):
            return f"{manage}:{call.lineno}"
    return ""


def needs(error: BaseException) -> str:
    """What a project that failed to load wanted and no build has: a server's answer, a folder to write to. "" where it
    failed by itself.
    """
    for each in _chain(error):
        if type(each).__module__ == "sqlite3":
            opened = "unable to open" not in str(each)
            return "" if opened else "the project opens a SQLite file while it is loaded; its folder belongs in volumes"
    for each in _chain(error):
        if isinstance(each, (ConnectionError, TimeoutError, socket.gaierror)) or type(each).__name__ in _NO_SERVER:
            said = f"{type(each).__name__}: {(str(each).splitlines() or [''])[0]}"
            return f"the project asks a server while it is loaded, and a build has none: {said}"
    return ""


def own_line(error: BaseException) -> str:
    """The innermost line of the project's own code that an error came by, as "blog/settings.py:41: "."""
    root = Path.cwd()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(root) and "site-packages" not in path.parts:
            return f"{path.relative_to(root)}:{frame.lineno}: "
    return ""


def no_network(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: what reaches for another machine is told at once that nobody is there, instead of waiting for it.

    What is built must not depend on what happened to answer.
    """
    if event == "socket.getaddrinfo" or (event == "socket.connect" and isinstance(arguments[1], tuple)):
        raise ConnectionRefusedError("there is no network while an image is built")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def main() -> int:
    """Print the facts; what fails fails with the project's own traceback."""
    parser = ArgumentParser(prog="nuages_runtime.facts")
    parser.add_argument("--static", type=Path)
    options = parser.parse_args()
    sys.addaudithook(no_network)
    trace = Trace(Path.cwd())
    with contextlib.redirect_stdout(sys.stderr):
        try:
            load()
        except Refused as refused:
            print(f"nuages: {refused}")  # noqa: T201 - to standard error
            return REFUSED
        found = facts()
        collected = collect(options.static) if options.static else Collected()
        found |= {
            "static_skipped": collected.skipped,
            "static_missing": collected.missing,
            "static_tree": collected.tree,
            "static_hashed": collected.hashed,
        }
        found["read"] = trace.told()
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
