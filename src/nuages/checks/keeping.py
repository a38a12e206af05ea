"""Findings about what is kept: what of it no backup has."""

from __future__ import annotations

from nuages.app.components import App
from nuages.findings import Finding, Level, Place


def check(app: App) -> list[Finding]:
    """A backup is of the database: whoever declares one may think that uploads are in it."""
    if app.media is None or app.postgres is None or app.postgres.run.backup is None:
        return []
    message = "backups are of the database: uploads on a volume are in none of them, so their rows would outlive them"
    hint = "media: {bucket: …} with versions kept there, or snapshots of the volume by whoever runs the cluster"
    return [Finding("app.I163", Level.INFO, message, Place(path="media.volume"), hint)]
