"""Causes that lie in the database or in a migration, as drivers, Django and the runtime in the image say them."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container

_DATABASE = (
    (
        r"password authentication failed|authentication failed|refuses the user or the password",
        Cause(
            "diag.D025",
            "the database refuses the user or the password",
            "its volume may be older than the Secret's password",
        ),
    ),
    (
        r'database "[^"]+" does not exist|Unknown database',
        Cause("diag.D026", "the server has no such database", "check databases in nuages.yaml"),
    ),
    (
        r"[Tt]oo many (?:clients|connections)|remaining connection slots",
        Cause(
            "diag.D027",
            "the database has no connection left",
            "fewer replicas, workers or threads, or more max_connections",
        ),
    ),
    (
        r"could not translate host|Name or service not known|resolve host|Unknown \w* ?server host|name resolution",
        Cause(
            "diag.D038",
            "the name of the database's host is not resolved",
            "is it spelled right in nuages.yaml, and may the pods ask the cluster's DNS?",
        ),
    ),
    (
        r"refused|timed? ?out|No route|no connection|Can't connect",
        Cause("diag.D029", "the database does not answer", "is its pod ready? kubectl get pods shows it"),
    ),
)
_READ = "its log says more: nuages logs migrate"
_ENDS = {
    3: Cause("diag.D029", "the database does not answer, or refuses", _READ),
    4: Cause("diag.D075", "another release holds the migration lock", "wait for it to end, and try again"),
    5: Cause("diag.D077", "the migrations were refused, and nothing was touched", _READ),
}
"""By the exit code of the migrating program, where its log could not be read."""
_THERE = (
    r"(?:column|relation|constraint|table) [\"'`](?P<quoted>[^\"'`]+)[\"'`].*already exists"
    r"|[Dd]uplicate (?:column|key) name:? '?(?P<plain>\w+)|DuplicateColumn|DuplicateTable|already exists"
)
_FAKE = "Where it is just what the migration makes: nuages manage migrate APP NAME --fake"
_HISTORY = {
    "InconsistentMigrationHistory": Cause(
        "diag.D073", "the database has migrations applied out of their order", "manage.py showmigrations tells which"
    ),
    "NodeNotFoundError": Cause(
        "diag.D074", "a migration depends on one that is not in the image", "is its file committed?"
    ),
    "Conflicting migrations detected": Cause(
        "diag.D074", "two migrations claim to be the last of an app", "manage.py makemigrations --merge"
    ),
}


def database(evidence: Evidence) -> Cause | None:
    """The database refuses or does not answer; in a traceback, or in what the runtime says while it waits."""
    waits = evidence.nuages(r"(?:waits for|waiting for|connection to|refuses).*database|the database refuses")
    trace = evidence.trace
    said = trace.line if trace and "OperationalError" in trace.type else waits.string if waits else ""
    for pattern, cause in _DATABASE:
        if said and re.search(pattern, said):
            return cause._replace(line="" if trace else _clean(said))
    return None


def migration(evidence: Evidence) -> Cause | None:
    """What the migrating Job says in its last line, with the statement that failed."""
    if broken := evidence.nuages(
        r"(?P<head>InconsistentMigrationHistory|NodeNotFoundError|Conflicting migrations detected)(?P<rest>.*)"
    ):
        cause = _HISTORY[broken["head"]]
        return cause._replace(line=(broken["head"] + broken["rest"]).strip())
    if busy := evidence.nuages(r"another release is still migrating.*"):
        return Cause(
            "diag.D075", "another release holds the migration lock", "wait for it to end, and try again", busy[0]
        )
    if refused := evidence.told("refused"):
        first, *others = refused.get("findings") or [{}]
        more = f" (and {len(others)} more)" if others else ""
        line = f"{first.get('place', '')}: {first.get('message', '')}".strip(": ")
        why = f"the migrations were refused, and nothing was touched{more}"
        return Cause("diag.D077", why, first.get("hint") or "", f"{line}  ({first.get('id', '')})")
    if not evidence.log and container(evidence.trouble).get("name") == "migrate":
        return _ENDS.get((evidence.trouble.exit_code if evidence.trouble else None) or 0)
    failed = evidence.nuages(
        r"nuages: migration failed(?: in (?P<name>\S+))?: (?P<what>.*?)(?:; the statement was: (?P<sql>.*))?$"
    )
    if failed is None:
        return None
    which = failed["name"] or "a migration"
    line = failed["what"] + (f"\nstatement: {failed['sql']}" if failed["sql"] else "")
    if re.search(r"lock timeout|LockNotAvailable", failed["what"]):
        hint = "a long transaction holds the table; try again when it is over, or raise migrations.lockTimeout"
        held = evidence.told("waiting").get("reason") or ""
        line = f"{held}\n{line}" if held else line
        return Cause("diag.D071", f"{which} did not get its table's lock in time", hint, line)
    if there := re.search(_THERE, failed["what"]):
        hint = f"was it made by hand, or by a migration that was renamed or squashed? {_FAKE}"
        name = there["quoted"] or there["plain"] or ""
        return Cause("diag.D076", f"{which} makes {name or 'something'}, which is there already", hint, line)
    return Cause(
        "diag.D070",
        f"{which} failed; what PostgreSQL had done of it is rolled back",
        evidence.told("failed").get("hint") or "correct the migration, and deploy again",
        line,
    )


def _clean(said: str) -> str:
    return said.partition("nuages: ")[2] or said
