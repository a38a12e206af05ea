"""The words of a plan: Kubernetes', PostgreSQL's and nuages' own, as a Django developer says them. Pure."""

from __future__ import annotations

import re

from nuages.release.plan.shape import Action, Drift, Lock, Outcome, Plan, Statement

KINDS = {
    "ConfigMap": "configuration",
    "Deployment": "processes, in pods",
    "HTTPRoute": "the way in from outside",
    "HorizontalPodAutoscaler": "how many pods there are, by load",
    "Ingress": "the way in from outside",
    "LimitRange": "what a container takes that says nothing",
    "NetworkPolicy": "who may talk to whom",
    "PersistentVolumeClaim": "a volume",
    "PodDisruptionBudget": "how many pods may be away at once",
    "ResourceQuota": "what the environment may take together",
    "Role": "what people may do",
    "RoleBinding": "who may do it",
    "Secret": "values of secrets",
    "Service": "an address",
    "ServiceAccount": "an identity",
    "StatefulSet": "processes that keep their names and volumes",
}
WHEN = {
    "expand": "before the first new pod",
    "contract": "held back until no running code needs it",
    "backfill": "after the rollout",
    "state": "nothing to do in the database",
    "unsafe": "breaks the code that runs",
}
# Who waits for a lock: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES; the hardest first.
BLOCKS = {
    "AccessExclusiveLock": "nobody reads or writes",
    "ExclusiveLock": "nobody writes",
    "ShareRowExclusiveLock": "nobody writes",
    "ShareLock": "nobody writes",
}
_CONTAINER = re.compile(r"^spec\.template\.spec\.(?:initC|c)ontainers\[[^\]]*\]\.")
_VARIABLE = re.compile(r"^env\[(?P<name>[^\]]+)\]\.value$")
_IMAGE = re.compile(r"\S+@sha256:(?P<digest>[0-9a-f]{12})[0-9a-f]{52}")


def short(path: str) -> str:
    """A field's path without what stands before each; a variable's is its name."""
    if found := _CONTAINER.match(path):
        return _VARIABLE.sub(r"\g<name>", path[found.end() :])
    for before in ("spec.template.spec.", "spec.template.", "spec.", "data."):
        if path.startswith(before):
            return path.removeprefix(before)
    return path


def value(text: str | None) -> str:
    """A field's value; of an image what tells it from another one."""
    if text is None:
        return ""
    return _IMAGE.sub(r"\g<digest>", text) or '""'


def digest(reference: str) -> str:
    """The first digits of an image's digest."""
    return reference.rpartition("sha256:")[2][:12]


def locks(statement: Statement) -> list[str]:
    """What a statement means for whoever uses the tables meanwhile; nothing where nobody waits."""
    if statement.concurrent or statement.later:
        return []
    order = list(BLOCKS)
    hardest: dict[str, Lock] = {}
    for one in sorted((one for one in statement.locks if one.mode in BLOCKS), key=lambda one: order.index(one.mode)):
        hardest.setdefault(one.table, one)
    how = "while the whole table is written anew" if statement.rewrites else "for a moment"
    return [f"{one.table}{size(one)}: {BLOCKS[one.mode]} {how}" for one in hardest.values()]


def size(lock: Lock) -> str:
    """How large the table is: ` (1.2 M rows, 310 MB)`."""
    known = []
    if lock.rows is not None and lock.rows >= 0:
        known.append("1 row" if lock.rows == 1 else f"{amount(lock.rows)} rows")
    if lock.bytes is not None:
        known.append(f"{amount(lock.bytes)}B" if lock.bytes >= 1000 else f"{lock.bytes} bytes")
    return f" ({', '.join(known)})" if known else ""


def amount(number: int) -> str:
    """A number as a person says it: 950, 12 k, 1.2 M."""
    for unit, name in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= unit:
            return f"{number / unit:.1f} {name}" if number < 10 * unit else f"{number / unit:.0f} {name}"
    return str(number)


def drifted(one: Drift) -> str:
    """What somebody changed, who and when, and what comes of it."""
    name = short(one.path)
    by = f"{one.manager}, {one.at:%Y-%m-%d %H:%M}" if one.at else one.manager
    said = f"{name} is {value(one.live)} ({by})"
    match one.outcome:
        case Outcome.TAKEN_BACK:
            return f"{said}: a release sets it back to {value(one.wanted)}, and says so"
        case Outcome.BLOCKS:
            return f"{said}, and nuages.yaml makes it {value(one.wanted)}: a release stops here"
        case Outcome.GIVEN_BACK:
            return f"{said}: as the release that serves has it"
        case Outcome.LEFT:
            return f"{said}: left alone, nuages.yaml says nothing of it"


def summary(plan: Plan) -> str:
    """The plan in one sentence."""
    count = sum(change.action is not Action.KEEP for change in plan.objects)
    parts = ["1 object changes" if count == 1 else f"{count} objects change"] if count else []
    pending = sum(len(one.migrations) for one in plan.migrations.databases)
    held = plan.migrations.due and not pending
    if held:
        parts.append("what was held back in the database is done")
    if pending:
        parts.append("1 migration is applied" if pending == 1 else f"{pending} migrations are applied")
    names = ", ".join(roll.name for roll in plan.rolls)
    starts = "starts" if len(plan.rolls) == 1 else "start"
    parts.append(f"{names} {starts} anew" if plan.rolls else "no pod starts anew")
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."
