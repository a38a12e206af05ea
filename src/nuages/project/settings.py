"""The environment variables that a file names, found by walking over it: in whatever branch they stand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nuages.findings import Place
from nuages.project import readers
from nuages.project.facts import Variable
from nuages.project.readers import KINDS, text

__all__ = ["Module", "reads", "text", "variables"]


class Module(NamedTuple):
    """One source file: its tree and the name it is reported under."""

    path: Path
    file: str
    tree: ast.Module


def variables(module: Module) -> Iterator[Variable]:
    """The environment variables that a module reads, in its order.

    Understood are os.environ and os.getenv, django-environ, environs, python-decouple, dj-database-url, and a function
    of the project's own that is called `env`. A name that is computed is not seen.
    """
    return (variable for variable, _ in reads(module))


def reads(module: Module) -> Iterator[tuple[Variable, ast.AST]]:
    """`variables`, each with the expression that reads it."""
    nodes = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call | ast.Subscript)]
    scheme = _scheme(nodes)
    lenient = _lenient_functions(module.tree)
    found = [(node, read) for node in nodes if (read := _subscript(node) or _call(node, lenient))]
    if not found:
        return
    parents = {child: parent for parent in ast.walk(module.tree) for child in ast.iter_child_nodes(parent)}
    becomes = _becomes(module.tree)
    for node, read in found:
        name, required, default, kind = read
        if name in scheme:
            required, default, kind = False, scheme[name][1], scheme[name][0]
        yield (
            Variable(
                name=name,
                place=Place(module.file, getattr(node, "lineno", 0)),
                required=required,
                default=default,
                kind=kind if kind != "str" else _wrapped_kind(node, parents),
                setting=_setting(node, parents, becomes),
            ),
            node,
        )


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
    called = _called(node)
    reader, _, method = called.partition(".")
    found = readers.url_call(called, node) or readers.get_call(called, node)
    if found is None and reader in readers.READERS:
        found = readers.reader_call(method, node)
        if found and reader in lenient:
            found = found._replace(required=False)
    if found is None or not readers.is_name(found.name):
        return None
    return found.name, found.required, text(found.default), found.kind


def _is_environ(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in readers.ENVIRON


def _called(node: ast.Call) -> str:
    """What is called, where that is a name: written out is slow."""
    inner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    inner = inner.value if isinstance(inner, ast.Attribute) else inner
    return ast.unparse(node.func) if isinstance(inner, ast.Name) else ""


def _scheme(nodes: list[ast.Call | ast.Subscript]) -> dict[str, tuple[str, str | None]]:
    """django-environ's `environ.Env(DEBUG=(bool, False))`: name -> kind and default."""
    found = {}
    for node in nodes:
        if isinstance(node, ast.Call) and _called(node) in (
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


def _becomes(tree: ast.Module) -> dict[str, str]:
    """Names in small letters that one setting is made of: host_name in `ALLOWED_HOSTS = [host_name]`."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            for each in ast.walk(node.value):
                if isinstance(each, ast.Name) and not each.id.isupper():
                    found.setdefault(each.id, node.targets[0].id)
    return found


def _setting(node: ast.AST, parents: dict[ast.AST, ast.AST], becomes: dict[str, str]) -> str:
    """The name in capitals that the statement around a read assigns, at once or by way of a name in small letters."""
    above: ast.AST | None = node
    while above is not None:
        target = above.targets[0] if isinstance(above, ast.Assign) else None
        target = above.target if isinstance(above, ast.AnnAssign) else target
        if isinstance(target, ast.Name):
            return target.id if target.id.isupper() else becomes.get(target.id, "")
        above = parents.get(above)
    return ""
