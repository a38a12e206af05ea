"""dockerfile(project, app) -> text: a Dockerfile that makes such an image, for people who want one."""

from __future__ import annotations

from pathlib import Path

from nuages.app.components import App


def dockerfile(project: Path, app: App) -> str:
    """Written below."""
    raise NotImplementedError
