"""follow(root, settings, environment) -> World: a settings module as Python would run it, statement by statement, with
none of it run.

What it comes to when no variable is set but those of `environment`: each setting with its place, each variable that
was read on the way, and which of them it can't do without. Branches that can't be decided are followed both ways, in
doubt. Bounded in steps and in modules, so that no project makes it slow.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from nuages.findings import Place
from nuages.project.values import (
    UNKNOWN,
    Function,
    Symbol,
    binary,
    database,
    evaluate,
    truth,
)

STEPS = 200_000
MODULES = 60
DEPTH = 12
_TRUE = {"y", "yes", "t", "true", "on", "1", "ok"}
# Statements that say nothing of settings, and hold none.
_IGNORED = (ast.Pass, ast.Global, ast.Nonlocal, ast.Assert, ast.Delete, ast.AsyncFunctionDef)


Trees = dict[Path, ast.Module | None]


class Read(NamedTuple):
    """A variable as it was read: `required` where the settings do not load without it."""

    name: str
    place: Place
    required: bool
    default: Any
    kind: str
    sure: bool = True


class Scope:
    """The names of one module, class or call: what each is, where it was assigned, which variables it came from."""

    def __init__(self, path: Path, file: str, dotted: str, package: str, above: Scope | None = None) -> None:
        """A scope sees the names of the one above as its own."""
        self.path, self.file, self.dotted, self.package = path, file, dotted, package
        self.values: dict[str, Any] = dict(above.values) if above else {}
        self.origins: dict[str, frozenset[str]] = dict(above.origins) if above else {}
        self.places: dict[str, Place] = dict(above.places) if above else {}
        self.controls: dict[str, frozenset[str]] = {}
        self.classes: dict[str, Scope] = {}
        self.tree: ast.Module | None = None

    def inner(self, values: dict[str, Any]) -> Scope:
        """A scope below this one, with names of its own."""
        made = Scope(self.path, self.file, self.dotted, self.package, self)
        made.values.update(values)
        return made


class Lazy(NamedTuple):
    """A name imported from a module of the project: the module is looked at when the name is used."""

    module: str
    name: str


class Broken(NamedTuple):
    """A file that is no Python: where, and what the parser says."""

    place: Place
    message: str


class _Returned(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class World:
    """What is known while settings are followed."""

    def __init__(self, root: Path, environment: dict[str, str], trees: Trees) -> None:
        """`root` is the folder of manage.py, `environment` the variables that are set, `trees` what is parsed."""
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
        self._steps = STEPS
        self._doubts = 0
        self._guards = 0
        self._failed = False
        self._calls = 0
        self._noted: set[str] = set()
        self._tests: list[set[str]] = []
        self._at = Place()
        self._scope: Scope | None = None

    # what values.evaluate asks

    def step(self) -> bool:
        """Whether there is patience for one more expression."""
        self._steps -= 1
        return self._steps > 0

    @contextmanager
    def perhaps(self) -> Iterator[None]:
        """What is followed here may not happen."""
        self._doubts += 1
        try:
            yield
        finally:
            self._doubts -= 1

    def read(self, name: str, *, required: bool, default: Any, kind: str) -> Any:
        """A variable's value, or its default; it is noted that it was read."""
        needed = required and not self._guards and not self._doubts
        self.reads.append(Read(name, self._at, needed, default, kind, not self._doubts))
        self._noted.add(name)
        if name in self.environment:
            return _converted(self.environment[name], kind)
        if required:
            self.fails()
            return UNKNOWN
        return _converted(default, kind) if isinstance(default, str) else ({} if kind == "db" else default)

    def present(self, name: str) -> bool:
        """`name in os.environ`."""
        self.present_asked.append((name, self._at))
        self._noted.add(name)
        return name in self.environment

    def fails(self) -> None:
        """What is followed would raise here; inside a `try` its handlers come next."""
        self._failed = self._failed or self._guards > 0

    def makes(self, path: object) -> None:
        """A folder that is made while the settings load."""
        self.made.append((str(path), self._at))

    def exists(self, path: str) -> bool:
        """Whether the image will have a file: what the project has, except for files of variables."""
        found = Path(path) if path.startswith("/") else self.root / path
        return found.is_relative_to(self.root) and not found.name.startswith(".env") and found.exists()

    def resolved(self, scope: Scope, name: str) -> Any:
        """The value of a name; one from a module of the project is looked up there."""
        value = scope.values[name]
        self._noted |= scope.origins.get(name, frozenset())
        if not isinstance(value, Lazy):
            return value
        other = self.load(value.module)
        if other is None or value.name not in other.values:
            return self.load(f"{value.module}.{value.name}") or UNKNOWN
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
        if self._calls >= DEPTH:
            return UNKNOWN
        parameters = function.node.args
        inner = function.scope.inner({})
        names = [each.arg for each in [*parameters.posonlyargs, *parameters.args]]
        for name, default in zip(reversed(names), reversed(parameters.defaults), strict=False):
            inner.values[name] = evaluate(default, function.scope, self)
        for only, standard in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
            inner.values[only.arg] = evaluate(standard, function.scope, self) if standard else UNKNOWN
        inner.values |= dict(zip(names, arguments, strict=False)) | named
        self._calls += 1
        try:
            self._statements(function.node.body, inner)
        except _Returned as returned:
            return returned.value
        finally:
            self._calls -= 1
        return None

    def include(self, dotted: str, arguments: list[Any]) -> Any:
        """django-split-settings: files that run in the scope of the one that includes them."""
        if dotted.endswith("optional"):
            return arguments[0] if arguments else UNKNOWN
        scope = self._scope
        if scope is None:
            return None
        for pattern in (each for each in arguments if isinstance(each, str)):
            for path in sorted(scope.path.parent.glob(pattern)):
                if path.suffix == ".py" and path not in self.scopes:
                    self._run(path, scope)
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

    def _run(self, path: Path, scope: Scope) -> None:
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
        before = (self._at, self._scope, self._calls, scope.path, scope.file, self._tests)
        # An included file runs in the scope of another, and is reported under its own name.
        self._scope, self._calls, scope.path, scope.file, self._tests = scope, 0, path, file, []
        try:
            self._statements(tree.body, scope)
        except _Returned:
            pass
        finally:
            self._at, self._scope, self._calls, scope.path, scope.file, self._tests = before

    # statements

    def _statements(self, nodes: list[ast.stmt], scope: Scope) -> None:
        for node in nodes:
            if not self._calls:
                self._at = Place(scope.file, node.lineno)
            if self._steps > 0 and not isinstance(node, _IGNORED):
                self._statement(node, scope)

    def _statement(self, node: ast.stmt, scope: Scope) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                self._assign(targets, value, scope)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._assign([target], value, scope)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                with self._noting() as noted:
                    old, new = scope.values.get(name, UNKNOWN), evaluate(value, scope, self)
                    old = self.resolved(scope, name) if name in scope.values else old
                self._bind(name, binary(op, old, new), scope, {*noted, *scope.origins.get(name, frozenset())})
            case ast.Expr(value=value):
                evaluate(value, scope, self)
            case ast.If():
                self._if(node, scope)
            case ast.Try():
                self._try(node, scope)
            case ast.With(items=items, body=body):
                for item in items:
                    evaluate(item.context_expr, scope, self)
                self._statements(body, scope)
            case ast.For():
                self._for(node, scope)
            case ast.FunctionDef(name=name):
                scope.values[name] = Function(node, scope)
            case ast.ClassDef():
                self._class(node, scope)
            case ast.Import(names=names):
                for each in names:
                    scope.values[each.asname or each.name.partition(".")[0]] = self._module(each)
            case ast.ImportFrom():
                self._import(node, scope)
            case ast.Return(value=value):
                found = evaluate(value, scope, self) if value else None
                raise _Returned(UNKNOWN if self._doubts else found)
            case ast.Raise():
                self._raise()
            case ast.Match(subject=subject, cases=cases):
                evaluate(subject, scope, self)
                with self.perhaps():
                    for case in cases:
                        self._branch(case.body, scope)

    def _assign(self, targets: list[ast.expr], value: ast.expr, scope: Scope) -> None:
        self.target = targets[0].id if isinstance(targets[0], ast.Name) else ""
        with self._noting() as noted:
            found = evaluate(value, scope, self)
        for target in targets:
            match target:
                case ast.Name(id=name):
                    self._bind(name, found, scope, noted)
                case ast.Tuple(elts=elements) if isinstance(found, list | tuple) and len(found) == len(elements):
                    for element, each in zip(elements, found, strict=True):
                        if isinstance(element, ast.Name):
                            self._bind(element.id, each, scope, noted)
                case ast.Subscript(value=owner, slice=key):
                    self._set(evaluate(owner, scope, self), evaluate(key, scope, self), found)
                    if isinstance(root := _root(owner), ast.Name):
                        scope.origins[root.id] = scope.origins.get(root.id, frozenset()) | frozenset(noted)

    def _bind(self, name: str, value: Any, scope: Scope, noted: frozenset[str] | set[str]) -> None:
        scope.values[name] = value
        scope.origins[name] = frozenset(noted)
        scope.places[name] = self._at
        scope.controls[name] = self._deciding()

    def _deciding(self) -> frozenset[str]:
        """The variables by which it was decided that this is done."""
        return frozenset().union(*self._tests)

    @staticmethod
    def _set(owner: Any, key: Any, value: Any) -> None:
        if isinstance(owner, dict) and isinstance(key, str):
            owner[key] = value

    def _if(self, node: ast.If, scope: Scope) -> None:
        with self._noting() as noted:
            chosen = truth(evaluate(node.test, scope, self))
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        self._tests.append(set(noted))
        try:
            if chosen is UNKNOWN:
                with self.perhaps():
                    self._branch(node.body, scope)
                    self._branch(node.orelse, scope)
            else:
                self._statements(node.body if chosen else node.orelse, scope)
        finally:
            self._tests.pop()

    def _branch(self, nodes: list[ast.stmt], scope: Scope) -> None:
        """A branch that may not be taken: a return in it ends nothing but it."""
        with suppress(_Returned):
            self._statements(nodes, scope)

    def _try(self, node: ast.Try, scope: Scope) -> None:
        catches = [handler for handler in node.handlers if not _only_imports(handler)]
        failed, self._failed = self._failed, False
        self._guards += bool(catches)
        with self._noting() as noted:
            returned = None
            try:
                self._statements(node.body, scope)
            except _Returned as early:
                returned = early
            finally:
                self._guards -= bool(catches)
        ended, self._failed = self._failed, failed
        if returned and not ended:
            raise returned
        self._tests.append(set(noted))
        try:
            if ended:
                self._statements(catches[0].body, scope)
            else:
                self._statements(node.orelse, scope)
            self._statements(node.finalbody, scope)
        finally:
            self._tests.pop()

    def _for(self, node: ast.For, scope: Scope) -> None:
        source = evaluate(node.iter, scope, self)
        name = node.target.id if isinstance(node.target, ast.Name) else ""
        for each in list(source)[:50] if isinstance(source, list | tuple) else [UNKNOWN]:
            if name:
                scope.values[name] = each
            self._statements(node.body, scope)

    def _raise(self) -> None:
        """The settings end here unless the variables that the test before asked for are set: they are required."""
        if self._guards:
            self.fails()
        elif not self._doubts:
            asked = (names - self.environment.keys() for names in reversed(self._tests))
            for name in next((names for names in asked if names), set()):
                self.raised.setdefault(name, self._at)
        if self._calls:
            raise _Returned(UNKNOWN)

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        bases = [evaluate(base, scope, self) for base in node.bases]
        written = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
        inner = Scope(scope.path, scope.file, scope.dotted, scope.package)
        for base in [base for base in reversed(bases) if isinstance(base, Scope)]:
            inner.values |= base.values
            inner.origins |= base.origins
            inner.places |= base.places
            inner.classes |= base.classes
        ours = {"BaseSettings", "Configuration"} & {*written} or inner.values
        if not ours:
            scope.values[node.name] = UNKNOWN
            return
        outer = scope.inner({})
        outer.values |= inner.values
        if "BaseSettings" in written:
            self._fields(node, outer)
        else:
            self._statements(node.body, outer)
        own = {name: value for name, value in outer.values.items() if scope.values.get(name, self) is not value}
        inner.values |= own
        inner.origins |= {name: outer.origins[name] for name in own if name in outer.origins}
        inner.places |= {name: outer.places[name] for name in own if name in outer.places}
        scope.values[node.name] = inner
        scope.classes[node.name] = inner

    def _fields(self, node: ast.ClassDef, scope: Scope) -> None:
        """pydantic-settings: every field is a variable, in capitals, behind the class's prefix."""
        prefix = next(
            (str(each.value.value) for each in ast.walk(node) if isinstance(each, ast.keyword | ast.Assign)
             and (getattr(each, "arg", "") == "env_prefix" or _named(each, "env_prefix"))
             and isinstance(each.value, ast.Constant)), "")  # fmt: skip
        for field in node.body:
            if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                continue
            name = field.target.id
            self._at = Place(scope.file, field.lineno)
            variable, default = f"{prefix}{name}".upper(), field.value
            if isinstance(default, ast.Call) and ast.unparse(default.func).rpartition(".")[2] == "Field":
                keywords = {each.arg: each.value for each in default.keywords}
                alias = keywords.get("validation_alias") or keywords.get("alias") or keywords.get("env")
                if isinstance(alias, ast.Constant):
                    variable = str(alias.value).upper()
                default = keywords.get("default") or (default.args[0] if default.args else None)
                default = None if isinstance(default, ast.Constant) and default.value is ... else default
            kind = {"bool": "bool", "int": "int", "list": "list"}.get(
                ast.unparse(field.annotation)[:4].rstrip("["), "str"
            )
            with self._noting() as noted:
                value = self.read(
                    variable,
                    required=default is None,
                    default=evaluate(default, scope, self) if default else None,
                    kind=kind,
                )
            self._bind(name, value, scope, noted)

    def _module(self, alias: ast.alias) -> Any:
        name = alias.name if alias.asname else alias.name.partition(".")[0]
        if module_path(self.root, alias.name) is not None and alias.asname:
            return Lazy(alias.name.rpartition(".")[0], alias.name.rpartition(".")[2]) if "." in name else UNKNOWN
        return Symbol(name)

    def _import(self, node: ast.ImportFrom, scope: Scope) -> None:
        above = (
            ".".join(scope.package.split(".")[: len(scope.package.split(".")) - node.level + 1]) if node.level else ""
        )
        module = ".".join(part for part in (above, node.module) if part)
        ours = bool(node.level) or module_path(self.root, module) is not None
        for each in node.names:
            if each.name == "*":
                self._star(module, scope)
            elif ours:
                scope.values[each.asname or each.name] = Lazy(module, each.name)
            else:
                scope.values[each.asname or each.name] = Symbol(f"{module}.{each.name}")

    def _star(self, module: str, scope: Scope) -> None:
        path = module_path(self.root, module)
        other = self.load(module)
        if other is None or path is None:
            self.fails()
            return
        shown = {name: value for name, value in other.values.items() if not name.startswith("_")}
        scope.values |= shown
        scope.origins |= other.origins
        scope.places |= other.places
        scope.classes |= other.classes
        deciding = self._deciding()
        scope.controls |= {name: other.controls.get(name, frozenset()) | deciding for name in other.places}

    @contextmanager
    def _noting(self) -> Iterator[set[str]]:
        """The variables that are read inside."""
        before, self._noted = self._noted, set()
        noted: set[str] = set()
        try:
            yield noted
        finally:
            noted.update(self._noted)
            self._noted = before | self._noted


