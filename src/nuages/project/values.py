"""What an expression of settings comes to, without running any of it: `evaluate(node, scope, world)`.

Only what settings are made of is understood: literals, names, paths, the methods of texts, lists and maps, what reads
the environment, and functions of the project's own. Whatever else there is is UNKNOWN, and so is what depends on it.
Nothing of the project is executed; the filesystem is asked only whether a file of the project is there.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from nuages.project import readers
from nuages.project.known import RANDOM, UNKNOWN, Function, Method, Reader, Symbol, guarded
from nuages.project.library import BUILTINS, NOT_OF_NONE, PURE, READER_MAKERS, READER_OBJECTS, library, method

if TYPE_CHECKING:
    from nuages.project.follow import World
    from nuages.project.scopes import Scope

# One may be longer than all memory: these only where both are small.
_LARGEST = 100_000
_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda one, other: one in other,
    ast.NotIn: lambda one, other: one not in other,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def evaluate(node: ast.expr, scope: Scope, world: World) -> Any:
    """The value of an expression; UNKNOWN where it can't be followed. What it reads is noted in `world`."""
    if not world.step():
        return UNKNOWN
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return _name(name, scope, world)
        case ast.List(elts=elements):
            return _elements(elements, scope, world)
        case ast.Tuple(elts=elements):
            return tuple(_elements(elements, scope, world))
        case ast.Set(elts=elements):
            return guarded(lambda: set(_elements(elements, scope, world)))
        case ast.Dict(keys=keys, values=values):
            return _dict(keys, values, scope, world)
        case ast.JoinedStr(values=parts):
            return _joined(parts, scope, world)
        case ast.FormattedValue(value=value):
            return evaluate(value, scope, world)
        case ast.Attribute():
            with world.noting() as noted:
                owner = evaluate(node.value, scope, world)
            if owner is None:
                world.demand(noted)
            return attribute(owner, node.attr, world)
        case ast.Subscript():
            return _subscript(node, scope, world)
        case ast.Call():
            return call(node, scope, world)
        case ast.BoolOp(op=op, values=values):
            return _boolean(isinstance(op, ast.Or), values, scope, world)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            value = truth(evaluate(operand, scope, world))
            return UNKNOWN if value is UNKNOWN else not value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = evaluate(operand, scope, world)
            return -value if isinstance(value, int | float) else UNKNOWN
        case ast.BinOp(left=left, op=op, right=right):
            return binary(op, evaluate(left, scope, world), evaluate(right, scope, world))
        case ast.Compare():
            return _compare(node, scope, world)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            chosen = truth(evaluate(test, scope, world))
            if chosen is UNKNOWN:
                with world.perhaps():
                    evaluate(body, scope, world)
                    evaluate(orelse, scope, world)
                return UNKNOWN
            return evaluate(body if chosen else orelse, scope, world)
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
            return _comprehension(node, scope, world)
        case ast.NamedExpr(target=target, value=value):
            scope.values[target.id] = evaluate(value, scope, world)
            return scope.values[target.id]
    return UNKNOWN


def truth(value: Any) -> Any:
    """True, False or UNKNOWN."""
    if value is UNKNOWN or isinstance(value, Symbol | Reader | Function | Method):
        return UNKNOWN
    return True if value is RANDOM else bool(value)


def binary(op: ast.AST, left: Any, right: Any) -> Any:
    """`left op right`; a list with something unknown added is still the list."""
    if isinstance(op, ast.Add) and isinstance(left, list) and right is UNKNOWN:
        return left
    if isinstance(op, ast.Add) and isinstance(right, list) and left is UNKNOWN:
        return right
    if left is UNKNOWN or right is UNKNOWN or _size(left) + _size(right) > _LARGEST:
        return UNKNOWN
    if isinstance(op, ast.Mult) and not (isinstance(left, int | float) and isinstance(right, int | float)):
        return UNKNOWN
    if isinstance(op, ast.Mod) and not isinstance(left, int | float):
        return UNKNOWN
    known = _OPERATORS.get(type(op))
    return guarded(lambda: known(left, right)) if known else UNKNOWN


