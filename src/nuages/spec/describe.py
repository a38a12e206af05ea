"""described(path): what a field of nuages.yaml is, from the JSON Schema: its form, default, examples, what is below.

As `kubectl explain`, a path may leave the names of a map out: web.replicas is web.NAME.replicas.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nuages.errors import UsageError
from nuages.spec import kept
from nuages.spec.kept import Schema

if TYPE_CHECKING:
    from nuages.spec.document import Path

NAME = "NAME"
"""Stands in a path for the name of a map's entry."""

ENVIRONMENTS = "environments"
_FORMS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "map",
    "array": "list",
}

_ROOT: Schema = {"$ref": "#/$defs/EnvironmentSpec", "description": "What a Django project needs to run on Kubernetes."}


class Below(NamedTuple):
    """A field of a field, in short."""

    name: str
    form: str
    description: str
    required: bool = False
    default: Any = None


class Described(NamedTuple):
    """What `nuages config explain --json` prints; it only grows under one `schema`."""

    schema: int
    path: str
    """With NAME where a map's names are."""
    form: str
    """Its type in words: `a duration`, `list of text`, `map of NAME`."""
    description: str
    required: bool = False
    default: Any = None
    examples: Sequence[Any] = ()
    fields: Sequence[Below] = ()
    """What is below: of a map, what each of its entries has."""


def described(path: str) -> Described:
    """What is known of a path; "" is the whole file.

    Raises:
        UsageError: there is no such field; with the one that is near.
    """
    parts = [part for part in path.replace("[", ".").replace("]", "").split(".") if part]
    if parts[:1] == [ENVIRONMENTS]:
        if len(parts) == 1:
            return _environments()
        parts = parts[2:]  # what stands in an environment is what stands in the base
    at: list[str] = []
    here = _ROOT
    required = False
    for part in parts:
        here, required = _step(here, part, at)
    return Described(
        schema=1,
        path=".".join(at),
        form=_form(here),
        description=here.get("description") or _resolved(here).get("description", ""),
        required=required,
        default=here.get("default"),
        examples=here.get("examples", []),
        fields=list(_below(here, at)),
    )


def flat(path: str) -> Iterator[tuple[str, str]]:
    """Every path below one, with its form, as a tree is read."""
    yield from _walked(described(path).path, ())


def _walked(path: str, seen: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    here = described(path)
    for field in here.fields:
        deeper = ".".join(filter(None, (path, NAME if here.form.startswith("map of") else "", field.name)))
        yield deeper, field.form
        if deeper not in seen and field.name != ENVIRONMENTS:
            yield from _walked(deeper, (*seen, deeper))


def _step(here: Schema, part: str, at: list[str]) -> tuple[Schema, bool]:
    """From a schema to what is below it by one name; `at` grows by what the path has there."""
    inner = _resolved(here)
    if inner.get("type") == "array":
        items: Schema = inner["items"]
        at[-1] += "[]"
        return (items, False) if part.isdigit() else _step(items, part, at)
    entry = inner.get("additionalProperties")
    if isinstance(entry, dict):
        at.append(NAME)
        if part in _resolved(entry).get("properties", {}):
            return _step(entry, part, at)
        return entry, False
    properties = inner.get("properties", {})
    if part not in properties:
        close = _near(part, properties)
        where = ".".join(at) or "nuages.yaml"
        known = ", ".join(properties) or "nothing"
        raise UsageError(
            f"{where} has no field {part}", hint=f"did you mean {close[0]}?" if close else f"below it is: {known}"
        )
    at.append(part)
    return properties[part], part in inner.get("required", [])


def _below(here: Schema, at: list[str]) -> Iterator[Below]:
    inner = _resolved(here)
    if inner.get("type") == "array":
        inner = _resolved(inner["items"])
    entry = inner.get("additionalProperties")
    owner = _resolved(entry) if isinstance(entry, dict) else inner
    needed = owner.get("required", [])
    for name, field in owner.get("properties", {}).items():
        about = field.get("description") or _resolved(field).get("description", "")
        default = field.get("default")
        yield Below(name=name, form=_form(field), description=about, required=name in needed, default=default)
    if not at:
        about = _environments().description
        yield Below(name=ENVIRONMENTS, form="map of NAME", description=about, default={})


def _environments() -> Described:
    field = kept.ENVIRONMENTS
    return Described(
        schema=1,
        path=ENVIRONMENTS,
        form="map of NAME",
        description=field["description"],
        default={},
        examples=field["examples"],
        fields=list(_below(_ROOT, [ENVIRONMENTS])),
    )


def _resolved(part: Schema) -> Schema:
    """Through references and "this or null" to what a value really is."""
    while True:
        if "$ref" in part:
            part = kept.definitions()[part["$ref"].rpartition("/")[2]]
        elif "anyOf" in part:
            part = next(one for one in part["anyOf"] if one.get("type") != "null")
        else:
            return part


def _form(part: Schema) -> str:
    """What may stand there, in words."""
    inner = _resolved(part)
    if "enum" in inner:
        return f"one of {', '.join(map(str, inner['enum']))}"
    kind: str = inner.get("type", "")
    if kind == "object":
        entry = inner.get("additionalProperties")
        return f"map of {NAME}" if isinstance(entry, dict) else "map"
    if kind == "array":
        return f"list of {_form(inner['items'])}"
    title = str(inner.get("title", ""))
    if kind == "integer" and ("minimum" in inner or "maximum" in inner):
        least, most = inner.get("minimum"), inner.get("maximum")
        return " ".join(["whole number", *([f"from {least}"] if least is not None else []),
                         *([f"to {most}"] if most is not None else [])])  # fmt: skip
    return title or _FORMS.get(str(kind), str(kind))


def path_of(text: str, document: Any) -> Path:
    """A path as a person writes it, by the names that a document has: those of a map may have dots themselves.

    Raises:
        UsageError: there is no such thing; with the one that is near.
    """
    found: list[str | int] = []
    here, rest = document, text.strip(".")
    while rest:
        if isinstance(here, list):
            number, _, rest = rest.lstrip("[").partition("." if "]" not in rest else "]")
            if not number.isdigit() or int(number) >= len(here):
                raise UsageError(f"{text}: no entry {number}", hint=f"there are {len(here)}, from [0]")
            key: str | int = int(number)
        elif isinstance(here, dict):
            key, rest = _longest(text, rest, here)
        else:
            raise UsageError(f"{text}: nothing is below {'.'.join(map(str, found))}")
        found.append(key)
        here, rest = here[key], rest.lstrip(".")
    return tuple(found)


def _longest(text: str, rest: str, here: dict[str, Any]) -> tuple[str, str]:
    """The longest name with which a path goes on, and what is left of it."""
    fitting = [name for name in here if rest == name or rest.startswith((f"{name}.", f"{name}["))]
    if fitting:
        name = max(fitting, key=len)
        return name, rest.removeprefix(name)
    name = rest.partition(".")[0]
    close = _near(name, here)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(here) or 'none'}"
    raise UsageError(f"{text}: there is no {name}", hint=hint)


def _near(name: str, known: Iterable[str]) -> list[str]:
    from difflib import get_close_matches  # noqa: PLC0415 - only for what is typed wrong

    return get_close_matches(name, list(known), n=1)
