"""A namespace's Secrets and ConfigMaps in memory, as the cluster keeps them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from nuages.app.objects import Object


class Kept:
    """What of the cluster's client reads and writes them."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}

    async def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        return self.objects.get((kind, name))

    async def list(self, kind: str, namespace: str | None, **_: object) -> SimpleNamespace:
        return SimpleNamespace(items=[item for (of, _), item in self.objects.items() if of == kind])

    async def create(self, obj: Object) -> Object:
        about = {"resourceVersion": "1", **obj["metadata"]}
        self.objects[obj["kind"], about["name"]] = {**obj, "metadata": about}
        return obj

    async def patch_merge(self, kind: str, namespace: str | None, name: str, patch: dict[str, Any]) -> Object:
        live = self.objects[kind, name]
        data = {key: value for key, value in {**live.get("data", {}), **patch["data"]}.items() if value is not None}
        self.objects[kind, name] = {**live, "data": data}
        return self.objects[kind, name]
