"""Which pods the names on a command line mean, for who only looks: parts that serve, data stores, and what ran once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from nuages.errors import UsageError
from nuages.render.labels import BACKUP, BEAT, FRONTEND, JOB, MIGRATE, RUN, SCHEDULE, STATIC, WEB, WORKER

if TYPE_CHECKING:
    from nuages.app.components import App

Chosen = Callable[[str, str, str], bool]
"""Component, key and name of a pod -> whether it is meant."""

OWN = (WEB, WORKER, BEAT)
"""What is meant where nothing is said: the app's own code that goes on running."""


Names = Mapping[str, Iterable[tuple[str, str]]]
"""Every name of an app's components, with the components and keys that it stands for; "" is every key."""


def chooser(app: App, asked: Iterable[str], default: Iterable[str] = OWN) -> Chosen:
    """By `web`, `web-main`, `main`, `postgres`, `clearsessions`, or by a pod's name; by nothing, what `default` names.

    Raises:
        UsageError: the app has no component of that name.
    """
    return choosing(app.name, names_of(app), asked, default)


def choosing(app: str, names: Names, asked: Iterable[str], default: Iterable[str] = OWN) -> Chosen:
    """As `chooser`, by the names alone."""
    meant: set[tuple[str, str]] = set()
    pods: set[str] = set()
    for word in asked:
        name = word.removeprefix(f"{app}-")
        if name in names:
            meant.update(names[name])
        elif any(name.startswith(f"{known}-") for known in names):
            pods.add(f"{app}-{name}")  # whether there is one, its cluster tells
        else:
            import difflib  # noqa: PLC0415 - only for what is typed wrong

            close = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(names))}"
            raise UsageError(f"{app} has no component {word}", hint=hint)
    if not meant and not pods:
        meant = {(component, "") for component in default}

    def chosen(component: str, key: str, pod: str) -> bool:
        return bool(meant & {(component, ""), (component, key)}) or pod in pods

    return chosen


def names_of(app: App) -> dict[str, set[tuple[str, str]]]:
    """Those of an app."""
    from nuages.app import stores  # noqa: PLC0415 - who has the names at hand needs nothing of it

    keys: dict[str, list[str]] = {
        WEB: list(app.web),
        WORKER: list(app.workers),
        FRONTEND: list(app.frontends),
        SCHEDULE: list(app.schedules),
        JOB: list(app.jobs),
    }
    single = [MIGRATE, RUN, BACKUP, *([BEAT] if app.beat else []), *([STATIC] if app.static.nginx else [])]
    names: dict[str, set[tuple[str, str]]] = {name: {(name, "")} for name in (*single, *stores.running(app))}
    for component, several in keys.items():
        if several:
            names.setdefault(component, set()).add((component, ""))
        for key in several:
            for name in (f"{component}-{key}", key):
                names.setdefault(name, set()).add((component, key))
    return names
