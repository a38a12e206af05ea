"""PgBouncer between the project's webs and workers and PostgreSQL: many sessions share few connections.

https://www.pgbouncer.org/features.html: in transaction mode a session has a connection only from BEGIN to COMMIT. What
outlives a transaction there does not work: cursors of the server (Django is told, by DISABLE_SERVER_SIDE_CURSORS),
session-wide locks and LISTEN. So whoever may need them goes straight to PostgreSQL: migrations, schedules, jobs, beat,
and what a person runs.

Nobody's password is in it but its own: it asks PostgreSQL what it keeps of each role's, and with the same proof by
which a client shows that it knows it, it logs in there (https://www.pgbouncer.org/config.html#auth_query). So the two
roles of a rotation are both good.
"""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.connections import POOLER_PORT
from nuages.app.objects import Object
from nuages.app.parts import PgBouncer, Postgres
from nuages.render.labels import PGBOUNCER, labels, metadata, selector
from nuages.render.pods import (
    cluster_ip,
    container_security,
    disruption_budget,
    from_secret,
    pod_basics,
    resources,
    spread,
    temporary,
    temporary_mount,
)
from nuages.render.postgres import PASSWORD_KEY, PORT, USER_KEY

IMAGE = "docker.io/edoburu/pgbouncer:v1.24.1-p1"
# The user `postgres` of that image.
UID = 70
# Since 1.23 SIGTERM lets nobody new in and waits for those who are connected; a web's threads give a connection back
# after a minute (nuages_runtime/overlay/database.py). Whoever is idle longer looks whether it is there still. A task
# has its connection until its end, and fails where that is cut: it gets as long as its worker.
GRACE_SECONDS = 90
# How long the way to it needs to be taken out of every node's rules before it lets nobody in.
_UNSEEN_SECONDS = 5
_USERS, _CONFIG = "/tmp/users", "/tmp/pgbouncer.ini"  # noqa: S108 - the container's own
# Its settings are arguments, one a line, so that a change of one is a change of the pod that a person can read.
_START = (
    f'umask 077 && printf \'"%s" "%s"\\n\' "$PGUSER" "$PGPASSWORD" > {_USERS} && printf "auth_user = %s\\n" "$PGUSER" '
    f"> {_CONFIG}.user && {{ printf '%s\\n' \"$@\"; cat {_CONFIG}.user; }} > {_CONFIG} && exec pgbouncer {_CONFIG}"
)


def pgbouncer(app: App) -> list[Object]:
    """All objects of the app's PgBouncer, in order; none where it has none."""
    if app.pgbouncer is None or app.postgres is None:
        return []
    service = app.pgbouncer
    return [
        # By the port that a project believes in that reads a host alone.
        cluster_ip(metadata(app, service.name, PGBOUNCER), selector(app, PGBOUNCER), "postgres", PORT),
        _deployment(app, service, app.postgres),
        disruption_budget(metadata(app, service.name, PGBOUNCER), selector(app, PGBOUNCER)),
    ]


def settings(service: PgBouncer, postgres: Postgres) -> list[str]:
    """Its configuration, line by line; by whom it asks comes after them, from the Secret."""
    return [
        "[databases]",
        f"* = host={postgres.name} port={PORT}",
        "[pgbouncer]",
        "listen_addr = *",
        f"listen_port = {POOLER_PORT}",
        "unix_socket_dir =",
        "auth_type = scram-sha-256",
        f"auth_file = {_USERS}",
        "auth_query = SELECT rolname, rolpassword FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin",
        "pool_mode = transaction",
        f"default_pool_size = {service.each}",
        f"max_db_connections = {service.each}",
        f"max_client_conn = {service.clients}",
        # psycopg names statements that it sends often; here each connection is told them (since 1.21).
        "max_prepared_statements = 200",
        "ignore_startup_parameters = extra_float_digits",
        # Somebody who waits longer is better told so: a request is over by then.
        "query_wait_timeout = 30",
        # Where PostgreSQL starts anew, or two databases change their names, it is there again at once: 15 seconds of
        # turning everybody away, as it is by itself, would be the longer part.
        "server_login_retry = 1",
        "server_idle_timeout = 300",
        "server_reset_query_always = 0",
        "log_connections = 0",
        "log_disconnections = 0",
    ]


def _deployment(app: App, service: PgBouncer, postgres: Postgres) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(app, service.name, PGBOUNCER),
        "spec": {
            "replicas": service.replicas,
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 600,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": selector(app, PGBOUNCER)},
            "template": {"metadata": {"labels": labels(app, PGBOUNCER)}, "spec": _pod(app, service, postgres)},
        },
    }


def _pod(app: App, service: PgBouncer, postgres: Postgres) -> Object:
    opened = {"tcpSocket": {"port": "postgres"}}

    return {
        **pod_basics(app, user=UID, account=app.name),
        "terminationGracePeriodSeconds": _grace(app),
        "topologySpreadConstraints": spread(selector(app, PGBOUNCER)),
        "containers": [
            {
                "name": "pgbouncer",
                "image": IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "command": ["sh", "-c", _START, "pgbouncer"],
                "args": settings(service, postgres),
                "env": [
                    from_secret("PGUSER", postgres.name, USER_KEY),
                    from_secret("PGPASSWORD", postgres.name, PASSWORD_KEY),
                ],
                "ports": [{"name": "postgres", "containerPort": POOLER_PORT, "protocol": "TCP"}],
                "startupProbe": {**opened, "periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 60},
                "readinessProbe": {**opened, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 2},
                "livenessProbe": {**opened, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
                "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(_UNSEEN_SECONDS)]}}},
                "resources": resources(service.run.resources),
                "securityContext": container_security(),
                "volumeMounts": [temporary_mount()],
            }
        ],
        "volumes": [temporary()],
    }


def _grace(app: App) -> int:
    return max([GRACE_SECONDS, *(_UNSEEN_SECONDS + worker.timing.grace for worker in app.workers.values())])
