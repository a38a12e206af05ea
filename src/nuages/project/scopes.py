"""What following settings keeps: names with their values and origins, variables that were read, files parsed."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, NamedTuple

from nuages.findings import Place
from nuages.project.known import UNKNOWN, database

_TRUE = {"y", "yes", "t", "true", "on", "1", "ok"}

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


class Field(NamedTuple):
    """A field of a class of pydantic-settings, and the variable that it is."""

    name: str
    variable: str
    default: ast.expr | None
    kind: str
    line: int


def fields(node: ast.ClassDef) -> list[Field]:
    """The fields of a class: each is a variable in capitals, behind the class's prefix, or under its alias."""
    prefix = next((each for each in map(_prefix, ast.walk(node)) if each), "")
    return [
        _field(each.target.id, prefix, each)
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    ]


def _field(name: str, prefix: str, node: ast.AnnAssign) -> Field:
    variable, default = f"{prefix}{name}".upper(), node.value
    if isinstance(default, ast.Call) and ast.unparse(default.func).rpartition(".")[2] == "Field":
        keywords = {each.arg: each.value for each in default.keywords}
        alias = keywords.get("validation_alias") or keywords.get("alias") or keywords.get("env")
        if isinstance(alias, ast.Constant):
            variable = str(alias.value).upper()
        made = keywords.get("default") or keywords.get("default_factory")
        default = made or (default.args[0] if default.args else None)
        if isinstance(default, ast.Constant) and default.value is ...:
            default = None
    kinds = {"bool": "bool", "int": "int", "list": "list"}
    kind = kinds.get(ast.unparse(node.annotation).partition("[")[0].strip(), "str")
    return Field(name, variable, default, kind, node.lineno)


def _prefix(node: ast.AST) -> str:
    """`env_prefix="shop_"`, in model_config or in a class Config."""
    match node:
        case ast.keyword(arg="env_prefix", value=ast.Constant(value=str(prefix))):
            return prefix
        case ast.Assign(targets=[ast.Name(id="env_prefix")], value=ast.Constant(value=str(prefix))):
            return prefix
    return ""


def module_path(root: Path, dotted: str) -> Path | None:
    """The file of a module of the project; None where there is none."""
    if not dotted:
        return None
    base = root.joinpath(*dotted.split("."))
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


def imported(node: ast.stmt, file: str) -> list[str]:
    """The modules that an import names: `from a import b` may mean a and a.b; relative ones from the file's folder."""
    match node:
        case ast.Import(names=names):
            return [each.name for each in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            above = file.removesuffix(".py").split("/")[:-level] if level else []
            base = ".".join([*above, *([module] if module else [])])
            return [base, *(f"{base}.{each.name}" for each in names)]
    return []


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


def converted(value: Any, kind: str) -> Any:
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
