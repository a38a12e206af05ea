"""Reads settings modules as text: which environment variables they read, and a few settings. Nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nuages.findings import Place
from nuages.project.facts import Variable

# What a reader's method or cast makes of the text; what is not here stays text.
KINDS = {
    **dict.fromkeys(("int", "float", "decimal", "port"), "int"),
    **dict.fromkeys(("bool", "boolean"), "bool"),
    **dict.fromkeys(("list", "tuple", "set", "csv", "Csv", "split"), "list"),
    **dict.fromkeys(("db", "db_url", "dj_db_url"), "db"),
}


class Module(NamedTuple):
    """One source file: its tree and the name it is reported under."""

    path: Path
    file: str
    tree: ast.Module


class Assignment(NamedTuple):
    """A setting assigned at a module's top level or in an `if` there."""

    name: str
    value: ast.expr
    place: Place


def modules(root: Path, dotted: str) -> list[Module]:
    """A settings module and those of the project that it imports from, in the order in which Python runs them last.

    A module that is no file of the project (an installed package's) is left out; so is one that does not parse.
    """
    found: dict[Path, Module] = {}
    _follow(root, dotted, found)
    return list(found.values())


def assignments(module: Module) -> Iterator[Assignment]:
    """Names in capitals that the module assigns; of several, all."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name) and target.id.isupper():
                yield Assignment(target.id, node.value, Place(module.file, node.lineno))


def variables(module: Module) -> Iterator[Variable]:
    """The environment variables that a module reads, in its order.

    Understood are os.environ and os.getenv, django-environ, environs, python-decouple, dj-database-url, and a function
    of the project's own that is called `env`. A name that is computed is not seen.
    """
    scheme = _scheme(module.tree)
    parents = {child: parent for parent in ast.walk(module.tree) for child in ast.iter_child_nodes(parent)}
    lenient = _lenient_functions(module.tree)
    for node in ast.walk(module.tree):
        read = _subscript(node) or _call(node, lenient)
        if read is None:
            continue
        name, required, default, kind = read
        if name in scheme:
            required, default, kind = False, scheme[name][1], scheme[name][0]
        yield Variable(
            name=name,
            place=Place(module.file, getattr(node, "lineno", 0)),
            required=required,
            default=default,
            kind=kind if kind != "str" else _wrapped_kind(node, parents),
            setting=_setting(node, parents),
        )


def environment_default(tree: ast.Module, variable: str) -> tuple[str, int] | None:
    """The value that `os.environ.setdefault(variable, value)` or `os.environ[variable] = value` gives, with its
    line.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setdefault":
            named = [text(argument) for argument in node.args]
            if len(named) == 2 and named[0] == variable and named[1] is not None:
                return named[1], node.lineno
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            value = text(node.value)
            if text(node.targets[0].slice) == variable and value is not None:
                return value, node.lineno
    return None


def text(node: ast.AST | None) -> str | None:
    """A literal as an environment variable would hold it; None where it is no literal."""
    if isinstance(node, ast.Constant):
        return (
            "" if node.value is None else str(node.value).lower() if isinstance(node.value, bool) else str(node.value)
        )
    if isinstance(node, ast.List | ast.Tuple):
        parts = [text(element) for element in node.elts]
        return None if None in parts else ",".join(part for part in parts if part is not None)
    return None


def parse(path: Path) -> ast.Module | None:
    """The tree of a file; None where it is not there or not Python."""
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _follow(root: Path, dotted: str, found: dict[Path, Module]) -> None:
    base = root.joinpath(*dotted.split("."))
    path = next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
    tree = parse(path) if path else None
    if path is None or path in found or tree is None:
        return
    package = dotted if path.name == "__init__.py" else dotted.rpartition(".")[0]
    found[path] = Module(path, str(path.relative_to(root)), tree)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            above = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (above, node.module) if part)
            _follow(root, module, found)


def _subscript(node: ast.AST) -> tuple[str, bool, str | None, str] | None:
    """`os.environ["X"]`, read and not assigned."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _is_environ(node.value):
        name = text(node.slice)
        return (name, True, None, "str") if name else None
    return None


def _call(node: ast.AST, lenient: set[str]) -> tuple[str, bool, str | None, str] | None:
    """A call that reads a variable, as (name, required, default, kind)."""
    if not isinstance(node, ast.Call):
        return None
    called = ast.unparse(node.func)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    if called in ("dj_database_url.config", "dj_database_url.parse") and called.endswith("config"):
        default = keywords.get("default") or (node.args[0] if node.args else None)
        return text(keywords.get("env")) or "DATABASE_URL", default is None, text(default), "db"
    name = text(node.args[0]) if node.args and isinstance(node.args[0], ast.Constant) else None
    if not name or not name.replace("_", "").isalnum():
        return None
    if called in ("os.environ.get", "environ.get", "os.getenv", "getenv"):
        return name, False, text(_nth(node, 1, keywords.get("default"))), "str"
    reader, _, method = called.partition(".")
    if reader not in ("env", "config", "_env", "get_env", "Env", "decouple_config"):
        return None
    cast = keywords.get("cast")
    kind = KINDS.get(method or (ast.unparse(cast).partition("(")[0] if cast else ""), "str")
    positional = _nth(node, 1, None)
    if not method and isinstance(positional, ast.Name):  # django-environ: env("X", bool, default)
        kind, positional = KINDS.get(positional.id, "str"), _nth(node, 2, None)
    default = keywords.get("default", positional)
    return name, default is None and reader not in lenient, text(default), kind


def _nth(node: ast.Call, index: int, otherwise: ast.expr | None) -> ast.expr | None:
    return node.args[index] if len(node.args) > index else otherwise


def _is_environ(node: ast.AST) -> bool:
    return ast.unparse(node) in ("os.environ", "environ")


def _scheme(tree: ast.Module) -> dict[str, tuple[str, str | None]]:
    """django-environ's `environ.Env(DEBUG=(bool, False))`: name -> kind and default."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "environ.Env",
            "Env",
            "FileAwareEnv",
            "environ.FileAwareEnv",
        ):
            for keyword in node.keywords:
                if keyword.arg and isinstance(keyword.value, ast.Tuple) and len(keyword.value.elts) == 2:
                    cast, default = keyword.value.elts
                    found[keyword.arg] = (KINDS.get(ast.unparse(cast), "str"), text(default))
    return found


def _lenient_functions(tree: ast.Module) -> set[str]:
    """The project's own functions that have a default of their own for what they read."""
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and len(node.args.defaults) > 0}


def _wrapped_kind(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    """What the code around a read makes of it: `int(os.environ["X"])`, `os.environ["X"].split(",")`."""
    parent = parents.get(node)
    if isinstance(parent, ast.Attribute):
        return KINDS.get(parent.attr, "str")
    if isinstance(parent, ast.Call):
        called = ast.unparse(parent.func)
        return "db" if called == "dj_database_url.parse" else KINDS.get(called, "str")
    if isinstance(parent, ast.Compare):
        return "bool"
    return "str"


def _setting(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    """The name in capitals that the statement around a read assigns."""
    above: ast.AST | None = node
    while above is not None:
        if isinstance(above, ast.Assign) and isinstance(above.targets[0], ast.Name) and above.targets[0].id.isupper():
            return above.targets[0].id
        above = parents.get(above)
    return ""
