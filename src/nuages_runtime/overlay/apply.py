"""Do to a project's loaded settings what the plan says. Values are copies: nothing of the project's own is changed in
place, for this may run while its settings are still loading.
"""

# Django is the image's.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from nuages_runtime.overlay.change import KEPT, Change, World
from nuages_runtime.overlay.plan import plan

done: dict[str, Change] = {}
"""Per setting what became of it in this process."""


def to_settings(settings: Any, module: ModuleType, environ: Mapping[str, str], *, nested: bool) -> None:
    """Change a django.conf.Settings, and the module it was read from, which projects import by name.

    `nested`: made by the settings themselves while they load (`from django.conf import settings`); then the module is
    not complete, and is left alone.
    """
    unfinished = nested or getattr(module.__spec__, "_initializing", False)
    own = {name: getattr(settings, name) for name in settings._explicit_settings}
    for change in plan(_world(own, environ)):
        if change.action != KEPT:
            setattr(settings, change.setting, change.value)
            settings._explicit_settings.add(change.setting)
            if not unfinished:
                setattr(module, change.setting, change.value)
        if not unfinished:
            _note(change)


def to_dynaconf(live: Any, module: ModuleType, environ: Mapping[str, str]) -> None:
    """Change dynaconf's live object, which takes the place of django.conf.settings, and the settings module.

    Dynaconf has written to the module what is the project's own; its object has Django's defaults too.
    """
    own = {name: live.get(name, getattr(module, name)) for name in dir(module) if name.isupper() and name != "DYNACONF"}
    for change in plan(_world(own, environ)):
        if change.action != KEPT:
            live.set(change.setting, change.value, merge=False)
            setattr(module, change.setting, change.value)
        _note(change)


def _note(change: Change) -> None:
    """Remember a change; what was done already and is found in its place now stays as it was."""
    if change.action != KEPT or change.setting not in done:
        done[change.setting] = change


def _world(own: Mapping[str, object], environ: Mapping[str, str]) -> World:
    import django

    handlers = bool(logging.getLogger().handlers)
    return World(own, environ, django.VERSION[:2], installed, str(Path.cwd()), handlers)


def installed(module: str) -> bool:
    """Whether a module can be imported, its parents imported for the answer."""
    try:
        return find_spec(module) is not None
    except ImportError:
        return False
