"""What a database says of itself: how large it is, and who waits for whom. Asked from a pod of its own, as by `run`."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, CommandFailed, Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.progress import Sink
from nuages.release import redact, run
from nuages.release.session import Pipe

T = TypeVar("T")

TTL = 300
_SIZE = """
select json_build_object(
  'database', current_database(),
  'bytes', pg_database_size(current_database()),
  'count', (select count(*) from pg_stat_user_tables),
  'tables', (select coalesce(json_agg(t), '[]') from (
    select case when schemaname = 'public' then relname else schemaname || '.' || relname end as name,
           n_live_tup as rows, n_dead_tup as dead, pg_total_relation_size(relid) as bytes,
           pg_indexes_size(relid) as indexes
    from pg_stat_user_tables order by bytes desc, name limit 30) t),
  'others', (select coalesce(json_agg(o), '[]') from (
    select datname as name, pg_database_size(datname) as bytes from pg_database
    where not datistemplate and datname not in (current_database(), 'postgres')
      and has_database_privilege(datname, 'connect') order by datname) o))
"""
# https://www.postgresql.org/docs/current/functions-info.html: pg_blocking_pids; a session is told where it waits,
# where others wait for it, or where it keeps a transaction open and does nothing.
_LOCKS = """
with told as (
  select pid, usename as login, application_name as program, host(client_addr) as address, state,
         extract(epoch from clock_timestamp() - xact_start)::float as seconds, pg_blocking_pids(pid) as blocked_by,
         left(regexp_replace(query, '\\s+', ' ', 'g'), 300) as query,
         (select json_build_object('mode', mode, 'relation', relation::regclass::text)
          from pg_locks l where l.pid = a.pid and not granted limit 1) as wanted
  from pg_stat_activity a where datname = current_database() and pid <> pg_backend_pid())
select coalesce(json_agg(told order by seconds desc nulls last), '[]') from told
where cardinality(blocked_by) > 0 or pid in (select unnest(blocked_by) from told)
   or (state like 'idle in transaction%' and seconds > 60)
"""
_END = "select json_build_object('ended', pg_terminate_backend({pid})) from pg_stat_activity where pid = {pid}"

# By the project's own settings, where somebody else runs the database and no image of ours has its client.
_DJANGO = """\
import sys, django
django.setup()
from django.db import connection
if connection.vendor != "postgresql":
    sys.exit(f"failed: it is {connection.vendor}")
with connection.cursor() as cursor:
    cursor.execute(sys.argv[1].replace("%", "%%"))
    row = cursor.fetchone()