def attribute(owner: Any, name: str, world: World) -> Any:
    """`owner.name`."""
    if isinstance(owner, Symbol):
        dotted = f"{owner.dotted}.{name}"
        return DATABASE_URL if dotted == "dj_database_url.DEFAULT_ENV" else Symbol(dotted)
    if isinstance(owner, PurePosixPath):
        if name in ("parent", "name", "stem", "suffix", "parents", "parts"):
            return getattr(owner, name)
        return Method(owner, name)
    if isinstance(owner, Reader):
        return Method(owner, name)
    if type(owner) in PURE or isinstance(owner, dict):
        return Method(owner, name)
    if hasattr(owner, "_fields") and hasattr(owner, "hostname"):  # a parsed URL
        return guarded(lambda: getattr(owner, name))
    return world.member(owner, name)


DATABASE_URL = "DATABASE_URL"


def call(node: ast.Call, scope: Scope, world: World) -> Any:
    """The value of a call."""
    called = evaluate(node.func, scope, world)
    if isinstance(called, Symbol) and called.dotted in READER_OBJECTS:
        called = Reader({})
    if isinstance(called, Reader):
        return _read(readers.reader_call("", node), called, scope, world)
    if isinstance(called, Method) and isinstance(called.owner, Reader):
        return _read(readers.reader_call(called.name, node), called.owner, scope, world)
    if isinstance(called, Symbol):
        for made in (readers.url_call(called.dotted, node), readers.get_call(called.dotted, node)):
            if made:
                return _url_name(made, node, called.dotted, scope, world)
        if called.dotted.startswith(("decouple.config.", "environs.env.")):
            return _read(readers.reader_call(called.dotted.rpartition(".")[2], node), Reader({}), scope, world)
        if called.dotted.startswith("configurations.values."):
            return _configured(called.dotted.rpartition(".")[2], node, scope, world)
        if called.dotted in READER_MAKERS:
            return Reader(_scheme(node))
    if (instance := world.instance(called)) is not None:
        return instance
    with world.noting() as noted:
        arguments = [evaluate(argument, scope, world) for argument in node.args]
    named = {keyword.arg: evaluate(keyword.value, scope, world) for keyword in node.keywords if keyword.arg}
    if isinstance(called, Symbol) and called.dotted in NOT_OF_NONE and arguments[:1] == [None]:
        world.demand(noted)
    match called:
        case Function():
            return world.call(called, arguments, named)
        case Symbol(dotted):
            return library(dotted, arguments, named, world)
        case Method(owner, name):
            return method(owner, name, arguments, named, world)
    return UNKNOWN


def _name(name: str, scope: Scope, world: World) -> Any:
    if name in scope.values:
        return world.resolved(scope, name)
    if name == "__file__":
        return str(scope.path)
    if name == "__name__":
        return scope.dotted
    return Symbol(f"builtins.{name}") if name in BUILTINS or name == "open" else UNKNOWN


def _elements(nodes: list[ast.expr], scope: Scope, world: World) -> list[Any]:
    found: list[Any] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            value = evaluate(node.value, scope, world)
            found += value if isinstance(value, list | tuple) else []
        else:
            found.append(evaluate(node, scope, world))
    return found


def _dict(keys: list[ast.expr | None], values: list[ast.expr], scope: Scope, world: World) -> Any:
    made: dict[Any, Any] = {}
    for key, value in zip(keys, values, strict=True):
        found = evaluate(value, scope, world)
        if key is None:
            made.update(found if isinstance(found, dict) else {})
            continue
        name = evaluate(key, scope, world)
        if isinstance(name, str | int | float | bool | tuple):
            made[name] = found
    return made


def _joined(parts: list[ast.expr], scope: Scope, world: World) -> Any:
    texts = [evaluate(part, scope, world) for part in parts]
    return UNKNOWN if any(text is UNKNOWN or isinstance(text, Symbol) for text in texts) else "".join(map(str, texts))


