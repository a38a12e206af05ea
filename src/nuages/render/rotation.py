"""Jobs that change who logs in to PostgreSQL.

A role has one password. So that no process is locked out while pods are replaced, there are two roles that take turns:
`app`, who owns all that is in the database, and `app_b`, who is `app` from its first statement on.
https://www.postgresql.org/docs/current/sql-alterrole.html
"""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.backup import beside
from nuages.render.pods import from_secret
from nuages.render.postgres import USER

OTHER = f"{USER}_b"

NEXT_USER, NEXT_PASSWORD, NEXT_VERIFIER = "next-user", "next-password", "next-verifier"
OLD_USER = "old-user"
"""Keys of the database's Secret that are there only while its password is being rotated: by them it goes on."""

# The new password itself never reaches the server: what is written is what it would keep of it.
_PREPARE = r"""set -euo pipefail
psql -XqAt -v ON_ERROR_STOP=1 -v owner="$1" > /dev/null <<'SQL'
\getenv next NEXT_USER
\getenv verifier NEXT_VERIFIER
SELECT format('CREATE ROLE %I', :'next') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'next') \gexec
SELECT format('GRANT %I TO %I', :'owner', :'next') WHERE :'next' <> :'owner' \gexec
SELECT format('ALTER ROLE %I SET role = %L', :'next', :'owner') WHERE :'next' <> :'owner' \gexec
ALTER ROLE :"next" LOGIN PASSWORD :'verifier';
SQL
now=$(PGUSER=$NEXT_USER PGPASSWORD=$NEXT_PASSWORD psql -XqAt -c 'SELECT current_user')
[[ $now = "$1" ]] || { echo "failed: who logs in by the new password is $now, not $1" >&2; exit 1; }
"""

_RETIRE = r"""set -euo pipefail
psql -XqAt -v ON_ERROR_STOP=1 -v old="$1" <<< 'ALTER ROLE :"old" PASSWORD NULL'
"""


def prepare(app: App, name: str) -> Object:
    """A Job that gives the other role the new password, and logs in by it."""
    job = beside(app, name, _PREPARE, USER)
    container = job["spec"]["template"]["spec"]["containers"][0]
    owner = app.postgres.name if app.postgres else ""
    told = {"NEXT_USER": NEXT_USER, "NEXT_PASSWORD": NEXT_PASSWORD, "NEXT_VERIFIER": NEXT_VERIFIER}
    kept = [from_secret(variable, owner, key) for variable, key in told.items()]
    container["env"] = [*container["env"], *kept]
    return job


def retire(app: App, name: str, old: str) -> Object:
    """A Job that takes the old role's password away: nobody logs in by it any more."""
    return beside(app, name, _RETIRE, old)
