"""Causes that lie in the database or in a migration, as drivers, Django and the runtime in the image say them.

The words: libpq's and PostgreSQL's (psycopg, asyncpg), PgBouncer's, MySQL's and MariaDB's by their numbers
(https://dev.mysql.com/doc/mysql-errors/en/), Oracle's (ORA-, and DPY- of its driver), SQLite's.
"""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container
from nuages.rollout.pods import Symptom

_UNRESOLVED = (
    r"could not translate host|Name or service not known|resolve host|Unknown \w* ?server host|name resolution"
    r"|nodename nor servname|No address associated|gaierror|ORA-12545"
)
_ENCRYPTED = (
    r"does not support SSL|SSL off|no encryption|certificate verify failed|root certificate file|self[- ]signed cert"
    r"|SSL connection error|SSL is required|insecure transport|require_secure_transport|WRONG_VERSION_NUMBER"
    r"|does not match host name|sslmode value|SSL negotiation|server refuses SSL"
)
_RIGHT = (
    r"permission denied (?:for (?:database|schema|table|relation|sequence|function)|to create)"
    r"|must be (?:owner|superuser)|command denied to user|Access denied for user \S+ to database|ORA-01031"
)
_DATABASE = (
    (r"canceling statement|[Ll]ock wait timeout|deadlock|database is locked", None),  # it answers
    (
        r"password authentication failed|authentication failed|refuses the user or the password|no password supplied"
        r"|not permitted to log in|role \"[^\"]*\" does not exist|InvalidPassword|\(using password: |no such user"
        r"|is not allowed to connect|ORA-01017|no pg_hba\.conf entry(?!.*(?:no encryption|SSL off))",
        Cause(
            "diag.D025",
            "the database refuses the user or the password",
            "its volume may be older than the Secret's password",
        ),
    ),
    (
        r"database \"[^\"]+\" does not exist|Unknown database|no such database|InvalidCatalogName|ORA-12514"
        r"|DPY-6001|DPY-6003",
        Cause("diag.D026", "the server has no such database", "check databases in nuages.yaml"),
    ),
    (
        r"[Tt]oo many (?:clients|connections)|remaining connection slots|max_user_connections|max_client_conn"
        r"|no more connections allowed|query_wait_timeout|MaxClientsInSessionMode|TooManyConnections"
        r"|ORA-(?:00018|12519|12520)",
        Cause(
            "diag.D027",
            "the database has no connection left",
            "fewer replicas, workers or threads, or more max_connections",
        ),
    ),
    (
        _RIGHT,
        Cause("diag.D095", "the database's user lacks a right", "GRANT it as the line says, or make it the owner"),
    ),
    (
        _UNRESOLVED,
        Cause(
            "diag.D038",
            "the name of the database's host is not resolved",
            "is it spelled right in nuages.yaml, and may the pods ask the cluster's DNS?",
        ),
    ),
    (
        r"(?i)no space left on device|DiskFull",
        Cause("diag.D098", "the database's disk is full", "a greater volume: storage of the service in nuages.yaml"),
    ),
    (
        r"unable to open database file|readonly database",
        Cause(
            "diag.D028",
            "SQLite's file cannot be written: the image is read-only",
            "declare services.postgres in nuages.yaml, or let the file lie on the media volume",
        ),
    ),
    (
        r"on socket \"/",
        Cause("diag.D029", "the database does not answer: no HOST is set, so a file is asked", "set HOST in DATABASES"),
    ),
    (
        _ENCRYPTED,
        Cause(
            "diag.D094",
            "the database's connection is not encrypted as one side wants it",
            "sslmode in the address (require, verify-full, disable), and the authority's certificate in the image",
        ),
    ),
    (
        r"refused|Connect call failed|timed? ?out|timeout expired|No route|no connection|Can't connect|unreachable"
        r"|starting up|shutting down|recovery mode|closed the connection|connection (?:has been|is) closed"
        r"|Lost connection|gone away|reset by peer|ORA-12541|DPY-6005|DPY-4011|terminating connection",
        Cause("diag.D029", "the database does not answer", "is its pod ready? kubectl get pods shows it"),
    ),
)
_DRIVERS = r"psycopg|asyncpg|MySQLdb|pymysql|mysql[./]connector|oracledb|cx_Oracle|sqlite3|aiomysql|pyodbc"
_RAISED = rf"^(?:{_DRIVERS}|django\.db\.)"
_SPOKEN = rf"/(?:{_DRIVERS})/|django/db/backends/|^src/oracledb"
"""What the frames of an exception of Python's own lie in, where a driver lets one pass."""

_ANSWERED = (
    r"^[\w.]*(?:IntegrityError|DataError|Violation(?:Error)?|Undefined(?:Table|Column|Function)(?:Error)?): "
    r"|Error: .*(?:relation|column|function|table|operator) .*does(?:n't| not) exist|: syntax error at "
)
"""The database answers, and quotes the project's own names and values, which may be any word: timeout, refused."""

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
    said = waits.string if waits else ""
    raised = trace if trace and _of_a_database(evidence) else None
    if trace and (re.search(_ANSWERED, trace.line) if raised else _crashed(evidence)):
        return None  # whatever it waited for before, it was there, and something else ended it
    if raised:
        # A pool only says that it waited: why stands in what it logged meanwhile.
        why = evidence.nuages(r"error connecting in 'pool") if raised.name == "PoolTimeout" else None
        said = why.string if why else raised.said
    for pattern, cause in _DATABASE:
        if said and re.search(pattern, said):
            return cause._replace(line="" if trace else _clean(said)) if cause else None
    return None


def _crashed(evidence: Evidence) -> bool:
    return evidence.trouble is not None and evidence.trouble.symptom is Symptom.CRASH


def _of_a_database(evidence: Evidence) -> bool:
    """Whether a database's driver raised it, or let it pass."""
    trace = evidence.trace
    if trace is None or trace.name in {"ImproperlyConfigured", "ModuleNotFoundError"}:
        return False
    if re.search(_RAISED, trace.type):
        return True
    return "." not in trace.type.removeprefix("socket.") and any(re.search(_SPOKEN, one.file) for one in trace.frames)


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
    if re.search(r"lock timeout|LockNotAvailable|Lock wait timeout", failed["what"]):
        hint = "a long transaction holds the table; try again when it is over, or raise migrations.lockTimeout"
        held = evidence.told("waiting").get("reason") or ""
        line = f"{held}\n{line}" if held else line
        return Cause("diag.D071", f"{which} did not get its table's lock in time", hint, line)
    if there := re.search(_THERE, failed["what"]):
        hint = f"was it made by hand, or by a migration that was renamed or squashed? {_FAKE}"
        name = there["quoted"] or there["plain"] or ""
        return Cause("diag.D076", f"{which} makes {name or 'something'}, which is there already", hint, line)
    if re.search(_RIGHT, failed["what"]):
        hint = "GRANT it as the line says; an extension is made once by the database's owner"
        return Cause("diag.D095", f"{which} does what the database's user may not", hint, line)
    return Cause(
        "diag.D070",
        f"{which} failed; what PostgreSQL had done of it is rolled back",
        evidence.told("failed").get("hint") or "correct the migration, and deploy again",
        line,
    )


def _clean(said: str) -> str:
    return said.partition("nuages: ")[2] or said
