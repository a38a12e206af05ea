"""choose(files, hints) -> the settings module that is meant for production, with where that was read.

manage.py, wsgi.py, asgi.py and celery.py often name four different ones, and the one of manage.py is for development.
What is looked at, in this order: a module called production that one of them, or a hint, names; one called production
beside the one they name; the one that wsgi.py or asgi.py names; one that a hint names; the base of all others.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nuages.findings import Place
from nuages.project.facts import Found
from nuages.project.files import Files, importable, module_of
from nuages.project.hints import say
from nuages.project.readers import text
from nuages.project.scopes import module_path, parse

_PRODUCTION = re.compile(r"(^|_)(production|prod|prd|live|deploy|deployment)(_|$)|^(settings)?_?(production|prod)$")
_DEVELOPMENT = re.compile(
    r"(^|_)(dev|develop|development|local|locals|test|tests|testing|ci|debug|build|example|sample|template|staging|stage"
    r"|qa|e2e|cypress|docs|migrate|gitpod|codespaces|vagrant|override)(_|$)"
)
_BASE = re.compile(r"^(base|common|defaults?|main|core|global|shared|settings_base|base_settings)$")
_HOLDS = re.compile(rb"^\s*(INSTALLED_APPS|ROOT_URLCONF|SECRET_KEY)\b", re.MULTILINE)
# Entry points of a server say more than those of a developer.
_SERVING = ("wsgi.py", "asgi.py", "wsgi/__init__.py", "asgi/__init__.py")


class Named(NamedTuple):
    """A settings module, where it is named, and whether by what serves."""

    module: str
    place: Place
    serves: bool


def choose(files: Files, hints: tuple[Found, ...]) -> Found | None:
    """The module; `sure` is False where it was concluded. None where the project has none that could be it."""
    named = [each for each in _named(files) if module_path(files.root, each.module)]
    hinted = [
        Named(hint.value, hint.place, serves=False)
        for hint in say(hints, "settings")
        if module_path(files.root, hint.value)
    ]
    for each in [*named, *hinted]:
        if rank(each.module) == PRODUCTION:
            return Found(each.module, each.place)
    ordered = sorted(named, key=lambda each: (rank(each.module), not each.serves, "asgi" in each.place.file))
    for each in ordered:
        if beside := _beside(files, each.module):
            return Found(beside, Place(_file(files, beside), 1), sure=False)
    for each in ordered:
        if rank(each.module) != DEVELOPMENT:
            return Found(each.module, each.place)
    for each in hinted:
        if rank(each.module) != DEVELOPMENT:
            return Found(each.module, each.place)
    if searched := _searched(files):
        return Found(searched, Place(_file(files, searched), 1), sure=False)
    return next((Found(each.module, each.place, sure=False) for each in [*ordered, *hinted]), None)


PRODUCTION, BASE, PLAIN, DEVELOPMENT = range(4)


def rank(module: str) -> int:
    """What a module's name says of its purpose, the best first."""
    last = module.rpartition(".")[2].lower()
    # config.production.settings, settings.production
    above = module.rpartition(".")[0].rpartition(".")[2].lower() if last == "settings" else ""
    for word in (last, above):
        if _PRODUCTION.search(word) and not re.search(r"(^|_)(test|ci|example|sample|pre)(_|$)", word):
            return PRODUCTION
        if _DEVELOPMENT.search(word):
            return DEVELOPMENT
    return BASE if _BASE.match(last) else PLAIN


def references(tree: ast.Module, variable: str) -> tuple[str, int] | None:
    """The value that `os.environ.setdefault(variable, value)` or `os.environ[variable] = value` gives, and its line;
    with `os.environ.get(other, value)` around it, its default; of two, `one if ... else other`, the one that serves.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="setdefault"), args=[key, given]):
                pass
            case ast.Assign(targets=[ast.Subscript(slice=key)], value=given):
                pass
            case _:
                continue
        if text(key) == variable and (value := _default(given, tree)):
            return value, node.lineno
    return None


def _default(node: ast.expr, tree: ast.Module) -> str | None:
    match node:
        case ast.Call(args=[_, default]):
            return text(default)
        case ast.IfExp(body=body, orelse=orelse):
            both = [each for each in (text(orelse), text(body)) if each]
            return min(both, key=lambda each: rank(each) != PRODUCTION, default=None)
        case ast.Name(id=name):
            values = (
                each.value
                for each in ast.walk(tree)
                if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name) and each.targets[0].id == name
            )
            return next(
                (said for each in values if not isinstance(each, ast.Name) and (said := _default(each, tree))), None
            )
    return text(node)


def _named(files: Files) -> Iterator[Named]:
    entry = re.compile(r"(^|/)(manage|wsgi|asgi|celery|celery_app|celeryconf|worker|routing)(/__init__)?\.py$")
    for file in (each for each in files.python if entry.search(each) and each.count("/") <= 3):
        tree = parse(files.root / file, file)
        if tree and (found := references(tree, "DJANGO_SETTINGS_MODULE")):
            yield Named(found[0], Place(file, found[1]), serves=file.endswith(_SERVING))


def _beside(files: Files, module: str) -> str | None:
    """The production module beside the one that is named: settings.production for settings.dev, for a package that
    only falls back from one to the other, and settings_production for settings.
    """
    path = module_path(files.root, module)
    if path is None:
        return None
    package = path.name == "__init__.py"
    if package and _decides(path):
        return None
    folder = path.parent
    found = []
    for sibling in sorted([*folder.glob("*.py"), *folder.glob("*/__init__.py")]):
        file = str(sibling.relative_to(files.root))
        name = module_of(file)
        if sibling == path or not importable(file) or rank(name) != PRODUCTION:
            continue
        # Beside settings.py stand other modules, too: only one that is called settings is one.
        if package or "settings" in file or "config" in file:
            found.append(name)
    if found:
        return min(found, key=lambda name: (len(name), name))
    if package and rank(module) == PLAIN and not _HOLDS.search(path.read_bytes()):
        based = [module_of(str(each.relative_to(files.root))) for each in sorted(folder.glob("*.py"))]
        return next((name for name in based if rank(name) == BASE), None) if not _imports(path) else None
    return None


def _decides(path: Path) -> bool:
    """Whether a settings package chooses by itself, by a variable: then it is the module to use."""
    tree = parse(path, path.name)
    return tree is not None and (
        any(isinstance(node, ast.If | ast.Match) for node in tree.body) or b"split_settings" in path.read_bytes()
    )


def _imports(path: Path) -> bool:
    tree = parse(path, path.name)
    return tree is not None and any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))


def _searched(files: Files) -> str | None:
    """Where nothing names a module: the best of those that hold settings."""
    holding = [
        file
        for file in files.python
        if importable(file) and file.count("/") <= 4 and ("settings" in file or "config" in file or "conf" in file)
    ]
    found = [module_of(file) for file in files.search(_HOLDS, tuple(holding))]
    # A production module may hold nothing but an import and what differs.
    found += [module_of(file) for file in holding if "settings" in file and rank(module_of(file)) == PRODUCTION]
    fit = [module for module in found if rank(module) != DEVELOPMENT]
    return min(fit, key=lambda module: (rank(module), module.count("."), module), default=None)


def _file(files: Files, module: str) -> str:
    path = module_path(files.root, module)
    return str(path.relative_to(files.root)) if path else ""
