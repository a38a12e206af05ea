"""PostgreSQL's next major version: a pod that fills a volume of its own from the server that stands, and what is done
to that one meanwhile.

A server reads no files of another major version (https://www.postgresql.org/docs/current/upgrading.html), and the
images have the programs of one only, so that all goes through a dump: from the old server straight into a new one,
which nobody but this pod reaches. Nothing may be written meanwhile, or it would be missed. What is read goes on: the
old server is told that transactions are read-only (https://www.postgresql.org/docs/current/runtime-config-client.html),
by a setting that outlives its restart, and those that began before are waited for.

The new server has that setting too, until it is known to answer: up to then nobody has written to either of the two.
"""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render import backup
from nuages.render.backup_scripts import COUNTS
from nuages.render.labels import DATA, POSTGRES, labels
from nuages.render.postgres import PGDATA, USER, VOLUME

FILLED = "nuages.dev/filled"
"""On the claim of a volume that a new major version is filled into: whether all of it is there."""

BEFORE = "nuages.dev/before"
"""On that claim, from when it is full until the new server may be written to: the set of the old one, as JSON. As long
as it is there, there is a way back.
"""

CLOSED = "nuages.dev/closed"
"""On the claim of the server that is let be written to, until it is: nothing leads back any more, and it may be
read-only still.
"""

CLAIM = "data"
"""What the first volume's claim is called, before the name of its set."""

MEMORY = "512Mi"

# Seconds that transactions have to end by themselves.
_PATIENCE = 30

_OLD = r"""set -Eeuo pipefail
fail() { echo "failed: $*" >&2; exit 1; }
old() { psql -XqAt -v ON_ERROR_STOP=1 -d postgres "$@"; }
open() {
    old -c 'ALTER SYSTEM RESET default_transaction_read_only'
    old -c 'SELECT pg_reload_conf()' > /dev/null
}
"""

REOPEN = _OLD + "open\n"

_FILL = "".join(
    (
        _OLD,
        COUNTS,
        r"""
new() { env -u PGPASSWORD PGHOST=/var/run/postgresql PGUSER="$OWNER" "$@"; }
took() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }
began=$EPOCHREALTIME
initdb --username="$OWNER" --auth-host=scram-sha-256 --data-checksums --no-sync > /dev/null
printf '\nhost all all all scram-sha-256\n' >> "$PGDATA/pg_hba.conf"
pg_ctl --wait --silent --log=/tmp/log -o "-c listen_addresses='' -c fsync=off -c full_page_writes=off \
    -c shared_buffers=64MB -c maintenance_work_mem=64MB -c max_parallel_maintenance_workers=0" start \
    || { cat /tmp/log >&2; fail "the new server does not start"; }
[[ $(old -c 'SELECT count(*) FROM pg_prepared_xacts') = 0 ]] || fail "transactions are prepared, and would be lost"
told=$(old -c "SELECT count(*) FROM pg_db_role_setting, unnest(setconfig) AS one
    WHERE one ~* '^default_transaction_read_only=(of|f|n|0)'")
[[ $told = 0 ]] || fail "a role or a database is told that default_transaction_read_only is off, and would write"

reopened() { status=$?; if ((status)); then open; fi; exit "$status"; }
trap reopened EXIT
trap 'exit 143' TERM
closed=$EPOCHREALTIME
old -c 'ALTER SYSTEM SET default_transaction_read_only = on'
old -c 'SELECT pg_reload_conf()' > /dev/null
closed() { [[ $(old -c 'SHOW default_transaction_read_only') = on ]]; }
for ((left = PATIENCE; left; left--)); do closed && break; sleep 1; done
((left)) || fail "the server does not become read-only"
# A new session has it, so the others were told just now; each reads it before its next statement.
since=$(old -c 'SELECT pg_sleep(1)' -c 'SELECT clock_timestamp()' | tail -1)
writing() {
    old -v since="$since" <<'SQL'
SELECT count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND xact_start < :'since' AND pid <> pg_backend_pid();
SQL
}
for ((left = PATIENCE; left; left--)); do [[ $(writing) = 0 ]] && break; sleep 1; done
old -v since="$since" <<'SQL' > /dev/null
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND xact_start < :'since' AND pid <> pg_backend_pid();
SQL

# Who may log in, and by which password; the owner is there already.
pg_dumpall --no-password --globals-only | grep -vx "CREATE ROLE $OWNER;" \
    | new psql -Xq -v ON_ERROR_STOP=1 -d postgres > /dev/null
names=$(old -c "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1")
shut=$(old -c "SELECT string_agg(datname, ', ') FROM pg_database WHERE NOT datallowconn AND NOT datistemplate")
[[ -z $shut ]] || fail "nobody may connect to $shut, so it can't be copied: DROP DATABASE, or ALLOW_CONNECTIONS true"
rows=0 databases=0
while IFS= read -r name <&3; do
    create=--create; [[ $name = postgres ]] && create=
    PGDATABASE=$name pg_dump --no-password --format=custom \
        | new pg_restore --no-password --exit-on-error $create --dbname=postgres || fail "$name can't be copied"
    PGDATABASE=$name psql -XqAt -v ON_ERROR_STOP=1 -c "$COUNTS" > /tmp/before
    PGDATABASE=$name new psql -XqAt -v ON_ERROR_STOP=1 -c "$COUNTS" > /tmp/after
    cmp -s /tmp/before /tmp/after || {
        diff <(tr ',' '\n' < /tmp/before) <(tr ',' '\n' < /tmp/after) >&2 || true
        fail "the copy of $name does not have the rows that it has (< it, > the copy)"
    }
    counted=$(new psql -XqAt -d postgres -v tables="$(< /tmp/before)" <<'SQL'
SELECT coalesce(sum(value::bigint), 0) FROM json_each_text(:'tables');
SQL
)
    rows=$((rows + counted)) databases=$((databases + 1))
done 3<<< "$names"
new vacuumdb --no-password --quiet --all --analyze-only
server=$(new psql -XqAt -d postgres -c "SELECT split_part(current_setting('server_version'), ' ', 1)")
bytes=$(new psql -XqAt -d postgres -c 'SELECT sum(pg_database_size(oid)) FROM pg_database')
new psql -XqAt -v ON_ERROR_STOP=1 -d postgres -c 'ALTER SYSTEM SET default_transaction_read_only = on'
pg_ctl --mode=fast --wait --silent stop
initdb --sync-only > /dev/null
printf '{"seconds": %s, "closed": %s, "server": "%s", "databases": %d, "rows": %d, "bytes": %d}\n' \
    "$(took "$began")" "$(took "$closed")" "$server" "$databases" "$rows" "$bytes"
""",
    )
)


