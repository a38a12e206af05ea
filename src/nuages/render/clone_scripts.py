"""What the pod of a copy runs: bash and PostgreSQL's own programs. libpq's variables lead to the database that gets it,
those that begin with FROM_ to the one it comes from.

No two dollar signs may stand side by side here: the kubelet makes one of them in a command.
"""

from __future__ import annotations

from nuages.render.backup_scripts import COUNTS
from nuages.render.postgres import USER

HERE = "127.0.0.1"

_FROM_DUMP = "pg_restore --no-owner --no-acl --exit-on-error --single-transaction"

# A server that has just been reached by a new wall, or whose name is new, may need a moment.
_READY = "until pg_isready -q -t 5; do sleep 1; done"
TAKE = f"set -euo pipefail; {_READY}; pg_dump -Fc | {_FROM_DUMP} -h {HERE} -U {USER} -d $PGDATABASE"
HAND_ON = (
    f"set -euo pipefail; {_READY}; "
    "PGHOST=$FROM_HOST PGUSER=$FROM_USER PGPASSWORD=${FROM_PASSWORD:-} PGDATABASE=$FROM_DATABASE pg_dump -Fc "
    f"| {_FROM_DUMP} -d $PGDATABASE; psql -q -c ANALYZE"
)

# What attempts have left that did not come to their end: databases that nobody was switched to.
_DROP = r"""
sql -d postgres -v like="$BEFORE" <<'SQL' > /dev/null
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE starts_with(datname, :'like') \gexec
SQL
"""

_COMMON = r"""set -Eeuo pipefail
fail() { echo "failed: $*" >&2; exit 1; }
sql() { psql -XqAt -v ON_ERROR_STOP=1 "$@"; }
"""

DROP = f"{_COMMON}BEFORE=$1\n{_DROP}"

# Beside the database that serves, which is only asked which migrations it has: into a new one, whose name no attempt
# before had: a pod of one may still be on its way out.
BESIDE = "".join(
    (
        _COMMON,
        r"""
from() { PGHOST=$FROM_HOST PGUSER=$FROM_USER PGPASSWORD=${FROM_PASSWORD:-} PGDATABASE=$FROM_DATABASE "$@"; }
applied() {
    [[ $("$@" -c "SELECT to_regclass('django_migrations') IS NOT NULL") = t ]] || return 0
    "$@" -c "SELECT app || '.' || name FROM django_migrations" | sort -u
}
""",
        _READY,
        COUNTS,
        r"""
applied from sql > /tmp/theirs
applied sql > /tmp/ours
missing=$(comm -13 /tmp/theirs /tmp/ours | sed -n 1,20p | tr '\n' ' ')
ahead=$(comm -23 /tmp/theirs /tmp/ours | sed -n 1,20p | tr '\n' ' ')
export PGDATABASE=postgres
told() {
    sql -v missing="$missing" -v ahead="$ahead" -v tables="${1:-{\}}" -v into="$INTO" <<'SQL'
SELECT json_build_object('missing', trim(:'missing'), 'ahead', trim(:'ahead'),
    'bytes', (SELECT pg_database_size(oid) FROM pg_database WHERE datname = :'into'),
    'tables', count(*), 'rows', coalesce(sum(value::bigint), 0)) FROM json_each_text(:'tables');
SQL
}
if [[ -z $ANYWAY && -n $missing$ahead ]]; then told; exit; fi
""",
        _DROP,
        r"""
needs=$(from sql -c 'SELECT pg_database_size(current_database())')
used=$(sql -c 'SELECT sum(pg_database_size(oid)) FROM pg_database')
((used + needs <= ROOM)) \
    || fail "no room for $((needs >> 20)) MiB beside $((used >> 20)) MiB, on a volume of $((ROOM >> 20)) MiB;" \
        "nuages db size tells what is kept there, and nuages db drop drops it"
sql -v into="$INTO" <<< 'CREATE DATABASE :"into" TEMPLATE template0'
trap 'status=$?; ((status)) && sql -v into="$INTO" <<< "DROP DATABASE :\"into\" WITH (FORCE)"; exit $status' EXIT
""",
        f"from pg_dump --no-password -Fc | {_FROM_DUMP} --dbname=$INTO || fail 'it could not be copied'",
        r"""
vacuumdb --no-password --quiet --analyze-only --dbname="$INTO"
told "$(sql -d "$INTO" -c "$COUNTS")"
""",
    )
)
