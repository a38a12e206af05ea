"""What a Kubernetes object is here: the plain mapping that its YAML would be."""

from __future__ import annotations

from typing import Any

# The one place where `Any` is right: objects have as many shapes as the API has kinds.
Object = dict[str, Any]