def claim(app: App, name: str, wanted: Object) -> Object:
    """The claim of the new volume, as the set `wanted` would make it; not to be used before it says that it is full."""
    (made,) = wanted["spec"]["volumeClaimTemplates"]
    about = {"name": name, "namespace": app.namespace, "labels": labels(app, POSTGRES)}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": about | {"annotations": {DATA: "true", FILLED: "false"}},
        "spec": made["spec"],
    }


def fill(app: App, name: str, claimed: str) -> Object:
    """A Job that fills the volume of a claim; the server that stands is read-only from then on, unless it fails."""
    job = backup.beside(app, name, _FILL, USER)
    pod = job["spec"]["template"]["spec"]
    pod["volumes"] += [
        {"name": "data", "persistentVolumeClaim": {"claimName": claimed}},
        {"name": "run", "emptyDir": {"sizeLimit": "16Mi"}},
    ]
    (container,) = pod["containers"]
    told = {"PGDATA": PGDATA, "OWNER": USER, "PATIENCE": str(_PATIENCE)}
    container["env"] += [{"name": variable, "value": value} for variable, value in told.items()]
    container["volumeMounts"] += [
        {"name": "data", "mountPath": VOLUME},
        {"name": "run", "mountPath": "/var/run/postgresql"},
    ]
    container["resources"] = {"requests": {"cpu": "100m", "memory": MEMORY}, "limits": {"memory": MEMORY}}
    return job


def reopen(app: App, name: str) -> Object:
    """A Job that lets the server that stands be written to again."""
    return backup.beside(app, name, REOPEN)


def housed(wanted: Object, name: str) -> Object:
    """A set whose volume has a claim of another name than the first one's."""
    (made,) = wanted["spec"]["volumeClaimTemplates"]
    was = made["metadata"]["name"]
    spec, pod = wanted["spec"], wanted["spec"]["template"]["spec"]
    containers = [
        {
            **each,
            "volumeMounts": [
                {**mount, "name": name} if mount["name"] == was else mount for mount in each.get("volumeMounts", [])
            ],
        }
        for each in pod["containers"]
    ]
    template = {**spec["template"], "spec": {**pod, "containers": containers}}
    claims = [{**made, "metadata": {**made["metadata"], "name": name}}]
    return {**wanted, "spec": {**spec, "template": template, "volumeClaimTemplates": claims}}


def moved(major: str) -> str:
    """What the claim of the volume is called that a major version was filled into."""
    return f"{CLAIM}-{major}"
