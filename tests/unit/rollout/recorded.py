"""What was recorded on a real cluster (Kubernetes 1.34.10) and from real programs, shortened to what matters.

`states`: objects on their way, each with the ReplicaSets and pods beside them. `failures`: workloads that cannot start,
with what `diagnose` fetched. `logs`: of Django 5.2 under gunicorn and of `nuages_runtime.migrate` on PostgreSQL.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from nuages.app.objects import Object
from nuages.rollout.causes import Evidence
from nuages.rollout.watcher import pod_troubles

FOLDER = Path(__file__).parent / "recorded"
LATER = datetime(2030, 1, 1, tzinfo=UTC)


class Seen(NamedTuple):
    """A view of recorded objects."""

    objects: list[Object]

    def get(self, kind: str, name: str) -> Object | None:
        return next((one for one in self.items(kind) if one["metadata"]["name"] == name), None)

    def items(self, kind: str) -> list[Object]:
        return [one for one in self.objects if one["kind"] == kind]


def state(name: str) -> tuple[Object, Seen]:
    """An object as it was once, and what was around it."""
    document = json.loads((FOLDER / "states" / f"{name}.json").read_text())
    return document["live"], Seen([document["live"], *document["replicasets"], *document["pods"]])


def failure(name: str) -> tuple[Evidence, Seen]:
    """What was found out about a workload that could not start, and the view it was seen in."""
    document = json.loads((FOLDER / "failures" / f"{name}.json").read_text())
    view = Seen([document["workload"], *document["replicasets"], *document["pods"]])
    troubles = pod_troubles(document["workload"], view)
    trouble = troubles[0] if troubles else None
    return Evidence(document["workload"], trouble, document["log"], tuple(document["events"])), view


def log(name: str) -> str:
    """What a program wrote before it ended."""
    return (FOLDER / "logs" / f"{name}.log").read_text()
