"""From what is seen of a failure to its cause and its cure. Pure; each id is documented in docs/reference/diagnoses.md.

A rule looks at the evidence and answers a cause or None; of the rules for a symptom the first that answers holds.
"""

from __future__ import annotations

from collections.abc import Callable

from nuages.rollout.causes import program
from nuages.rollout.causes.celery import application, broker
from nuages.rollout.causes.cluster import address, configuration, deadline, lost, node
from nuages.rollout.causes.database import database, migration
from nuages.rollout.causes.evidence import Cause, Evidence
from nuages.rollout.causes.images import image
from nuages.rollout.causes.probes import answer, probe, throttled, unmigrated
from nuages.rollout.causes.program import command, crash, files, memory, port, server
from nuages.rollout.causes.project import exception, module, syntax
from nuages.rollout.causes.refusals import FOR_GOOD, creation, refusal
from nuages.rollout.causes.stores import bucket, manifest, store
from nuages.rollout.causes.variables import environment
from nuages.rollout.causes.volumes import mount, volume
from nuages.rollout.pods import Symptom

__all__ = ["FOR_GOOD", "HOPELESS", "QUOTA", "Cause", "Evidence", "explain", "refusal"]

Rule = Callable[[Evidence], Cause | None]

QUOTA = "diag.D060"

HOPELESS = FOR_GOOD | {f"diag.D{number:03}" for number in (10, 11, 37, 45, 46, 91)}
"""The causes that no waiting ends, though the pods go on trying: of a pod that is not ready for a while, give up."""

RULES: dict[Symptom, tuple[Rule, ...]] = {
    Symptom.IMAGE: (image,),
    Symptom.CONFIG: (configuration,),
    Symptom.CRASH: (
        memory,
        server,
        command,
        migration,
        port,
        environment,
        syntax,
        database,
        store,
        bucket,
        application,
        module,
        program.application,
        files,
        manifest,
        answer,
        broker,
        exception,
        unmigrated,
        throttled,
        probe,
        crash,
    ),
    Symptom.UNSCHEDULABLE: (node,),
    Symptom.NODE: (lost,),
    Symptom.STARTING: (mount,),
    Symptom.UNREADY: (
        unmigrated,
        environment,
        database,
        broker,
        store,
        bucket,
        memory,
        port,
        manifest,
        answer,
        module,
        files,
        exception,
        throttled,
        probe,
    ),
}
CREATION: tuple[Rule, ...] = (creation, deadline, volume, address)


def explain(evidence: Evidence) -> Cause | None:
    """The cause of a failure; None where nothing is known."""
    rules = RULES[evidence.trouble.symptom] if evidence.trouble else CREATION
    return next((cause for rule in rules if (cause := rule(evidence))), None)
