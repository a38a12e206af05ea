"""From what is seen of a failure to its cause and its cure. Pure; each id is documented in docs/reference/diagnoses.md.

A rule looks at the evidence and answers a cause or None; of the rules for a symptom the first that answers holds.
"""

from __future__ import annotations

from collections.abc import Callable

from nuages.rollout.causes.celery import application, broker
from nuages.rollout.causes.cluster import address, configuration, creation, deadline, image, mount, node, volume
from nuages.rollout.causes.database import database, migration
from nuages.rollout.causes.evidence import Cause, Evidence
from nuages.rollout.causes.program import command, crash, environment, exception, memory, probe, unmigrated
from nuages.rollout.pods import Symptom

__all__ = ["Cause", "Evidence", "explain"]

Rule = Callable[[Evidence], Cause | None]

RULES: dict[Symptom, tuple[Rule, ...]] = {
    Symptom.IMAGE: (image,),
    Symptom.CONFIG: (configuration,),
    Symptom.CRASH: (
        memory,
        command,
        migration,
        environment,
        database,
        application,
        exception,
        broker,
        unmigrated,
        probe,
        crash,
    ),
    Symptom.UNSCHEDULABLE: (node,),
    Symptom.STARTING: (mount,),
    Symptom.UNREADY: (unmigrated, environment, database, broker, exception, probe),
}
CREATION: tuple[Rule, ...] = (creation, deadline, volume, address)


def explain(evidence: Evidence) -> Cause | None:
    """The cause of a failure; None where nothing is known."""
    rules = RULES[evidence.trouble.symptom] if evidence.trouble else CREATION
    return next((cause for rule in rules if (cause := rule(evidence))), None)
