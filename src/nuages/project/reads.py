"""The environment variables of a project: those that its settings read, and those that nothing in them tells.

Two ways come together. A walk over the files sees every variable, in branches that are not taken, too; following the
settings tells which of them they can't do without, and sees through functions of the project's own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nuages.findings import Place
from nuages.project import settings as source
from nuages.project.facts import Found, Variable
from nuages.project.files import Files
from nuages.project.known import RANDOM, UNKNOWN
from nuages.project.readers import PLATFORM, is_name
from nuages.project.scopes import Read, imported, module_path, parse
from nuages.project.trial import Trial

_READS = re.compile(rb"\b(environ|getenv)\b")
_RAISES = re.compile(rb"\braise ImproperlyConfigured\b")
# Access to somebody's service: without it that one feature is off.
_OF_OTHERS = re.compile(
    r"_API_(KEY|TOKEN|SECRET)$|(^|_)(GOOGLE|MICROSOFT|AZURE|AWS|OPENAI|STRIPE|TWILIO|SENDGRID|MAILGUN|SLACK|GITHUB|GITLAB)_"
)
_OPERATED = re.compile(
    r"(^|/)(management/commands|scripts|bin|docs)(/|$)|(^|/)(manage|fabfile|setup|noxfile|tasks|conf)\.py$|^[^/]+\.py$"
)


def variables(files: Files, trial: Trial, hints: tuple[Found, ...]) -> tuple[Variable, ...]:
    """Each variable once, in the order of the files, with all that is known of it."""
    seen = [
        each
        for scope in trial.world.scopes.values()
        if scope.tree
        for each in source.variables(source.Module(scope.path, _file(files, scope.path), scope.tree))
    ]
    known: dict[str, Variable] = {}
    for each in seen:
        if each.name not in known or (each.setting and not known[each.name].setting):
            known[each.name] = each
    followed = _followed(trial.reads())
    found = {name: _with(each, followed.get(name)) for name, each in known.items()}
    for name, read in followed.items():
        if name not in found and is_name(name):
            found[name] = _of(read, trial)
    for name, place in trial.world.raised.items():
        if name in found:
            found[name] = _changed(found[name], required=True, sure=False, place=place)
    for name, place in _hidden(files, trial).items():
        if name in found and not found[name].required:
            found[name] = _changed(found[name], required=True, sure=False, place=place)
    for each in _elsewhere(files, trial):
        found.setdefault(each.name, each)
    examples = _examples(hints)
    return tuple(
        sorted(
            (_changed(each, suggestion=_suggestion(each, trial, examples)) for each in found.values()
             if each.name not in PLATFORM),
            key=lambda each: (each.place.file, each.place.line, each.name),
        )
    )  # fmt: skip


def gates(trial: Trial) -> tuple[Found, ...]:
    """Variables of a platform whose presence changes the settings."""
    asked = dict(reversed(trial.world.present_asked))
    asked |= {read.name: read.place for read in reversed(trial.reads())}
    return tuple(Found(name, place) for name, place in sorted(asked.items()) if name in PLATFORM - {"CI"})


def secret_key(trial: Trial, found: tuple[Variable, ...]) -> Found:
    """Where SECRET_KEY comes from: variable, random, fixed or absent."""
    value, place = trial.value("SECRET_KEY"), trial.place("SECRET_KEY")
    named = next((each for each in found if each.setting == "SECRET_KEY" and not each.name.endswith("_FILE")), None)
    if named:
        return Found("variable", named.place)
    if trial.origins("SECRET_KEY"):
        return Found("variable", place)
    if value is None:
        return Found("absent", place)
    return Found("random" if value is RANDOM or value is UNKNOWN else "fixed", place, sure=value is not UNKNOWN)


def _followed(reads: list[Read]) -> dict[str, Read]:
    """Each variable's telling read: one that requires it, or else the first."""
    found: dict[str, Read] = {}
    for read in reads:
        known = found.get(read.name)
        if known is None or (read.required and not known.required):
            found[read.name] = read
    return found


def _with(each: Variable, read: Read | None) -> Variable:
    """What a walk saw, and whether following the settings came by there."""
    if read is None:
        # In a branch that is not taken: an option of the project's.
        return _changed(each, required=False, sure=False)
    default = each.default if each.default is not None else _text(read.default)
    return _changed(
        each, required=read.required, place=read.place if read.required else each.place, default=default, sure=read.sure
    )


