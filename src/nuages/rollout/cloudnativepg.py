"""How a PostgreSQL goes that CloudNativePG's operator runs, by what the operator writes. Pure.

https://cloudnative-pg.io/docs/current/cloudnative-pg.v1#clusterstatus: the phase is a sentence of its own choosing, the
numbers are what can be counted on. No status says which generation of the Cluster it is about.
"""

from __future__ import annotations

from nuages.app.objects import Object
from nuages.rollout.kinds import Done, Failed, Verdict, Waiting

HEALTHY = "Cluster in healthy state"
HIBERNATION = "cnpg.io/hibernation"
"""The annotation that takes its pods away and keeps its volumes, and the condition that says how far that is. It begins
with one that is healthy only: https://cloudnative-pg.io/docs/current/declarative_hibernation
"""
# Out of these it finds by itself never: somebody has to change something.
_STUCK = (
    "Cluster is unrecoverable",
    "Cluster cannot proceed",
    "Cluster cannot execute",
    "Cluster has incomplete or invalid image catalog",
    "Unable to create required cluster objects",
    "Invalid cluster definition",
)


def answers(live: Object) -> Verdict:
    """Whether it can be written to, which is what a release waits for: one instance that is away is the operator's."""
    status = live.get("status") or {}
    if _hibernation(live):
        return Waiting("hibernates")
    primary = status.get("currentPrimary", "")
    if primary and primary == status.get("targetPrimary", primary) and _ready(live):
        return Done(f"{_counted(live)} ready")
    return _waiting(live)


def hibernated(live: Object) -> bool:
    """Whether nothing of it runs any more, as it was told."""
    return _hibernation(live).get("status") == "True"


def settled(live: Object) -> Verdict:
    """Whether all of it is as it is wanted, which is what a change of it waits for."""
    if _ready(live) < live["spec"]["instances"] or (live.get("status") or {}).get("phase") != HEALTHY:
        return _waiting(live)
    return Done(f"{_counted(live)} ready")


def cure(namespace: str, name: str) -> str:
    """Where it is told why."""
    return f"kubectl -n {namespace} describe cluster.postgresql.cnpg.io {name}; is its operator running?"


def _waiting(live: Object) -> Verdict:
    status = live.get("status") or {}
    phase, why = status.get("phase", ""), status.get("phaseReason", "")
    if not phase:
        return Waiting("not seen by its operator yet")
    said = f"{phase[0].lower()}{phase[1:]}" + (f": {why}" if why else "")
    if phase.startswith(_STUCK):
        return Failed(said)
    return Waiting(f"{_counted(live)} ready" if phase == HEALTHY else said)


def _hibernation(live: Object) -> Object:
    told = (live.get("status") or {}).get("conditions") or []
    return next((one for one in told if one["type"] == HIBERNATION), {})


def _ready(live: Object) -> int:
    return int((live.get("status") or {}).get("readyInstances", 0))


def _counted(live: Object) -> str:
    return f"{_ready(live)} of {live['spec']['instances']} instances"
