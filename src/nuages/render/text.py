"""Objects as YAML that a person would have written: keys in their order, block style, long texts as blocks."""

from __future__ import annotations

import yaml

from nuages.app.objects import Object


class _Dumper(yaml.SafeDumper):
    """No anchors (`&id001`): equal values are written out, as a person does."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are indented below their key."""
        return super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def yaml_of(objects: list[Object]) -> str:
    """One document per object, in order; the same objects give the same text."""
    return yaml.dump_all(
        objects,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=120,
        explicit_start=True,
    ).rstrip("\n")