import json
print("" if row is None else row[0] if isinstance(row[0], str) else json.dumps(row[0]))
"""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table."""

    name: str
    rows: int
    """About so many, as the server's statistics have it."""
    dead: int
    """Rows that were changed or deleted, and are not cleared away yet."""
    bytes: int
    """With its indexes and what is stored beside it."""
    indexes: int
    """Bytes of these its indexes."""


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """Another database of the same server: what a restore kept."""

    name: str
    bytes: int


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages db size --json` prints; it only grows under one `schema`."""

    schema: int = 1
    app: str = ""
    environment: str = ""
    namespace: str = ""
    database: str
    bytes: int
    volume: str = ""
    """What its volume was declared with; empty where it is somebody else's."""
    count: int
    """How many tables there are."""
    tables: list[Table]
    """The largest."""
    others: list[Other]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A lock that is waited for."""

    mode: str
    relation: str | None = None
    """The table or index; None where it is a row's, or a transaction's."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session that waits, that others wait for, or that keeps a transaction open."""

    pid: int
    login: str | None = None
    program: str = ""
    address: str | None = None
    pod: str = ""
    """Whose address that is, as far as it is known."""
    state: str | None = None
    seconds: float | None = None
    """Since its transaction began."""
    blocked_by: list[int] = []
    wanted: Wanted | None = None
    query: str = ""
    """Its newest statement, cut short, without passwords."""


class Locks(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages db locks --json` prints; it only grows under one `schema`."""

    schema: int = 1
    app: str
    environment: str
    namespace: str
    sessions: list[Session]


async def size(app: App, cluster: Cluster, sink: Sink) -> Size:
    """How large the database is, and what in it."""
    found = await _asked(app, _SIZE, cluster, sink, Size, typed="size")
    volume = app.postgres.run.storage if app.postgres else ""
    return msgspec.structs.replace(
        found, app=app.name, environment=app.environment, namespace=app.namespace, volume=volume
    )


async def locks(app: App, cluster: Cluster, sink: Sink) -> Locks:
    """Who waits for whom, with the pods that they are."""
    sessions = await _asked(app, _LOCKS, cluster, sink, list[Session], typed="locks")
    try:
        pods = (await cluster.list("Pod", app.namespace)).items
    except ClusterError:
        pods = []
    told = named(sessions, pods)
    return Locks(app=app.name, environment=app.environment, namespace=app.namespace, sessions=told)


async def end(app: App, pid: int, cluster: Cluster, sink: Sink) -> bool:
    """End a session; what it has not committed is undone. False where it was gone."""
    return bool(await _asked(app, _END.format(pid=pid), cluster, sink, dict[str, bool], typed=f"locks --end {pid}"))


def named(sessions: list[Session], pods: list[Object]) -> list[Session]:
    """Each session with the pod whose address it has, and no password in its statement. Pure."""
    names = {pod.get("status", {}).get("podIP"): pod["metadata"]["name"] for pod in pods}
    return [
        msgspec.structs.replace(
            one, pod=names.get(one.address, "") if one.address else "", query=redact.text(one.query)
        )
        for one in sessions
    ]


def chains(sessions: list[Session]) -> list[tuple[int, Session]]:
    """Each session with how deep it stands: whoever waits is below whom it waits for. Pure."""
    known = {one.pid for one in sessions}
    told: list[tuple[int, Session]] = []

    def below(one: Session, depth: int) -> None:
        if one.pid in {session.pid for _, session in told}:
            return
        told.append((depth, one))
        for other in sessions:
            if one.pid in other.blocked_by:
                below(other, depth + 1)

    for one in sessions:
        if not known & set(one.blocked_by):
            below(one, 0)
    for one in sessions:  # a ring, which the server breaks up in a moment
        below(one, 0)
    return told


async def _asked(app: App, sql: str, cluster: Cluster, sink: Sink, form: type[T], *, typed: str) -> T:
    """The one value that a statement gives, as JSON; `typed` is the command of `nuages db` that asks.

    Raises:
        Refused: the app has no PostgreSQL, or no release is live.
        CommandFailed: the database does not answer.
    """
    command: tuple[str, ...]
    if app.postgres:
        command, kind = ("-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql.strip()), run.in_database
    elif "postgres" in app.external or app.cloudnativepg:
        command, kind = ("python", "-c", _DJANGO, sql.strip()), run.in_project
    else:
        said = f"{app.name} has no PostgreSQL in {app.environment}"
        finding = Finding("release.E435", Level.ERROR, said, Place(path="services.postgres"))
        raise Refused("nothing was asked", findings=[finding])
    heard = Pipe()
    wanted = run.of(app, command, ttl=TTL, typed=("nuages", "db", *typed.split()))
    ended = await run.run(app, wanted, cluster, heard, kind=kind, sink=sink)
    if ended.code:
        detail = redact.text(heard.errors)
        raise CommandFailed(f"the database did not answer: exit code {ended.code} {ended.note}".rstrip(), detail=detail)
    text = heard.output.strip() or b"{}"
    try:
        return msgspec.json.decode(text, type=form)
    except msgspec.DecodeError as error:
        raise CommandFailed(f"the database answered something else: {error}") from None
