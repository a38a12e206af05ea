"""The schema as it is checked in, for who only reads it. Quick to import."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

CANONICAL = Path(__file__).with_name("canonical.schema.json")

Schema = dict[str, Any]

ENVIRONMENTS: Schema = {
    "description": "One JSON merge patch (RFC 7396) over all of the above per environment: null removes.",
    "type": "object",
    "propertyNames": {"pattern": "^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$"},
    "additionalProperties": {"anyOf": [{"$ref": "#/$defs/EnvironmentSpecPatch"}, {"type": "null"}]},
    "default": {},
    "examples": [{"local": {"web": {"main": {"replicas": 1}}}}],
}
"""What stands below `environments`, to an editor."""


@cache
def definitions() -> Schema:
    """Every part of a canonical document, by its name."""
    found: Schema = json.loads(CANONICAL.read_bytes())["$defs"]
    return found
