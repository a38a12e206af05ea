"""What an expression of settings comes to, without running any of it: `evaluate(node, scope, world)`.

Only what settings are made of is understood: literals, names, paths, the methods of texts, lists and maps, what reads
the environment, and functions of the project's own. Whatever else there is is UNKNOWN, and so is what depends on it.
Nothing of the project is executed; the filesystem is asked only whether a file of the project is there.
"""

from __future__ import annotations

import ast
import json
import operator
import posixpath
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlparse

from nuages.project import readers

if TYPE_CHECKING:
    from nuages.project.follow import Scope, World


class _Unknown:
    """A value that could not be followed."""

    def __repr__(self) -> str:
        return "?"


class _Random:
    """A value that is another one in every process: get_random_secret_key(), secrets.token_urlsafe()."""

    def __repr__(self) -> str:
        return "random"


UNKNOWN = _Unknown()
RANDOM = _Random()


class Symbol(NamedTuple):
    """Something that is imported: its dotted name."""

    dotted: str


class Function(NamedTuple):
    """A function of the project's own, and the module where it stands."""

    node: ast.FunctionDef
    scope: Scope


class Reader(NamedTuple):
    """An object of django-environ, environs or decouple; its scheme has name -> kind and default."""

    scheme: dict[str, tuple[str, ast.expr]]


class Method(NamedTuple):
    """A method of a value that is known."""

    owner: Any
    name: str


class Url(dict[str, Any]):
    """A database, as dj-database-url and django-environ make it of a URL."""


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
_PURE: dict[Any, set[str]] = {
    str: {
        "lower", "upper", "strip", "lstrip", "rstrip", "split", "rsplit", "startswith", "endswith", "replace", "join",
        "partition", "rpartition", "title", "capitalize", "removeprefix", "removesuffix", "splitlines", "format",
        "casefold", "isdigit", "count",
    },
    list: {"append", "extend", "insert", "remove", "index", "copy", "pop", "count"},
    dict: {"get", "update", "setdefault", "pop", "keys", "values", "items", "copy"},
    tuple: {"index", "count"},
    set: {"add", "update", "union", "discard"},
}  # fmt: skip
_BUILTINS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (bool, int, float, str, list, tuple, set, dict, len, any, all, sorted, filter, min, max)
}
_PATHS: dict[str, Callable[..., Any]] = {
    "os.path.join": posixpath.join,
    "os.path.dirname": posixpath.dirname,
    "os.path.abspath": posixpath.normpath,
    "os.path.realpath": posixpath.normpath,
    "os.path.normpath": posixpath.normpath,
    "os.path.basename": posixpath.basename,
    "pathlib.Path": PurePosixPath,
    "pathlib.PurePath": PurePosixPath,
    "os.fspath": str,
    "json.loads": json.loads,
    "urllib.parse.urlparse": urlparse,
    "urllib.parse.urlsplit": urlparse,
}
_EXISTS = {"os.path.exists", "os.path.isfile", "os.path.isdir"}
_RANDOM = {
    "django.core.management.utils.get_random_secret_key",
    "secrets.token_urlsafe",
    "secrets.token_hex",
    "secrets.token_bytes",
    "os.urandom",
    "uuid.uuid4",
    "random.SystemRandom",
    "random.choice",
    "random.choices",
}
_READER_MAKERS = {"environ.Env", "environ.FileAwareEnv", "environs.Env", "environs.FileAwareEnv", "decouple.Config",
                  "decouple.AutoConfig"}  # fmt: skip
