"""What backup pods run: bash and PostgreSQL's own programs, which its official image has.

A backup is a folder named after its time, in UTC: `dump` (pg_dump's custom format), `roles.sql` (without passwords),
`tables.json` (how many rows each table has in the very snapshot that was dumped), `sums` (SHA-256 of them) and
`about.json`, its marker of success. It is made under another name and renamed at its end, so a folder of such a name is
whole. https://www.postgresql.org/docs/current/app-pgdump.html

No two dollar signs may stand side by side here: the kubelet makes one of them in a command.
"""

from __future__ import annotations

PLACE = "/backups"

# Rows of each table, counted; those that an extension fills, and other sessions' temporary ones, are not in a dump.
COUNTS = r"""
COUNTS="SELECT coalesce(json_object_agg(name, number ORDER BY name COLLATE \"C\"), '{}') FROM (
  SELECT format('%I.%I', nspname, relname) AS name, (xpath('/row/n/text()', query_to_xml(
    format('SELECT count(*) AS n FROM ONLY %I.%I', nspname, relname), false, true, '')))[1]::text::bigint AS number
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
  WHERE relkind = 'r' AND nspname <> 'information_schema' AND nspname !~ '^pg_'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
) AS tables"
"""

_COMMON = "".join(
    (
        r"""set -Eeuo pipefail
fail() { echo "failed: $*" >&2; exit 1; }
sql() { psql -XqAt -v ON_ERROR_STOP=1 "$@"; }
""",
        COUNTS,
    )
)

# Which backup is meant, and that it is what it was when it was made.
_CHOSEN = r"""
cd /backups
complete() { find . -mindepth 2 -maxdepth 2 -name about.json -path './2*' -printf '%h\n' | cut -c3- | sort; }
id=${1:-$(complete | tail -1)}
[[ -n $id ]] || fail "there is no backup yet"
[[ -f $id/about.json ]] || fail "there is no backup $id; there are: $(complete | tail -5 | tr '\n' ' ')"
(cd "$id" && sha256sum --check --quiet --strict sums) || fail "backup $id is not what it was when it was made"
"""

# Into an empty database of this name: roles first (those that own something, or were given rights), then all else.
_FILL = r"""
fill() {
    grep '^CREATE ROLE ' "$id/roles.sql" | psql -Xq -d postgres > /dev/null 2>&1 || true
    pg_restore --exit-on-error --no-password --jobs=2 --dbname="$1" "$id/dump" || fail "backup $id can't be restored"
    sql -d "$1" -c "$COUNTS" > /tmp/tables.json
    cmp -s /tmp/tables.json "$id/tables.json" || {
        diff <(tr ',' '\n' < "$id/tables.json") <(tr ',' '\n' < /tmp/tables.json) >&2 || true
        fail "what was restored is not what was counted when backup $id was made (< then, > now)"
    }
}
"""

