"""Trial: a project's settings, followed once for each question: "and if DATABASE_URL were set?"

A question is answered by giving variables values that can be recognised and looking where they come out. So it does
not matter by how many hands of the project's own a variable becomes a setting.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from nuages.findings import Place
from nuages.project.choice import DEVELOPMENT, PRODUCTION, rank
from nuages.project.facts import Found
from nuages.project.follow import follow
from nuages.project.known import UNKNOWN
from nuages.project.readers import PLATFORM
from nuages.project.scopes import Read, Scope, Trees

# What a variable is set to, to see whether it turns something off: as a switch, and as the name of a stage.
_OFF = ("false", "False", "0", "", "no")
_STAGES = ("production", "prod")
_DEVELOPING = re.compile(r"(^|_)(DEBUG|DEV|DEVELOPMENT|LOCAL|TEST|TESTING)(_|$)")
_STAGE = re.compile(r"(ENV|ENVIRONMENT|STAGE|MODE|PROFILE|TIER|CONFIG|CONFIGURATION)$")


class Trial:
    """Settings as they come out in one environment."""

    def __init__(
        self, root: Path, settings: str, environment: dict[str, str] | None = None, trees: Trees | None = None
    ) -> None:
        """Follow them; `environment` is what is set beside nothing at all, `trees` what is parsed already."""
        self.trees = {} if trees is None else trees
        self.root = root
        self.settings = settings
        self.environment = environment or {}
        self.world, self._scope = follow(root, settings, self.environment, self.trees)
        self.classes = self._scope.classes if self._scope else {}

    @cached_property
    def configuration(self) -> str:
        """The class that django-configurations is to use, where the settings are made of classes."""
        fit = [name for name in self.classes if rank(_words(name)) != DEVELOPMENT and self.classes[name].values]
        ranked = sorted(fit, key=lambda name: (rank(_words(name)) != PRODUCTION, name))
        return ranked[0] if ranked and "INSTALLED_APPS" not in (self._scope.values if self._scope else {}) else ""

    @property
    def scope(self) -> Scope | None:
        """Where the settings stand: the module, or the class that is used."""
        return self.classes[self.configuration] if self.configuration else self._scope

    def with_(self, **more: str) -> Trial:
        """The same settings with more variables set."""
        return Trial(self.root, self.settings, self.environment | more, self.trees)

    def value(self, name: str) -> Any:
        """What a setting comes to: None where it is not set, UNKNOWN where that could not be followed."""
        if self.scope is None or name not in self.scope.values:
            return None
        return self.world.resolved(self.scope, name)

    def found(self, name: str) -> Found | None:
        """A setting as a fact."""
        value = self.value(name)
        if value is None:
            return None
        return Found("" if value is UNKNOWN else shown(value, self.root), self.place(name), sure=value is not UNKNOWN)

    def place(self, name: str) -> Place:
        """Where a setting got its value."""
        return self.scope.places.get(name, Place()) if self.scope else Place()

    def origins(self, name: str) -> frozenset[str]:
        """The variables that a setting's value came from."""
        return self.scope.origins.get(name, frozenset()) if self.scope else frozenset()

    def names(self) -> Iterator[str]:
        """Every setting's name."""
        return (name for name in (self.scope.values if self.scope else ()) if name.isupper())

    def texts(self, name: str) -> list[str]:
        """All texts in a setting: those of lists and maps, too."""
        return list(_texts(self.value(name)))

    def installed(self, *apps: str) -> Place | None:
        """Where INSTALLED_APPS names one of these apps, or the AppConfig of one."""
        for text in self.texts("INSTALLED_APPS"):
            if any(text == app or text.startswith(f"{app}.") for app in apps):
                return self.place("INSTALLED_APPS")
        return None

    def reads(self) -> list[Read]:
        """The variables that were read on the way."""
        return self.world.reads

    def inside(self, path: object) -> str | None:
        """A path relative to the project; None where it is outside, or no path."""
        if not isinstance(path, str | PurePosixPath) or not str(path):
            return None
        whole = PurePosixPath(self.root) / path
        try:
            below = PurePosixPath(_normal(whole)).relative_to(self.root)
        except ValueError:
            return None
        return str(below)


def load(root: Path, settings: str) -> tuple[Trial, dict[str, str]]:
    """The settings as they are in production: with DEBUG off where a variable decides that, and what was set for it."""
    first = Trial(root, settings)
    chosen: dict[str, str] = {}
    if first.configuration:
        chosen["DJANGO_CONFIGURATION"] = first.configuration
    found = off(first, "DEBUG") if first.value("DEBUG") not in (False, None) else None
    if found:
        chosen[found[0]] = found[1]
    return (first.with_(**chosen) if chosen else first), chosen


def off(trial: Trial, setting: str) -> tuple[str, str] | None:
    """A variable and its value with which a setting becomes false; None where no variable does that."""
    deciding = trial.origins(setting) | (trial.scope.controls.get(setting, frozenset()) if trial.scope else frozenset())
    for name in sorted(deciding - PLATFORM):
        if setting != "DEBUG" and _DEVELOPING.search(name):
            continue  # it turns off much more than this
        for value in (*_STAGES, *_OFF) if _STAGE.search(name) else (*_OFF, *_STAGES):
            answer = trial.with_(**{name: value}).value(setting)
            if answer in (False, "") and answer is not None:
                return name, value
    return None


def shown(value: Any, root: Path) -> str:
    """A value as text, paths relative to the project."""
    text = str(value)
    return text.removeprefix(f"{root}/") if isinstance(value, str | PurePosixPath) else text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple | set):
        for each in value:
            yield from _texts(each)


def _normal(path: PurePosixPath) -> str:
    return posixpath.normpath(str(path))


def _words(name: str) -> str:
    """CamelCase as words: ProductionSettings is production_settings."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
