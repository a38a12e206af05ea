"""run(nodes, scope, world): the statements of a module, a class or a function, in the order of Python's."""

from __future__ import annotations

import ast
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nuages.findings import Place
from nuages.project.known import UNKNOWN, Function, Symbol
from nuages.project.scopes import Lazy, Scope, fields, module_path
from nuages.project.values import binary, evaluate, truth

if TYPE_CHECKING:
    from nuages.project.follow import World

# Statements that say nothing of settings, and hold none.
_IGNORED = (ast.Pass, ast.Global, ast.Nonlocal, ast.Assert, ast.Delete, ast.AsyncFunctionDef)


class Returned(Exception):
    """No error: how a function that is followed ends."""

    def __init__(self, value: Any) -> None:
        """Carry what it returns."""
        super().__init__()
        self.value = value


def run(nodes: list[ast.stmt], scope: Scope, world: World) -> None:
    """Follow statements; what they assign stands in `scope` afterwards.

    Raises:
        Returned: a `return` was come by, in a function.
    """
    for node in nodes:
        if not world.calls:
            world.at = Place(scope.file, node.lineno)
        if world.steps > 0 and not isinstance(node, _IGNORED):
            _statement(node, scope, world)


def _statement(node: ast.stmt, scope: Scope, world: World) -> None:
    match node:
        case ast.Assign(targets=targets, value=value):
            _assign(targets, value, scope, world)
        case ast.AnnAssign(target=target, value=value) if value is not None:
            _assign([target], value, scope, world)
        case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
            with world.noting() as noted:
                old, new = scope.values.get(name, UNKNOWN), evaluate(value, scope, world)
                old = world.resolved(scope, name) if name in scope.values else old
            _bind(name, binary(op, old, new), scope, {*noted, *scope.origins.get(name, frozenset())}, world)
        case ast.Expr(value=value):
            with world.noting():
                evaluate(value, scope, world)
        case ast.If():
            _if(node, scope, world)
        case ast.Try():
            _try(node, scope, world)
        case ast.With(items=items, body=body):
            for item in items:
                evaluate(item.context_expr, scope, world)
            run(body, scope, world)
        case ast.For():
            _for(node, scope, world)
        case ast.FunctionDef(name=name):
            scope.values[name] = Function(node, scope)
        case ast.ClassDef():
            _class(node, scope, world)
        case ast.Import(names=names):
            for each in names:
                scope.values[each.asname or each.name.partition(".")[0]] = _module(each, world)
        case ast.ImportFrom():
            _import(node, scope, world)
        case ast.Return(value=value):
            found = evaluate(value, scope, world) if value else None
            raise Returned(UNKNOWN if world.doubts else found)
        case ast.Raise():
            _raise(world)
        case ast.Match(subject=subject, cases=cases):
            with world.noting() as noted:
                value = evaluate(subject, scope, world)
            chosen = _case(cases, value)
            world.tests.append(set(noted))
            try:
                if chosen is not UNKNOWN:
                    run(chosen, scope, world)
                else:
                    with world.perhaps():
                        for case in cases:
                            _branch(case.body, scope, world)
            finally:
                world.tests.pop()


def _assign(targets: list[ast.expr], value: ast.expr, scope: Scope, world: World) -> None:
    world.target = targets[0].id if isinstance(targets[0], ast.Name) else ""
    with world.noting() as noted:
        found = evaluate(value, scope, world)
    for target in targets:
        match target:
            case ast.Name(id=name):
                _bind(name, found, scope, noted, world)
            case ast.Tuple(elts=elements) if isinstance(found, list | tuple) and len(found) == len(elements):
                for element, each in zip(elements, found, strict=True):
                    if isinstance(element, ast.Name):
                        _bind(element.id, each, scope, noted, world)
            case ast.Subscript(value=owner, slice=key):
                _set(evaluate(owner, scope, world), evaluate(key, scope, world), found)
                if isinstance(root := _root(owner), ast.Name):
                    scope.origins[root.id] = scope.origins.get(root.id, frozenset()) | frozenset(noted)


def _bind(name: str, value: Any, scope: Scope, noted: frozenset[str] | set[str], world: World) -> None:
    scope.values[name] = value
    scope.origins[name] = frozenset(noted)
    scope.places[name] = world.at
    scope.controls[name] = world.deciding()


def _set(owner: Any, key: Any, value: Any) -> None:
    if isinstance(owner, dict) and isinstance(key, str):
        owner[key] = value


def _if(node: ast.If, scope: Scope, world: World) -> None:
    with world.noting() as noted:
        chosen = truth(evaluate(node.test, scope, world))
    if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    world.tests.append(set(noted))
    try:
        if chosen is UNKNOWN:
            with world.perhaps():
                _branch(node.body, scope, world)
                _branch(node.orelse, scope, world)
        else:
            run(node.body if chosen else node.orelse, scope, world)
    finally:
        world.tests.pop()


def _branch(nodes: list[ast.stmt], scope: Scope, world: World) -> None:
    """A branch that may not be taken: a return in it ends nothing but it."""
    with suppress(Returned):
        run(nodes, scope, world)


def _case(cases: list[ast.match_case], value: Any) -> Any:
    """The statements of the case that a value takes; UNKNOWN where that can't be told."""
    for case in cases:
        fits = UNKNOWN if case.guard or value is UNKNOWN else _fits(case.pattern, value)
        if fits is UNKNOWN:
            return UNKNOWN
        if fits:
            return case.body
    return []


