"""A project's settings loaded in its own environment, for the commands that show what is known of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nuages.app.components import App
    from nuages.image.facts import Told
    from nuages.project.facts import Facts
    from nuages.project.report import Row


class Loaded(NamedTuple):
    """What the project told, or why it was not asked."""

    told: Told | None
    why_not: str = ""


def load(folder: Path, app: App) -> Loaded:
    """Ask the project in a folder, in a container with its own dependencies, built first where they are not."""
    from nuages.cli.console import console
    from nuages.errors import NuagesError
    from nuages.image.build import loaded

    try:
        return Loaded(loaded(folder, app, console.sink))
    except NuagesError as error:
        detail = error.detail.strip().splitlines()
        place = f"{error.place}: " if error.place else ""
        return Loaded(None, f"{place}{error.message}" + (f": {detail[-1].strip()}" if detail else ""))


def app_for(folder: Path, facts: Facts) -> App:
    """The app of the spec in a folder; where there is none, of the one that `nuages init` would write."""
    from nuages.app.components import resolve
    from nuages.project.draft import draft
    from nuages.spec.load import load as read
    from nuages.spec.load import parse

    file = folder / "nuages.yaml"
    spec = read(file) if file.is_file() else parse(draft(facts, folder=folder).encode(), "nuages.yaml")
    return resolve(spec, "local" if "local" in spec.environments else next(iter(spec.environments)))


def rows(told: Told) -> list[Row]:
    """What it told, as rows."""
    from nuages.findings import Place
    from nuages.project.report import Row

    engines = ", ".join(f"{alias}: {vendor}" for alias, vendor in told.engines.items())
    leaves = sum(len(names) for names in told.migrations.values())
    known = {
        "settings": told.settings,
        "django": told.django,
        "python": told.python,
        "wsgi": told.wsgi,
        "asgi": told.asgi,
        "databases": engines,
        "migrations": f"{leaves} leaves in {len(told.migrations)} apps",
        "uploads": told.media_root or "",
        "static": told.static_skipped or told.static_root or "",
    }
    return [Row(topic, value, Place()) for topic, value in known.items() if value]
