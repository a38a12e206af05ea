"""What people changed by hand in objects that are ours, by the cluster's own book of who owns which field. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from nuages.app.objects import Object
from nuages.kube.client import MANAGER
from nuages.release.plan.fields import Path, fields, managed, owned, text, written
from nuages.release.plan.shape import Drift, Outcome

TAKEN_BACK: frozenset[Path] = frozenset({("spec", "replicas")})
"""What a release overwrites, and says so."""

# Programs that belong to a cluster: what they write is no drift.
_MACHINE = re.compile(r"controller|manager|operator|kubelet|scheduler|autoscaler|provisioner|speaker|webhook|k3s")


def drift(
    live: Object, after: Object, wanted: Object, hide: Callable[[str], str], served: Object | None = None
) -> list[Drift]:
    """The changes that were made by hand.

    Args:
        live: the object as it is.
        after: as it would be if nuages took every field back that it declares.
        wanted: as nuages renders it.
        hide: takes known secret values out of a text.
        served: as the release that serves has rendered it.
    """
    now, then, was = fields(live), fields(after), fields(served or {})
    declared, before = fields(wanted), owned(live, MANAGER)
    found = []
    for manager, at, path in _others(live):
        if path in declared:
            if now.get(path) == then.get(path):
                continue
            as_served = path in was and was[path] == now.get(path)
            outcome = Outcome.GIVEN_BACK if as_served else Outcome.BLOCKS
            outcome = Outcome.TAKEN_BACK if path in TAKEN_BACK and not as_served else outcome
        elif path in before or path not in now or not _by_hand(manager):
            continue
        else:
            outcome = Outcome.LEFT
        found.append(
            Drift(
                kind=live["kind"],
                name=live["metadata"]["name"],
                path=written(path),
                manager=manager,
                at=at,
                live=text(live["kind"], path, now.get(path), hide),
                wanted=text(live["kind"], path, then.get(path), hide) if path in declared else None,
                outcome=outcome,
            )
        )
    return found


def by_hand(live: Object) -> set[Path]:
    """The fields that people have set, whoever declares them."""
    return {path for manager, _, path in _others(live) if _by_hand(manager)}


def _by_hand(manager: str) -> bool:
    return not _MACHINE.search(manager.lower())


def _others(live: Object) -> Iterator[tuple[str, datetime | None, Path]]:
    """The fields of every manager but us: who, since when, and which; what is written as status is no drift."""
    for entry in live["metadata"].get("managedFields", ()):
        if entry.get("manager") == MANAGER or entry.get("subresource") == "status":
            continue
        at = datetime.fromisoformat(entry["time"]) if entry.get("time") else None
        for path in managed(entry.get("fieldsV1", {})):
            yield entry.get("manager", "somebody"), at, path