def _fits(pattern: ast.pattern, value: Any) -> Any:
    match pattern:
        case ast.MatchValue(value=ast.Constant(value=known)):
            return bool(known == value)
        case ast.MatchSingleton(value=known):
            return known is value
        case ast.MatchAs(pattern=None, name=None):
            return True
        case ast.MatchOr(patterns=patterns):
            each = [_fits(one, value) for one in patterns]
            return UNKNOWN if UNKNOWN in each else any(each)
    return UNKNOWN


def _try(node: ast.Try, scope: Scope, world: World) -> None:
    catches = [handler for handler in node.handlers if not _only_imports(handler)]
    doubtful = len(catches) < len(node.handlers)
    imports = next((at for at, one in enumerate(node.body, 1) if isinstance(one, ast.Import | ast.ImportFrom)), 0)
    certain = imports if doubtful and imports else len(node.body)
    failed, world.failed = world.failed, False
    world.guards += bool(catches)
    with world.noting() as noted:
        returned = None
        try:
            run(node.body[:certain], scope, world)
            with world.where_installed():
                run(node.body[certain:], scope, world)
        except Returned as early:
            returned = early
        finally:
            world.guards -= bool(catches)
    ended, world.failed = world.failed, failed
    if returned and not ended:
        raise returned
    world.tests.append(set(noted))
    try:
        if ended and not catches:
            world.fails()  # a `try` around this one catches it
        elif ended:
            run(catches[0].body, scope, world)
        elif doubtful:
            with world.where_installed():
                run(node.orelse, scope, world)
        else:
            run(node.orelse, scope, world)
        run(node.finalbody, scope, world)
    finally:
        world.tests.pop()


def _for(node: ast.For, scope: Scope, world: World) -> None:
    source = evaluate(node.iter, scope, world)
    name = node.target.id if isinstance(node.target, ast.Name) else ""
    for each in list(source)[:50] if isinstance(source, list | tuple) else [UNKNOWN]:
        if name:
            scope.values[name] = each
        run(node.body, scope, world)


def _raise(world: World) -> None:
    """The settings end here unless the variables that the test before asked for are set: they are required."""
    if world.guards:
        world.fails()
    elif not world.doubts:
        asked = (names - world.environment.keys() for names in reversed(world.tests))
        for name in next((names for names in asked if names), set()):
            world.raised.setdefault(name, world.at)
    if world.calls:
        raise Returned(UNKNOWN)


def _class(node: ast.ClassDef, scope: Scope, world: World) -> None:
    bases = [evaluate(base, scope, world) for base in node.bases]
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
        _fields(node, outer, world)
    else:
        run(node.body, outer, world)
    own = {name: value for name, value in outer.values.items() if scope.values.get(name, world) is not value}
    inner.values |= own
    inner.origins |= {name: outer.origins[name] for name in own if name in outer.origins}
    inner.places |= {name: outer.places[name] for name in own if name in outer.places}
    scope.values[node.name] = inner
    scope.classes[node.name] = inner


def _fields(node: ast.ClassDef, scope: Scope, world: World) -> None:
    """pydantic-settings: every field is a variable."""
    for field in fields(node):
        world.at = Place(scope.file, field.line)
        with world.noting() as noted:
            value = world.read(
                field.variable,
                required=field.default is None,
                default=evaluate(field.default, scope, world) if field.default else None,
                kind=field.kind,
            )
        _bind(field.name, value, scope, noted, world)


def _module(alias: ast.alias, world: World) -> Any:
    name = alias.name if alias.asname else alias.name.partition(".")[0]
    if module_path(world.root, alias.name) is not None and alias.asname:
        return Lazy(alias.name.rpartition(".")[0], alias.name.rpartition(".")[2]) if "." in name else UNKNOWN
    return Symbol(name)


def _import(node: ast.ImportFrom, scope: Scope, world: World) -> None:
    above = ".".join(scope.package.split(".")[: len(scope.package.split(".")) - node.level + 1]) if node.level else ""
    module = ".".join(part for part in (above, node.module) if part)
    ours = bool(node.level) or module_path(world.root, module) is not None
    for each in node.names:
        if each.name == "*":
            _star(module, scope, world)
        elif ours:
            scope.values[each.asname or each.name] = Lazy(module, each.name)
        else:
            scope.values[each.asname or each.name] = Symbol(f"{module}.{each.name}")


def _star(module: str, scope: Scope, world: World) -> None:
    path = module_path(world.root, module)
    other = world.load(module)
    if other is None or path is None:
        world.fails()
        return
    shown = {name: value for name, value in other.values.items() if not name.startswith("_")}
    scope.values |= shown
    scope.origins |= other.origins
    scope.places |= other.places
    scope.classes |= other.classes
    deciding = world.deciding()
    scope.controls |= {name: other.controls.get(name, frozenset()) | deciding for name in other.places}


def _only_imports(handler: ast.ExceptHandler) -> bool:
    """Whether a handler is for modules that are not there, which are passed over anyway."""
    return handler.type is not None and any(
        word in ast.unparse(handler.type) for word in ("ImportError", "ModuleNotFoundError")
    )


def _root(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node