BACKUP = "".join(
    (
        _COMMON,
        r"""
cd /backups
exec 9> .lock
flock --wait 3600 9 || fail "another backup is under way for an hour"
rm -rf .making-*
id=$(date -u +%Y%m%d-%H%M%S) began=$EPOCHREALTIME
new=.making-$id
mkdir "$new"
trap 'rm -rf "/backups/$new"' EXIT
# Dump and counts are of one snapshot, which lives as long as the session that made it.
coproc SESSION { sql; }
say() { echo "$*" >&"${SESSION[1]}"; }
say "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_export_snapshot();"
read -r snapshot <&"${SESSION[0]}" || fail "the database can't be reached"
pg_dump --no-password --snapshot="$snapshot" --lock-wait-timeout=5min --format=custom --file="$new/dump"
pg_dumpall --no-password --roles-only --no-role-passwords --file="$new/roles.sql"
say "$COUNTS;"
read -r tables <&"${SESSION[0]}" || fail "the tables can't be counted"
echo "$tables" > "$new/tables.json"
q="'"
say "SELECT json_build_object('database', current_database(),
    'server', split_part(current_setting('server_version'), ' ', 1),
    'holds', pg_database_size(current_database()), 'tables', (SELECT count(*) FROM json_each('${tables//$q/$q$q}')),
    'rows', (SELECT coalesce(sum(value::bigint), 0) FROM json_each_text('${tables//$q/$q$q}')));"
read -r facts <&"${SESSION[0]}" || fail "the tables can't be counted"
say "COMMIT;"
# All of it is read back and unpacked once: what can't be read now could not be restored later.
pg_restore --file=/dev/null "$new/dump"
(cd "$new" && sha256sum dump roles.sql tables.json > sums)
seconds=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
printf '{"schema": 1, "id": "%s", "made": "%s", "seconds": %s, "bytes": %s, %s\n' "$id" \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$seconds" "$(stat -c %s "$new/dump")" "${facts#?}" > "$new/about.json"
sync "$new"/* "$new"
mv "$new" "$id"
sync .
# Only now, and only beyond those that are whole.
find . -mindepth 2 -maxdepth 2 -name about.json -path './2*' -printf '%h\n' | sort | head -n "-$KEEP" | xargs -r rm -rf
cat "$id/about.json"
""",
    )
)

LIST = r"""set -euo pipefail
cd /backups
find . -mindepth 2 -maxdepth 2 -name about.json -path './2*' | sort | xargs -r cat
"""

RESTORE = "".join(
    (
        _COMMON,
        _CHOSEN,
        _FILL,
        r"""
into=$2 live=$PGDATABASE began=$EPOCHREALTIME
export PGDATABASE=postgres
[[ $(sql -v into="$into" <<< "SELECT count(*) FROM pg_database WHERE datname = :'into'") = 0 ]] \
    || fail "there is a database $into already"
sql -v into="$into" <<< 'CREATE DATABASE :"into" TEMPLATE template0'
trap 'status=$?; ((status)) && sql -v into="$into" <<< "DROP DATABASE :\"into\" WITH (FORCE)"; exit $status' EXIT
fill "$into"
vacuumdb --no-password --quiet --analyze-only --dbname="$into"
applied() {
    sql -d "$1" -c "SELECT to_regclass('django_migrations') IS NOT NULL" | grep -q t || return 0
    sql -d "$1" -c "SELECT app || '.' || name FROM django_migrations" | sort -u
}
missing=$(comm -13 <(applied "$into") <(applied "$live") | head -20 | tr '\n' ' ')
seconds=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
echo "{\"into\": \"$into\", \"seconds\": $seconds, \"missing\": \"$missing\", \"backup\": $(cat "$id/about.json")}"
""",
    )
)

