"""Puts the overlay where Django loads its settings, in every process of the image, without a settings module of ours.

    python starts ─▶ nuages.pth / nuages.start ─▶ start() ─▶ a finder waits for `django.conf` ─▶ Settings.__init__ is
    wrapped ─▶ the project's own settings load as ever ─▶ overlay.apply adds to them

A .pth file with an import line up to Python 3.14; from 3.15 on site.py reads nuages.start instead and leaves the import
line alone (PEP 829). Neither does anything where NUAGES_OVERLAY is absent or empty. Nothing is imported here before
Django is: this module runs in every `python -c`.
"""

# No `from __future__`: one import less at each start of Python.

import os
import sys

GIVEN = "NUAGES_GIVEN"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def start() -> None:
    """Begin to wait for Django; at once where it is loaded already. Called again, it does nothing."""
    if not os.environ.get("NUAGES_OVERLAY") or any(isinstance(finder, Finder) for finder in sys.meta_path):
        return
    finder = Finder(_given(os.environ))
    for name, wrap in finder.watched.items():
        if name in sys.modules:
            wrap(sys.modules[name])
    sys.meta_path.insert(0, finder)


def _given(environ: "MutableMapping[str, str]") -> "dict[str, str]":
    """The environment as the pod gives it. A process that another Python started (a pool that spawns, manage.py called
    by a task) has also what that one's settings read from a .env file: the names are handed on to leave it out.
    """
    names = environ.setdefault(GIVEN, "\n".join(environ)).split("\n")
    return {name: environ[name] for name in names if name in environ}


class Finder:
    """Finds what the others find; a module that is watched gets wrapped once it has run."""

    def __init__(self, environ: "dict[str, str]") -> None:
        """Keep the environment as the pod gives it: settings that read a .env file add to it later."""
        self.environ = environ
        self.watched: dict[str, Callable[[ModuleType], None]] = {
            "django.conf": self._settings,
            "dynaconf.contrib.django_dynaconf_v2": self._dynaconf,
            "django.db.migrations.executor": _migrations,
        }
        self._asking: set[str] = set()

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """The spec of a watched module, which any other finder has; None for all others.

        Its loader keeps its type and its place in the spec: only this one run of it is followed by ours.
        """
        if name not in self.watched or name in self._asking:
            return None
        self._asking.add(name)
        try:
            others = (finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec"))
            found = (finder.find_spec(name, path, target) for finder in others)
            spec = next((spec for spec in found if spec is not None), None)
        finally:
            self._asking.discard(name)
        if spec is None or spec.loader is None:
            return spec
        loader, run = spec.loader, spec.loader.exec_module

        def exec_module(module: "ModuleType") -> None:
            del loader.exec_module  # the class's own shows again
            run(module)
            self.watched[name](module)

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _settings(self, module: "ModuleType") -> None:
        """Wrap django.conf.Settings: SETTINGS_MODULE stays the project's, and whoever sets it is heard."""
        settings = module.Settings
        original = settings.__init__
        depth = 0

        def __init__(self: object, settings_module: str) -> None:  # noqa: N807 - it takes the place of one
            nonlocal depth
            depth += 1
            try:
                original(self, settings_module)
            finally:
                depth -= 1
            apply = _apply()
            apply.to_settings(self, sys.modules[settings_module], environ, nested=depth > 0)

        environ = self.environ
        settings.__init__ = __init__

    def _dynaconf(self, module: "ModuleType") -> None:
        """Wrap what puts a live object in the place of django.conf.settings while the settings are still loading."""
        original = module.load

        def load(django_settings_module_name: "str | None" = None, **options: object) -> object:
            live = original(django_settings_module_name, **options)
            name = django_settings_module_name or os.environ["DJANGO_SETTINGS_MODULE"]
            _apply().to_dynaconf(live, sys.modules[name], environ)
            return live

        environ = self.environ
        module.load = module.DjangoDynaconf = load  # type: ignore[attr-defined]


def _migrations(module: "ModuleType") -> None:
    from nuages_runtime.migrations import by_hand  # noqa: PLC0415 - only where something is migrated

    by_hand.watch(module)


def _apply() -> "ModuleType":
    from nuages_runtime.overlay import apply  # noqa: PLC0415 - not before Django is there

    return apply