def _of(read: Read, trial: Trial) -> Variable:
    setting = next((name for name in trial.names() if read.name in trial.origins(name)), "")
    return Variable(
        name=read.name,
        place=read.place,
        required=read.required,
        default=_text(read.default),
        kind=read.kind if read.kind != "str" or not isinstance(read.default, bool) else "bool",
        setting=setting,
    )


def _hidden(files: Files, trial: Trial) -> dict[str, Place]:
    """Variables without which a module of the project raises ImproperlyConfigured when it is used.

    `if not settings.X: raise ImproperlyConfigured(...)`, where X comes from a variable that has no value by itself.
    """
    found: dict[str, Place] = {}
    for file in files.search(_RAISES):
        if any(scope.file == file for scope in trial.world.scopes.values()):
            continue
        tree = parse(files.root / file, file)
        for node in ast.walk(tree) if tree else []:
            if isinstance(node, ast.FunctionDef):
                for setting, line in _demanded(node):
                    if trial.value(setting) in (None, "") and setting in set(trial.names()):
                        for name in trial.origins(setting) - trial.environment.keys():
                            if not _OF_OTHERS.search(name):
                                found.setdefault(name, Place(file, line))
    return found


def _demanded(function: ast.FunctionDef) -> Iterator[tuple[str, int]]:
    """Settings whose absence makes a function raise, with the line."""
    named = {
        target.id: node.value.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute) and _is_settings(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        if not isinstance(node, ast.If) or not _ends_in_raise(node.body):
            continue
        test = node.test
        if not isinstance(test, ast.UnaryOp) or not isinstance(test.op, ast.Not):
            continue
        operand = test.operand
        if isinstance(operand, ast.Name) and operand.id in named:
            yield named[operand.id], node.lineno
        elif isinstance(operand, ast.Attribute) and _is_settings(operand):
            yield operand.attr, node.lineno


def _is_settings(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "settings" and node.attr.isupper()


def _ends_in_raise(nodes: list[ast.stmt]) -> bool:
    last = nodes[-1]
    return isinstance(last, ast.Raise) and last.exc is not None and "ImproperlyConfigured" in ast.unparse(last.exc)


def _elsewhere(files: Files, trial: Trial) -> Iterator[Variable]:
    """Variables that modules beside the settings read; required where that happens while they are imported."""
    done = {scope.file for scope in trial.world.scopes.values()}
    for file in files.search(_READS):
        if file in done or _OPERATED.search(file) or "settings" in file:
            continue
        tree = parse(files.root / file, file)
        if tree is None or _other_settings(files, file, tree, trial):
            continue
        top = {id(node) for statement in tree.body if not isinstance(statement, ast.FunctionDef | ast.ClassDef)
               for node in ast.walk(statement)}  # fmt: skip
        for variable, node in source.reads(source.Module(files.root / file, file, tree)):
            if variable.name != "DJANGO_SETTINGS_MODULE":
                yield _changed(variable, required=variable.required and id(node) in top, setting="")


def _other_settings(files: Files, file: str, tree: ast.Module, trial: Trial) -> bool:
    """Whether a module is another variant of the settings: it takes over all that one of them has."""
    for node in tree.body:
        star = isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
        if star and module_path(files.root, imported(node, file)[0]) in trial.world.scopes:
            return True
    return False


def _examples(hints: tuple[Found, ...]) -> dict[str, str]:
    """Values that an example file has, where they are no place-holders."""
    return {hint.value.partition("=")[0][4:]: hint.value.partition("=")[2]
            for hint in hints if hint.value.startswith("env.")}  # fmt: skip


def _suggestion(each: Variable, trial: Trial, examples: dict[str, str]) -> str | None:
    """A value for a variable that has no default: what the same setting is in a module below, or an example's."""
    if not each.required:
        return None
    for scope in trial.world.scopes.values():
        for node in scope.tree.body if scope.tree else []:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and each.setting:
                value = source.text(node.value)
                if node.targets[0].id == each.setting and value:
                    return value
    return examples.get(each.name) or None


def _changed(variable: Variable, **more: object) -> Variable:
    known = {name: getattr(variable, name) for name in variable.__struct_fields__}
    return Variable(**(known | more))


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    return None


def _file(files: Files, path: object) -> str:
    return str(path).removeprefix(f"{files.root}/")