def follow(
    root: Path, settings: str, environment: dict[str, str] | None = None, trees: Trees | None = None
) -> tuple[World, Scope | None]:
    """Follow a settings module; its scope is None where it is no file of the project, or no Python.

    `trees` keeps what was parsed for the next time.
    """
    world = World(root, environment or {}, {} if trees is None else trees)
    try:
        return world, world.load(settings)
    except RecursionError:
        return world, world.scopes.get(module_path(root, settings) or root)


def module_path(root: Path, dotted: str) -> Path | None:
    """The file of a module of the project; None where there is none."""
    if not dotted:
        return None
    base = root.joinpath(*dotted.split("."))
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


def parse(path: Path, file: str, broken: list[Broken] | None = None) -> ast.Module | None:
    """The tree of a file; None where it is not there or not Python, which `broken` learns."""
    try:
        return ast.parse(path.read_bytes(), file)
    except SyntaxError as error:
        if broken is not None:
            broken.append(Broken(Place(file, error.lineno or 1, error.offset or 0), error.msg))
    except (OSError, ValueError, RecursionError) as error:
        if broken is not None:
            broken.append(Broken(Place(file, 1), str(error)))
    return None


def _converted(value: Any, kind: str) -> Any:
    """What a reader makes of a text."""
    if not isinstance(value, str):
        return value
    if kind == "db":
        return database(value) if value else {}
    if kind == "bool":
        return value.lower() in _TRUE
    if kind == "list":
        return [each.strip() for each in value.split(",") if each.strip()]
    if kind == "int":
        return int(value) if value.lstrip("-").isdigit() else UNKNOWN
    return value


def _only_imports(handler: ast.ExceptHandler) -> bool:
    """Whether a handler is for modules that are not there, which are passed over anyway."""
    return handler.type is not None and any(
        word in ast.unparse(handler.type) for word in ("ImportError", "ModuleNotFoundError")
    )


def _root(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node


def _named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