# Renaming needs that nobody is connected. It locks the name, so nobody new gets in, and who is in is shown out from
# beside; both names change in one transaction: whatever is killed here, one of the two databases is open by that name.
# https://www.postgresql.org/docs/current/sql-alterdatabase.html
SWITCH = "".join(
    (
        _COMMON,
        r"""
new=$1 old=$2 live=$PGDATABASE
export PGDATABASE=postgres
names=(-v new="$new" -v old="$old" -v live="$live")
exists() { [[ $(sql -v name="$1" <<< "SELECT count(*) FROM pg_database WHERE datname = :'name'") = 1 ]]; }
exists "$new" || fail "there is no database $new; there are: $(sql -c "SELECT string_agg(datname, ' ' ORDER BY datname)
    FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'")"
exists "$old" && fail "there is a database $old already"
# One that was closed for a switch, by an nuages before this one, and stayed so.
sql "${names[@]}" <<'SQL' | sql
SELECT format('ALTER DATABASE %I ALLOW_CONNECTIONS true;', datname)
FROM pg_database WHERE datname IN (:'live', :'new') AND NOT datallowconn;
SQL
# What a database is told by itself, and who may connect to it, is no part of a dump: as it is in the one that serves.
sql "${names[@]}" <<'SQL' | sql
SELECT format('ALTER DATABASE %I SET %I TO %s;', :'new', split_part(one, '=', 1),
    CASE WHEN split_part(one, '=', 1) IN ('search_path', 'session_preload_libraries', 'temp_tablespaces')
    THEN substr(one, strpos(one, '=') + 1) ELSE quote_literal(substr(one, strpos(one, '=') + 1)) END)
FROM pg_db_role_setting, unnest(setconfig) AS one
WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = :'live')
UNION ALL
SELECT format('GRANT %s ON DATABASE %I TO %s;', privilege_type, :'new',
    CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
FROM pg_database, aclexplode(datacl) WHERE datname = :'live';
SQL
# By its oid, asked before: by the time that this runs, another one may have the name.
oid=$(sql "${names[@]}" <<< "SELECT oid FROM pg_database WHERE datname = :'live'")
# psql itself and no function: what is killed then is no shell, whose psql would go on.
psql -XqAt -v ON_ERROR_STOP=1 "${names[@]}" -v oid="$oid" > /dev/null <<'SQL' &
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = :'new';
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datid = :oid \watch 0.05
SQL
beside=$!
trap 'kill "$beside" 2> /dev/null || true' EXIT
began=$EPOCHREALTIME
sql "${names[@]}" <<'SQL'
BEGIN;
ALTER DATABASE :"live" RENAME TO :"old";
ALTER DATABASE :"new" RENAME TO :"live";
COMMIT;
SQL
seconds=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }')
sql -d "$live" -c 'SELECT FROM pg_class LIMIT 1' > /dev/null
echo "{\"old\": \"$old\", \"seconds\": $seconds}"
""",
    )
)

# Databases beside the one that serves, each by its name: none goes where one is not there, or somebody is connected to
# it. The server asks that again, for nobody is shown out.
DROP = "".join(
    (
        _COMMON,
        r"""
export PGDATABASE=postgres
freed=0
for name in "$@"; do
    size=$(sql -v name="$name" <<< "SELECT pg_database_size(oid) FROM pg_database
        WHERE datname = :'name' AND NOT datistemplate")
    [[ -n $size ]] || fail "there is no database $name; there are: $(sql -c "SELECT string_agg(datname, ' '
        ORDER BY datname) FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'")"
    # Autovacuum, which looks at what was just restored, is nobody: DROP DATABASE ends it.
    [[ $(sql -v name="$name" <<< "SELECT count(*) FROM pg_stat_activity
        WHERE datname = :'name' AND backend_type <> 'autovacuum worker'") = 0 ]] \
        || fail "somebody is connected to $name"
    freed=$((freed + size))
done
for name in "$@"; do sql -v name="$name" <<< 'DROP DATABASE :"name"'; done
echo "{\"bytes\": $freed}"
""",
    )
)

# A server of its own, on an empty folder, that nobody but this script reaches: the database that serves is not asked.
DRILL = "".join(
    (
        _COMMON,
        _CHOSEN,
        _FILL,
        r"""
unset PGPASSWORD
export PGHOST=/scratch PGDATABASE=postgres
initdb --pgdata=/scratch/data --username="$PGUSER" --auth=trust --no-sync > /dev/null
pg_ctl --pgdata=/scratch/data --wait --silent --log=/scratch/log \
    -o "-c listen_addresses='' -c unix_socket_directories=/scratch -c fsync=off -c shared_buffers=64MB" start \
    || { cat /scratch/log >&2; fail "the scratch server does not start"; }
began=$EPOCHREALTIME
createdb --template=template0 drill
fill drill
seconds=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
size=$(sql -d drill -c 'SELECT pg_database_size(current_database())')
pg_ctl --pgdata=/scratch/data --mode=immediate --silent stop
echo "{\"seconds\": $seconds, \"holds\": $size, \"backup\": $(cat "$id/about.json")}"
""",
    )
)
