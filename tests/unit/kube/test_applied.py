"""Whose fields an apply takes over by itself."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from nuages.kube.client import Cluster
from nuages.kube.failures import Asked, Field, FieldConflict

pytestmark = pytest.mark.unit

DEPLOYMENT = {"kind": "Deployment", "metadata": {"name": "blog-web-main", "namespace": "blog-local"}}


class Owned:
    """An API server where somebody owns the number of pods."""

    def __init__(self, *managers: str) -> None:
        self.fields = tuple(Field(".spec.replicas", manager) for manager in managers)
        self.forced: list[str] = []

    async def send(self, verb: str, path: str, asked: Asked, *, parameters: dict[str, str], **_: Any) -> object:
        self.forced.append(parameters["force"])
        if parameters["force"] == "false":
            raise FieldConflict(asked, self.fields)
        return SimpleNamespace(content=b"{}", body=b"{}", json=dict)


def applied(server: Owned) -> None:
    cluster = Cluster.__new__(Cluster)
    cluster._transport = server  # type: ignore[assignment]
    asyncio.run(cluster.apply(DEPLOYMENT))


def test_what_nuages_patched_itself_is_no_conflict() -> None:
    server = Owned("nuages")
    applied(server)
    assert server.forced == ["false", "true"]


def test_what_anybody_else_owns_is_left_to_the_caller() -> None:
    server = Owned("nuages", "kubectl (scale)")
    with pytest.raises(FieldConflict):
        applied(server)
    assert server.forced == ["false"]