_READER_OBJECTS = {"decouple.config", "environs.env", "environ.env"}
_STRTOBOOL = {"distutils.util.strtobool", "decouple.strtobool", "setuptools.distutils.util.strtobool"}
_TRUE = {"y", "yes", "t", "true", "on", "1", "ok"}
_SCHEMES = {
    **dict.fromkeys(("postgres", "postgresql", "psql", "pgsql", "postgis"), "django.db.backends.postgresql"),
    **dict.fromkeys(("mysql", "mysql2"), "django.db.backends.mysql"),
    **dict.fromkeys(("sqlite", "spatialite"), "django.db.backends.sqlite3"),
    "oracle": "django.db.backends.oracle",
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
            return _guarded(lambda: set(_elements(elements, scope, world)))
        case ast.Dict(keys=keys, values=values):
            return _dict(keys, values, scope, world)
        case ast.JoinedStr(values=parts):
            return _joined(parts, scope, world)
        case ast.FormattedValue(value=value):
            return evaluate(value, scope, world)
        case ast.Attribute():
            return attribute(evaluate(node.value, scope, world), node.attr, world)
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
    return _guarded(lambda: known(left, right)) if known else UNKNOWN


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
    if type(owner) in _PURE or isinstance(owner, dict):
        return Method(owner, name)
    if hasattr(owner, "_fields") and hasattr(owner, "hostname"):  # a parsed URL
        return _guarded(lambda: getattr(owner, name))
    return world.member(owner, name)


DATABASE_URL = "DATABASE_URL"


def call(node: ast.Call, scope: Scope, world: World) -> Any:
    """The value of a call."""
    called = evaluate(node.func, scope, world)
    if isinstance(called, Symbol) and called.dotted in _READER_OBJECTS:
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
        if called.dotted in _READER_MAKERS:
            return Reader(_scheme(node))
    if (instance := world.instance(called)) is not None:
        return instance
    arguments = [evaluate(argument, scope, world) for argument in node.args]
    named = {keyword.arg: evaluate(keyword.value, scope, world) for keyword in node.keywords if keyword.arg}
    match called:
        case Function():
            return world.call(called, arguments, named)
        case Symbol(dotted):
            return _library(dotted, arguments, named, world)
        case Method(owner, name):
            return _method(owner, name, arguments, named, world)
    return UNKNOWN


def database(url: str) -> Url:
    """What a URL of a database becomes: its engine, and the URL as what it is made of."""
    scheme = url.partition("://")[0].partition("+")[0]
    return Url(ENGINE=_SCHEMES.get(scheme, scheme), NAME=url, HOST=url)


def _library(dotted: str, arguments: list[Any], named: dict[str, Any], world: World) -> Any:
    if dotted in _RANDOM:
        return RANDOM
    if dotted.startswith("builtins."):
        made = _BUILTINS.get(dotted[9:])
        if made is None or any(argument is UNKNOWN or isinstance(argument, Symbol) for argument in arguments):
            return RANDOM if arguments and arguments[0] is RANDOM else UNKNOWN
        if made is filter:
            return _guarded(lambda: [each for each in arguments[1] if each])
        return _guarded(lambda: made(*arguments, **named))
    if dotted in ("os.getenv", *readers.GET) and arguments and readers.is_name(arguments[0]):
        default = arguments[1] if len(arguments) > 1 else named.get("default")
        return world.read(arguments[0], required=False, default=default, kind="str")
    if UNKNOWN in arguments:
        return UNKNOWN
    if dotted in ("os.makedirs", "os.mkdir") and arguments:
        world.makes(arguments[0])
    if dotted.startswith("urllib.") and not (arguments and isinstance(arguments[0], str)):
        return UNKNOWN
    if dotted in _PATHS:
        return _guarded(lambda: _PATHS[dotted](*(str(each) if isinstance(each, PurePosixPath) and dotted[:2] == "os"
                                                 else each for each in arguments)))  # fmt: skip
    if dotted in _EXISTS:
        return world.exists(str(arguments[0])) if arguments else UNKNOWN
    if dotted == "os.getcwd":
        return str(world.root)
    if dotted in _STRTOBOOL and arguments:
        return str(arguments[0]).lower() in _TRUE
    if dotted == "dj_database_url.parse" and arguments and isinstance(arguments[0], str):
        return database(arguments[0])
    if dotted in ("split_settings.tools.include", "split_settings.tools.optional"):
        return world.include(dotted, arguments)
    if dotted == "builtins.open" or dotted.endswith(".open"):
        world.fails()
    return UNKNOWN


def _method(owner: Any, name: str, arguments: list[Any], named: dict[str, Any], world: World) -> Any:
    if isinstance(owner, PurePosixPath):
        if name in ("resolve", "absolute", "expanduser"):
            return owner
        if name in ("exists", "is_file", "is_dir"):
            return world.exists(str(owner))
        if name in ("joinpath", "with_name", "as_posix", "relative_to", "with_suffix"):
            return _guarded(lambda: getattr(owner, name)(*arguments))
        if name == "mkdir":
            world.makes(owner)
        if name in ("read_text", "open", "read_bytes"):
            world.fails()
        return UNKNOWN
    if name in _PURE.get(type(owner), set()) or (isinstance(owner, dict) and name in _PURE[dict]):
        if isinstance(owner, str) and any(argument is UNKNOWN for argument in arguments):
            return UNKNOWN
        made = _guarded(lambda: getattr(owner, name)(*arguments, **named))
        return list(made) if name in ("keys", "values", "items") and made is not UNKNOWN else made
    return UNKNOWN


def _name(name: str, scope: Scope, world: World) -> Any:
    if name in scope.values:
        return world.resolved(scope, name)
    if name == "__file__":
        return str(scope.path)
    if name == "__name__":
        return scope.dotted
    return Symbol(f"builtins.{name}") if name in _BUILTINS or name == "open" else UNKNOWN


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
        return _guarded(lambda: owner[slice(*bounds)]) if UNKNOWN not in bounds else UNKNOWN
    key = evaluate(node.slice, scope, world)
    if isinstance(owner, Symbol) and owner.dotted in readers.ENVIRON and readers.is_name(key):
        return world.read(key, required=True, default=None, kind="str")
    if isinstance(owner, Reader) and readers.is_name(key):
        return world.read(key, required=True, default=None, kind="str")
    return _guarded(lambda: owner[key])


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


def _scheme(node: ast.Call) -> dict[str, tuple[str, ast.expr]]:
    """django-environ's `environ.Env(DEBUG=(bool, False))`: name -> kind and default."""
    found = {}
    for keyword in node.keywords:
        if keyword.arg and isinstance(keyword.value, ast.Tuple) and len(keyword.value.elts) == 2:
            cast, default = keyword.value.elts
            found[keyword.arg] = (readers.KINDS.get(ast.unparse(cast), "str"), default)
    return found


def _guarded(made: Callable[[], Any]) -> Any:
    """A value, or UNKNOWN where Python would raise: settings of another version, a value that is not there."""
    try:
        return made()
    except Exception:
        return UNKNOWN


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict) else 0
