"""All of a document's disagreements with the schema, in words a person can act on; and the document without them.

The mended document lets the rules about meaning (rules.py) go on where only a field was misspelled, so that one run
says everything and no mistake is told twice.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from jsonschema_rs import ValidationError, Validator, validator_for
from jsonschema_rs import ValidationErrorKind as Kind

from nuages.spec.document import Path, Value, visible
from nuages.spec.kept import Schema


class Mistake(NamedTuple):
    """A finding that has no line yet: a path in a document. `at_key` points at the key rather than at its value."""

    id: str
    path: Path
    message: str
    hint: str = ""
    at_key: bool = False
    meant: str = ""
    """What a misspelled field, or word, is taken for."""


# How to write what a form asks for, per title in the model.
FORMS = {
    "a name": "lower-case letters, digits and dashes, at most 30, beginning with a letter",
    "a short name": "lower-case letters, digits and dashes, at most 20, beginning with a letter",
    "a namespace name": "lower-case letters, digits and dashes, at most 63",
    "an object name": "lower-case letters, digits, dashes and dots",
    "a class or a Gateway": "traefik, or namespace/name of a Gateway",
    "an environment variable's name": "letters, digits and underscores, not beginning with a digit",
    "an image repository": "registry.example.com/team/app, without a tag; each release adds the digest",
    "a host name": "blog.example.com, without scheme, port or path; between two dots are at most 63 characters",
    "a duration": "write 30s, 2m or 500ms",
    "an amount of memory": "write 256Mi or 2Gi",
    "an amount of CPU": "write 250m for a quarter of a core, or 1.5",
    "a Python module": "write it with dots: blog.settings",
    "a Python version": 'write "3.13"',
    "a major version": 'write "17"',
    "a Debian package": "a package's name as apt knows it, such as libpq-dev",
    "a Celery app": "as `celery -A` takes it: blog, or blog.celery:app",
    "a queue's name": "without spaces and commas",
    "an extra or a group": "letters, digits, dots and dashes: postgres",
    "a path in the project": "relative to the project's root: var/data",
    "a percentage": "write 10%",
    "a factor": "write 1.2x",
    "a migration": "as Django names it: blog.0005_fill_slugs",
    "a system check's id": "as manage.py check shows it: security.W004",
    "a route": "a path that begins with a slash: /api/",
    "a schedule": 'five fields: "0 3 * * *" is every night at three',
    "a host": "a name or an address, without scheme or port: db.internal",
    "an address on the web": "https://s3.example.com, without a password",
    "a path or an address on the web": "/media/, or https://media.example.com",
    "a bucket": "s3://name, or s3://name/folder",
    "a label's value": "letters, digits, dashes, underscores and dots, at most 63",
    "a key of a ConfigMap or a Secret": "letters, digits, dashes, underscores and dots: newrelic.ini",
    "what a Secret tells": "user, password or name",
    "an image": "registry.example.com/team/agent:1.2, by a tag or a digest",
    "a group": "as the cluster knows it: web-team",
    "a label": "letters, digits, dashes and dots, perhaps behind a domain: example.com/team",
    "a path in the container": "one that begins with a slash: /etc/newrelic.ini",
    "an address range": "write 10.0.0.0/8, or 192.0.2.7/32",
}
TYPES = {
    "object": "a map",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
}
_SHORT = 60
"""Of what stands in the file, so much is shown."""
_PLAIN_WORDS = re.compile(r"[\w./=+-]+( +[\w./=+-]+)*")
"""What means the same to a shell and in a list."""
_NO_UNIT = re.compile(r"[0-9]+(\.[0-9]+)?")


def mistakes(document: dict[str, Value], form: Callable[[], Schema]) -> tuple[list[Mistake], dict[str, Value]]:
    """Every disagreement of a canonical document with a schema, and the document mended: as near as can be, and valid.

    In rounds, because what stands below a misspelled field is looked at only once the field has its name.
    """
    schema, validator = form(), _validator(form)
    found: list[Mistake] = []
    mended = copy.deepcopy(document)
    renamed: dict[Path, Path] = {}
    while errors := [leaf for error in validator.iter_errors(mended) for leaf in _leaves(error)]:
        explained = [(error, list(_explain(error, schema))) for error in errors]
        for mistake in (_as_written(mistake, renamed) for _, told in explained for mistake in told):
            # What was taken out is missed, or leaves nothing behind: that is not told again. And shorthand was not
            # rewritten below a misspelled field, so a wrong type there may well be right.
            taken_out = any(earlier.path[: len(mistake.path)] == mistake.path for earlier in found)
            shorthand = mistake.id == "spec.E102" and any(
                mistake.path[: len(path)] == path for path in renamed.values()
            )
            if (not taken_out or mistake.id == "spec.E108") and not shorthand:
                found.append(mistake)
        # From the end, so that what is taken out of a list does not move what is still to be taken out.
        for error, told in sorted(explained, key=lambda pair: _order(pair[0].instance_path), reverse=True):
            renamed |= _mend(mended, error, told, schema)
    return found, mended


@cache
def _validator(form: Callable[[], Schema]) -> Validator:
    """Slow to make, and each environment of a file asks for the same."""
    return validator_for(form())


def _order(path: Iterable[str | int]) -> list[tuple[bool, str | int]]:
    return [(isinstance(part, int), part) for part in path]


def _as_written(mistake: Mistake, renamed: dict[Path, Path]) -> Mistake:
    """The mistake at the path that stands in the file, where a field above it was given its right name."""
    for meant, written in renamed.items():
        if mistake.path[: len(meant)] == meant:
            return mistake._replace(path=written + mistake.path[len(meant) :])
    return mistake


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """An optional field is "this or null"; what counts is why it is not this."""
    match error.kind:
        case Kind.AnyOf(branches):
            for branch in branches:
                if not all(isinstance(inner.kind, Kind.Type) and inner.kind.types == ["null"] for inner in branch):
                    for inner in branch:
                        yield from _leaves(inner)
        case _:
            yield error


def _subschema(schema: Schema, path: Iterable[str | int]) -> Schema:
    for part in path:
        schema = schema[part]  # type: ignore[index]  # an index where the schema has a list (anyOf)
    return schema


def _explain(error: ValidationError, schema: Schema) -> Iterator[Mistake]:
    path: Path = tuple(error.instance_path)
    parent = _subschema(schema, error.schema_path[:-1])
    title = parent.get("title", "")
    shown = _shown(error.instance)
    match error.kind:
        case Kind.AdditionalProperties(names):
            for name in names:
                yield _unknown(path, name, list(parent["properties"]))
        case Kind.Required(name):
            yield Mistake("spec.E104", (*path, str(name)), "is missing", at_key=True)
        case Kind.Type(types):
            wanted = " or ".join(TYPES.get(name, name) for name in types)
            yield Mistake("spec.E102", path, f"{shown} is not {wanted}", FORMS.get(title, "") or _so(error, types))
        case Kind.Enum(options):
            words = [str(option) for option in options]
            close = difflib.get_close_matches(str(error.instance), words, n=1)
            hint = f"did you mean {close[0]}?" if close else ""
            meant = close[0] if close else ""
            yield Mistake("spec.E105", path, f"{shown} is not one of {', '.join(words)}", hint, meant=meant)
        case Kind.Pattern() if title in ("a duration", "an amount of memory") and _NO_UNIT.fullmatch(
            str(error.instance)
        ):
            yield Mistake("spec.E103", path, f"{shown} has no unit", FORMS[title])
        case Kind.Pattern() | Kind.MaxLength():
            yield Mistake("spec.E106", path, f"{shown} is not {title}", FORMS[title])
        case Kind.PropertyNames(inner):
            title = _subschema(schema, inner.schema_path[:-1])["title"]
            name = str(inner.instance)
            yield Mistake("spec.E108", (*path, name), f'"{visible(name)}" is not {title}', FORMS[title], at_key=True)
        case Kind.Minimum() | Kind.Maximum():
            hint = f"from {parent.get('minimum')} to {parent.get('maximum')}"
            yield Mistake("spec.E107", path, f"{shown} is out of range", hint)
        case Kind.MinProperties() | Kind.MinItems():
            yield Mistake("spec.E109", path, "has no entry", "write at least one, or leave it out")
        case kind:
            raise AssertionError(f"the model has a rule without words: {kind.name} at {error.schema_path}")


def _so(error: ValidationError, types: list[str]) -> str:
    """How to write what stands there, where that is plain: a text in quotes, a command as a list."""
    match error.instance:
        case bool() | int() | float() if types == ["string"]:
            return "in quotes"
        case str(words) if types == ["array"] and _PLAIN_WORDS.fullmatch(words) and len(words) <= _SHORT:
            return f"[{', '.join(words.split())}]"
        case _:
            return ""


def _unknown(path: Path, name: str, known: list[str]) -> Mistake:
    close = difflib.get_close_matches(name, known, n=1) or difflib.get_close_matches(name.lower(), known, n=1)
    if close:
        message = f"not a field; did you mean {close[0]}?"
        return Mistake("spec.E101", (*path, name), message, at_key=True, meant=close[0])
    return Mistake("spec.E101", (*path, name), "not a field", f"here may be {', '.join(known)}", at_key=True)


def _shown(value: object) -> str:
    """A value as it is in the file, short; maps and lists by their kind."""
    match value:
        case dict():
            return "a map"
        case list():
            return "a list"
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f'"{visible(value if len(value) <= _SHORT else value[: _SHORT - 3] + "…")}"'
        case number:
            return str(number)


def _mend(document: Value, error: ValidationError, told: list[Mistake], schema: Schema) -> dict[Path, Path]:
    """Take what is wrong out: a misspelled field gets its name, a missing one its example, all else goes.

    Returns which path (as meant) was written otherwise.
    """
    renamed: dict[Path, Path] = {}
    for mistake in told:
        *above, key = mistake.path or ("",)
        holder = _at(document, tuple(above))
        if isinstance(holder, dict) and isinstance(error.kind, Kind.Required):
            field = _subschema(schema, error.schema_path[:-1])["properties"][key]
            holder[str(key)] = copy.deepcopy(field["examples"][0])
        elif isinstance(holder, list) and isinstance(key, int) and key < len(holder):
            holder.pop(key)
        elif isinstance(holder, dict) and key in holder:
            value = holder.pop(str(key))
            if mistake.id == "spec.E105" and mistake.meant:
                holder[str(key)] = mistake.meant
            elif mistake.meant and mistake.meant not in holder:
                holder[mistake.meant] = value
                renamed[(*above, mistake.meant)] = mistake.path
    return renamed


def _at(document: Value, path: Path) -> Value:
    for part in path:
        if isinstance(document, dict) and part in document:
            document = document[str(part)]
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
        else:
            return None
    return document
