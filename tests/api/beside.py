"""What the tests of the runtime have, for tests of the API server: a real PostgreSQL, and a Django that runs here."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

RUNTIME = Path(__file__).parents[1] / "runtime"
WITH = {(3, 11): "django5.2-python3.11", (3, 13): "django5.2-python3.13"}
"""By the Python of these tests: the packages hold extension modules, which are of one version."""


def module(name: str) -> ModuleType:
    """A module of the runtime's tests, whose folder is on nobody's path here."""
    spec = importlib.util.spec_from_file_location(f"runtime_{name}", RUNTIME / f"{name}.py")
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded  # NamedTuples look their module up
    spec.loader.exec_module(loaded)
    return loaded


def packages() -> Path | None:
    """Where Django and psycopg are installed for this Python; None where there are none for it."""
    name = WITH.get(sys.version_info[:2])
    if name is None:
        return None
    environment = module("environments").ensure(name)
    found: Path = next(environment.venv.glob("lib/python3.*/site-packages"))
    return found
