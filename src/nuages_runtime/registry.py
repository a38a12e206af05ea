"""Which tasks the project's Celery workers know, and with which arguments each may be called.

What is in here travels with the image: two releases whose registries differ lose tasks unless somebody looks.
"""

# Celery is the image's.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable
from typing import Any

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def tasks(named: str) -> dict[str, str] | None:
    """Per task's name its signature, as `signature` writes it; {} where there is no Celery, None where it can't be
    known.

    Args:
        named: the applications as `celery -A` takes them, comma-separated; "": those that Django's set-up has made.
    """
    if not named and "celery" not in sys.modules:
        return {}
    try:
        found: dict[str, str] = {}
        for application in _applications(named):
            application.loader.import_default_modules()  # as a worker does: `imports`, and whatever is autodiscovered
            application.finalize(auto=True)
            for name, task in application.tasks.items():
                if not name.startswith("celery."):
                    found[name] = signature(getattr(task, "_orig_run", None) or task.run)
    except Exception:
        # A worker that can't start is a worker's matter: an image without one is built all the same.
        traceback.print_exc()
        return None
    return dict(sorted(found.items()))


def signature(function: Callable[..., Any]) -> str:
    """How it may be called: `(post, subject=, *, dry=)`. No default's value: it may be anybody's."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return "(*args, **kwargs)"
    parts: list[str] = []
    for index, parameter in enumerate(parameters):
        before = parameters[index - 1].kind if index else None
        if before is parameter.POSITIONAL_ONLY and parameter.kind is not parameter.POSITIONAL_ONLY:
            parts.append("/")
        if parameter.kind is parameter.KEYWORD_ONLY and before in (None, *POSITIONAL):
            parts.append("*")
        star = STARS.get(parameter.kind, "")
        default = "" if parameter.default is parameter.empty else "="
        parts.append(f"{star}{parameter.name}{default}")
    if parameters and parameters[-1].kind is inspect.Parameter.POSITIONAL_ONLY:
        parts.append("/")
    return f"({', '.join(parts)})"


def _applications(named: str) -> list[Any]:
    if named:
        from celery.app.utils import find_app

        return [find_app(name) for name in named.split(",")]
    from celery import _state

    return list(_state._get_active_apps())