def _subscript(node: ast.Subscript, scope: Scope, world: World) -> Any:
    owner = evaluate(node.value, scope, world)
    if isinstance(node.slice, ast.Slice):
        bounds = [evaluate(each, scope, world) if each else None
                  for each in (node.slice.lower, node.slice.upper, node.slice.step)]  # fmt: skip
        return guarded(lambda: owner[slice(*bounds)]) if UNKNOWN not in bounds else UNKNOWN
    key = evaluate(node.slice, scope, world)
    if isinstance(owner, Symbol) and owner.dotted in readers.ENVIRON and readers.is_name(key):
        return world.read(key, required=True, default=None, kind="str")
    if isinstance(owner, Reader) and readers.is_name(key):
        return world.read(key, required=True, default=None, kind="str")
    return guarded(lambda: owner[key])


def _boolean(either: bool, nodes: list[ast.expr], scope: Scope, world: World) -> Any:
    value: Any = UNKNOWN
    unsure = False
    for node in nodes:
        if unsure:
            with world.perhaps():
                evaluate(node, scope, world)
            continue
        value = evaluate(node, scope, world)
        if (known := truth(value)) is UNKNOWN:
            unsure = True
        elif known is either:
            return value
    return UNKNOWN if unsure else value


def _compare(node: ast.Compare, scope: Scope, world: World) -> Any:
    left = evaluate(node.left, scope, world)
    right = evaluate(node.comparators[0], scope, world)
    if len(node.ops) > 1 or left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    if isinstance(right, Symbol):
        if right.dotted in readers.ENVIRON and isinstance(node.ops[0], ast.In | ast.NotIn) and isinstance(left, str):
            there = world.present(left)
            return there if isinstance(node.ops[0], ast.In) else not there
        return UNKNOWN
    if isinstance(left, Symbol):
        return UNKNOWN
    return binary(node.ops[0], left, right)


def _comprehension(node: ast.ListComp | ast.GeneratorExp | ast.SetComp, scope: Scope, world: World) -> Any:
    [generator, *more] = node.generators
    source = evaluate(generator.iter, scope, world)
    if more or not isinstance(source, list | tuple | set) or not isinstance(generator.target, ast.Name):
        return UNKNOWN
    found = []
    for each in list(source)[:200]:
        inner = scope.inner({generator.target.id: each})
        if all(truth(evaluate(test, inner, world)) is not False for test in generator.ifs):
            found.append(evaluate(node.elt, inner, world))
    return found


def _url_name(made: readers.Call, node: ast.Call, dotted: str, scope: Scope, world: World) -> Any:
    """The variable of `dj_database_url.config(env=NAME)` may be a name that settings compute."""
    named = readers.keywords_of(node).get("env")
    if named is not None and dotted in readers.URLS:
        value = evaluate(named, scope, world)
        made = made._replace(name=value) if readers.is_name(value) else made
    return _read(made, Reader({}), scope, world)


def _read(made: readers.Call | None, reader: Reader, scope: Scope, world: World) -> Any:
    if made is None:
        return UNKNOWN
    default = evaluate(made.default, scope, world) if made.default is not None else None
    required, kind = made.required, made.kind
    if made.name in reader.scheme:
        kind, node = reader.scheme[made.name]
        required, default = False, evaluate(node, scope, world)
    return world.read(made.name, required=required, default=default, kind=kind)


def _configured(kind: str, node: ast.Call, scope: Scope, world: World) -> Any:
    """django-configurations: `DEBUG = values.BooleanValue(True)` reads DJANGO_DEBUG."""
    made = readers.configured(kind, node, world.target)
    found = _read(made, Reader({}), scope, world)
    # A value that is a whole URL becomes the whole setting.
    return {"default": found} if made and made.kind in ("db", "cache") else found


def _scheme(node: ast.Call) -> dict[str, tuple[str, ast.expr]]:
    """django-environ's `environ.Env(DEBUG=(bool, False))`: name -> kind and default."""
    found = {}
    for keyword in node.keywords:
        if keyword.arg and isinstance(keyword.value, ast.Tuple) and len(keyword.value.elts) == 2:
            cast, default = keyword.value.elts
            found[keyword.arg] = (readers.KINDS.get(ast.unparse(cast), "str"), default)
    return found


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict) else 0
