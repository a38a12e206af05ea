"""The pages of `nuages config explain`. Quick to import: neither YAML nor msgspec is needed for most of them."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from nuages.cli.wording import columns, document
from nuages.spec import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nuages.cli.wording import Paint
    from nuages.spec.describe import Described

# What is a text to YAML, whatever follows it: a letter, then nothing that means something there, and no other word for
# a truth or for nothing; and durations and sizes.
_PLAIN = re.compile(
    r"(?!(?:y|n|yes|no|on|off|true|false|null)$)([a-z][a-z0-9_./-]*|[0-9]+(ms|[smhd]|[kmgt]i))$", re.IGNORECASE
)


def explained(path: str, style: Paint, *, recursive: bool, as_json: bool) -> Iterator[str]:
    """What a field is, and what is below it; with `recursive` every field below it, as a tree is read.

    Raises:
        UsageError: there is no such field.
    """
    if recursive:
        rows = list(describe.flat(path))
        if as_json:
            yield document({"schema": 1, "fields": dict(rows)})
            return
        wide = max((len(name) for name, _ in rows), default=0)
        yield from (f"{name:<{wide}}  {style(form, 'dim')}" for name, form in rows)
        return
    found = describe.described(path)
    if as_json:
        yield document(found)
    else:
        yield from _page(found, min(columns(), 110), style)


def flow(value: Any) -> str:
    """A value as YAML writes it on one line."""
    if (known := _simple(value)) is not None:
        return known
    return _written(value)


def _written(value: Any) -> str:
    import yaml

    if isinstance(value, str) and value and "\n" not in value:
        plain = yaml.safe_load(value) if not set(value) & set("#:{}[],&*!|>'\"%@`") else None
        return (
            value
            if plain == value
            else yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("\n...\n").strip()
        )
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _simple(value: Any) -> str | None:
    """A value of which no word needs quotes, nor is folded; None for any other."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return value if _PLAIN.match(value) else None
        case list():
            items = [_simple(one) for one in value]
            return None if None in items else f"[{', '.join(filter(None, items))}]"
        case dict():
            items = [_simple(one) for one in value.values()]
            names = [_simple(name) for name in value]
            if None in items or None in names:
                return None
            return "{" + ", ".join(f"{name}: {one}" for name, one in zip(names, items, strict=True)) + "}"
    return None


def _page(found: Described, width: int, style: Paint) -> list[str]:
    """The page of one field: what it is, then what is below."""
    lines = [f"{style(found.path or 'nuages.yaml', 'bold')}  {found.form}"]
    lines += textwrap.wrap(found.description, width, initial_indent="  ", subsequent_indent="  ")
    if found.required:
        lines.append("  needed")
    elif not found.fields or found.default:
        lines.append(f"  default  {flow(found.default) if found.default is not None else 'none'}")
    lines += [f"  example  {flow(example)}" for example in found.examples[:2]]
    if found.fields:
        lines.append(f"\nBelow {'each NAME' if found.form.startswith('map of') else 'it'}:")
    for field in found.fields:
        shown = (
            "needed" if field.required else "" if field.default in (None, {}, []) else f"default {flow(field.default)}"
        )
        if isinstance(field.default, dict):
            shown = ""
        lines.append("  ".join(filter(None, (f"  {style(field.name, 'bold')}", field.form, shown))))
        lines += textwrap.wrap(field.description, width, initial_indent="      ", subsequent_indent="      ")
    return lines
