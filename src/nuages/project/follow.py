"""follow(root, settings, environment) -> World: a settings module as Python would run it, statement by statement, with
none of it run.

What it comes to when no variable is set but those of `environment`: each setting with its place, each variable that
was read on the way, and which of them it can't do without. Branches that can't be decided are followed both ways, in
doubt. Bounded in steps and in modules, so that no project makes it slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nuages.findings import Place
from nuages.project.known import UNKNOWN, Function
from nuages.project.scopes import Broken, Lazy, Read, Scope, Trees, converted, module_path, parse
from nuages.project.statements import Returned, run
from nuages.project.values import evaluate

STEPS = 200_000
MODULES = 60
DEPTH = 12


class World:
    """What is known while settings are followed."""

    def __init__(self, root: Path, environment: dict[str, Any], trees: Trees) -> None:
        """`root` is the folder of manage.py, `environment` the variables that are set (their values may be UNKNOWN),
        `trees` what is parsed.
        """
        self.root = root
        self.trees = trees
        self.environment = environment
        self.reads: list[Read] = []
        self.present_asked: list[tuple[str, Place]] = []
        self.raised: dict[str, Place] = {}
        self.made: list[tuple[str, Place]] = []
        self.scopes: dict[Path, Scope] = {}
        self.broken: list[Broken] = []
        self.target = ""
        self.steps = STEPS
        self.doubts = 0
        self.absences = 0
        self.guards = 0
        self.failed = False
        self.calls = 0
        self.noted: set[str] = set()
        self.tests: list[set[str]] = []
        self.at = Place()
        self.scope: Scope | None = None

    # what values.evaluate asks

    def step(self) -> bool:
        """Whether there is patience for one more expression."""
        self.steps -= 1
        return self.steps > 0

    @contextmanager
    def perhaps(self) -> Iterator[None]:
        """What is followed here may not happen."""
        self.doubts += 1
        try:
            yield
        finally:
            self.doubts -= 1

    @contextmanager
    def where_installed(self) -> Iterator[None]:
        """What is followed here happens where a package is there, which the image may not have."""
        self.absences += 1
        try:
            yield
        finally:
            self.absences -= 1

    @property
    def sure(self) -> bool:
        """Whether what is followed here happens in any case."""
        return not (self.doubts or self.absences)

    def read(self, name: str, *, required: bool, default: Any, kind: str) -> Any:
        """A variable's value, or its default; it is noted that it was read."""
        needed = required and not self.guards and not self.doubts
        self.reads.append(Read(name, self.at, needed, default, kind, self.sure))
        self.noted.add(name)
        if name in self.environment:
            return converted(self.environment[name], kind)
        if required:
            self.fails()
            return UNKNOWN
        return converted(default, kind) if isinstance(default, str) else ({} if kind == "db" else default)

    def demand(self, names: set[str]) -> None:
        """What was read has no value, and the settings use it as if it had one: `os.environ.get("X").split()`."""
        missing = sorted(names - self.environment.keys())
        needed = not self.guards and not self.doubts
        self.reads += [Read(name, self.at, needed, None, "str", self.sure) for name in missing]
        if missing:
            self.fails()

    def present(self, name: str) -> bool:
        """`name in os.environ`."""
        self.present_asked.append((name, self.at))
        self.noted.add(name)
        return name in self.environment

    def fails(self) -> None:
        """What is followed would raise here; inside a `try` its handlers come next."""
        self.failed = self.failed or self.guards > 0

    def makes(self, path: object) -> None:
        """A folder that is made while the settings load."""
        self.made.append((str(path), self.at))

    def exists(self, path: str) -> bool:
        """Whether the image will have a file: what the project has, except for files of variables."""
        found = Path(path) if path.startswith("/") else self.root / path
        return found.is_relative_to(self.root) and not found.name.startswith(".env") and found.exists()

    def resolved(self, scope: Scope, name: str) -> Any:
        """The value of a name; one from a module of the project is looked up there."""
        value = scope.values[name]
        self.noted |= scope.origins.get(name, frozenset())
        if not isinstance(value, Lazy):
            return value
        # Two modules may each import a name from the other: while it is looked up, nobody knows it.
        scope.values[name] = UNKNOWN
        other = self.load(value.module)
        if other is None or value.name not in other.values:
            scope.values[name] = found = self.load(f"{value.module}.{value.name}") or UNKNOWN
            return found
        scope.values[name] = found = self.resolved(other, value.name)
        return found

    def member(self, owner: Any, name: str) -> Any:
        """`owner.name` of a module or a class of the project."""
        if isinstance(owner, Scope) and name in owner.values:
            return self.resolved(owner, name)
        return UNKNOWN

    @staticmethod
    def instance(called: Any) -> Scope | None:
        """What a class of the project makes: for settings, the class itself."""
        return called if isinstance(called, Scope) else None

    def call(self, function: Function, arguments: list[Any], named: dict[str, Any]) -> Any:
        """What a function of the project's own returns."""
        if self.calls >= DEPTH:
            return UNKNOWN
        parameters = function.node.args
        inner = function.scope.inner({})
        names = [each.arg for each in [*parameters.posonlyargs, *parameters.args]]
        for name, default in zip(reversed(names), reversed(parameters.defaults), strict=False):
            inner.values[name] = evaluate(default, function.scope, self)
        for only, standard in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
            inner.values[only.arg] = evaluate(standard, function.scope, self) if standard else UNKNOWN
        inner.values |= dict(zip(names, arguments, strict=False)) | named
        self.calls += 1
        try:
            run(function.node.body, inner, self)
        except Returned as returned:
            return returned.value
        finally:
            self.calls -= 1
        return None

    def include(self, dotted: str, arguments: list[Any]) -> Any:
        """django-split-settings: files that run in the scope of the one that includes them."""
        if dotted.endswith("optional"):
            return arguments[0] if arguments else UNKNOWN
        scope = self.scope
        if scope is None:
            return None
        for pattern in (each for each in arguments if isinstance(each, str)):
            for path in sorted(scope.path.parent.glob(pattern)):
                if path.suffix == ".py" and path not in self.scopes:
                    # Which files they are was decided by what the pattern is made of.
                    self._run(path, scope, [set(self.noted)])
        return None

    # modules

    def load(self, dotted: str) -> Scope | None:
        """Follow a module of the project, once; None where it is no file of the project."""
        path = module_path(self.root, dotted)
        if path is None:
            return None
        if path not in self.scopes:
            package = dotted if path.name == "__init__.py" else dotted.rpartition(".")[0]
            self._run(path, Scope(path, str(path.relative_to(self.root)), dotted, package))
        return self.scopes.get(path)

    def _run(self, path: Path, scope: Scope, tests: list[set[str]] | None = None) -> None:
        if len(self.scopes) >= MODULES:
            return
        file = str(path.relative_to(self.root))
        if path not in self.trees:
            self.trees[path] = parse(path, file)
        tree = self.trees[path] or parse(path, file, self.broken)
        if tree is None:
            return
        module = scope if scope.path == path else Scope(path, file, scope.dotted, scope.package)
        module.tree = tree
        self.scopes[path] = module
        before = (self.at, self.scope, self.calls, scope.path, scope.file, self.tests)
        # An included file runs in the scope of another, and is reported under its own name.
        self.scope, self.calls, scope.path, scope.file, self.tests = scope, 0, path, file, tests or []
        try:
            run(tree.body, scope, self)
        except Returned:
            pass
        finally:
            self.at, self.scope, self.calls, scope.path, scope.file, self.tests = before

    # what statements.run keeps

    def deciding(self) -> frozenset[str]:
        """The variables by which it was decided that this is done."""
        return frozenset().union(*self.tests)

    @contextmanager
    def noting(self) -> Iterator[set[str]]:
        """The variables that are read inside."""
        before, self.noted = self.noted, set()
        noted: set[str] = set()
        try:
            yield noted
        finally:
            noted.update(self.noted)
            self.noted = before | self.noted


def follow(
    root: Path, settings: str, environment: dict[str, Any] | None = None, trees: Trees | None = None
) -> tuple[World, Scope | None]:
    """Follow a settings module; its scope is None where it is no file of the project, or no Python.

    `trees` keeps what was parsed for the next time.
    """
    world = World(root, environment or {}, {} if trees is None else trees)
    try:
        return world, world.load(settings)
    except RecursionError:
        return world, world.scopes.get(module_path(root, settings) or root)
