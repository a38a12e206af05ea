"""What the database says before a release: pending migrations with their statements and locks, gates, and the way back.

A Job asks (release/asking.py): the project's own code, with the environment that the release will have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.app.schema import Schema
from nuages.errors import ClusterError, CommandFailed, NuagesError
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.release import asking, redact
from nuages.release.back import verdict
from nuages.release.pending import Answer, Database
from nuages.release.plan.shape import Held, Lock, Migration, Migrations, Operation, Pending, Statement, Verdict
from nuages.release.record import Stored

Hide = Callable[[str], str]

QUESTION = ("python", "-m", "nuages_runtime.migrations", "plan")


class Told(NamedTuple):
    """The answer: for the plan, and for the verdict."""

    migrations: Migrations
    findings: list[Finding]
    after: Schema | None
    """What the database will be like when the release is live; None where that is not known."""
    note: str = ""


NONE = Told(Migrations(known=True), [], None, "there is none yet")
"""Where there is no database to ask."""


async def ask(app: App, job: Object, cluster: Cluster, say: Callable[[str], None], hide: Hide) -> Told:
    """Ask; where there is no answer, the plan says why and goes on without.

    `say` hears what it waits for, `hide` takes known secrets out of a text.
    """
    try:
        if not await asking.answerable(job, cluster) or not await _served(app, cluster):
            return NONE
        answer = await asking.ask(job, QUESTION, cluster, answer=Answer, say=say)
    except (CommandFailed, ClusterError) as no:
        return _unknown(no, hide)
    databases = tuple(_pending(alias, one, hide) for alias, one in sorted(answer.databases.items()))
    count = sum(len(one.migrations) for one in databases)
    said = "1 migration" if count == 1 else f"{count or 'no'} migrations"
    migrations = Migrations(known=True, contract=app.migrations.contract, databases=databases)
    return Told(migrations, _gates(answer), _after(answer), f"{said} pending")


def back(serving: Stored | None, told: Told, hide: Hide) -> Verdict | None:
    """Whether one can go back to what serves now, once this release is live."""
    if serving is None:
        return None
    if told is NONE:
        return Verdict(says="safe", to=serving.record.number)
    found = verdict.going_back(serving, told.after)
    reasons = tuple(redact.text(hide(reason.message)) for reason in found.reasons)
    ends = [
        f"{migration.name}: {operation.text}"
        for one in told.migrations.databases
        for migration in one.migrations
        for operation in migration.operations
        if operation.kind == "contract" and one.vendor == "postgresql"  # elsewhere nothing is held back
    ]
    return Verdict(
        says=found.outcome.value,
        to=serving.record.number,
        reasons=reasons,
        undo=tuple(name for each in found.undo for name in each.migrations),
        losses=tuple(loss for each in found.undo for loss in each.losses),
        ends=tuple(ends),
    )


async def _served(app: App, cluster: Cluster) -> bool:
    """Whether the database can be there: where nuages runs it, once it has been made."""
    if app.cloudnativepg:
        return await cluster.get("Cluster", app.namespace, app.cloudnativepg.name) is not None
    return app.postgres is None or await cluster.get("StatefulSet", app.namespace, app.postgres.name) is not None


def _unknown(no: NuagesError, hide: Hide) -> Told:
    lines = [no.message, no.detail.splitlines()[0] if no.detail else ""]
    said = redact.text(hide(": ".join(filter(None, lines))))
    finding = Finding(
        "release.W367", Level.WARNING, f"the database was not asked: {said}", Place(path="migrations"), no.hint
    )
    return Told(Migrations(known=False, why_not=said), [finding], None, "not asked")


def _pending(alias: str, found: Database, hide: Hide) -> Pending:
    sizes = {name: (table.rows, table.bytes) for name, table in found.tables.items()}

    def lock(table: str, mode: str) -> Lock:
        rows, size = sizes.get(table, (None, None))
        return Lock(table=table, mode=mode, rows=rows, bytes=size)

    return Pending(
        database=alias,
        vendor=found.vendor,
        version=found.version,
        migrations=tuple(
            Migration(
                name=f"{one.app}.{one.name}",
                operations=tuple(
                    Operation(
                        text=redact.text(hide(operation.text)),
                        kind=operation.kind,
                        why=redact.text(hide(operation.why)),
                        safer=operation.safer,
                        declared=operation.declared,
                        opaque=operation.opaque,
                        statements=tuple(
                            Statement(
                                sql=redact.text(hide(statement.sql)),
                                locks=tuple(lock(one.table, one.mode) for one in statement.locks),
                                rewrites=statement.rewrites,
                                concurrent=statement.concurrent,
                                later=statement.later,
                            )
                            for statement in operation.statements
                        ),
                    )
                    for operation in one.operations
                ),
            )
            for one in found.pending
        ),
        held=tuple(
            Held(
                release=entry.release,
                migration=f"{entry.app}.{entry.migration}",
                kind=entry.kind,
                sql=redact.text(hide(entry.sql)),
            )
            for entry in found.journal
        ),
    )


def _gates(answer: Answer) -> list[Finding]:
    """What the project's own checks say; an id is theirs."""
    return [
        Finding(gate.id, Level(gate.level), gate.message, Place(path=gate.place), gate.hint) for gate in answer.gates
    ]


def _after(answer: Answer) -> Schema | None:
    """The databases when the release is live: with what is pending applied."""
    found = {}
    for alias, one in answer.databases.items():
        if one.schema is None or (one.after is None and one.pending):
            return None
        applied = (*one.schema.applied, *(f"{each.app}.{each.name}" for each in one.pending))
        live = one.after if one.pending else one.schema.live
        found[alias] = msgspec.structs.replace(one.schema, live=live, applied=applied)
    return Schema(databases=found)
