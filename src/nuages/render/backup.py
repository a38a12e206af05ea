"""Backups of the database: a volume or bucket for them, a CronJob that makes them, and Jobs that work with them.

The pods run the database's own image, whose pg_dump and pg_restore are of the server's version.
"""

from __future__ import annotations

from collections.abc import Sequence

from nuages.app.components import App, Postgres
from nuages.app.objects import Object
from nuages.render import backup_scripts as scripts
from nuages.render.labels import BACKUP, labels, metadata
from nuages.render.pods import container_security, pod_basics, temporary, temporary_mount
from nuages.render.postgres import PASSWORD_KEY, PORT, UID, USER_KEY
from nuages.spec import model
from nuages.spec.units import canonical_memory

CONTAINER = "backup"
LONGEST_SECONDS = 6 * 3600
"""How long a backup, or a restore, may take."""
LATE_SECONDS = 3600
"""How long after its time a backup may still begin, where the cluster was away."""
KEPT_SECONDS = 24 * 3600
MEMORY, DRILL_MEMORY = "256Mi", "512Mi"


def backups(app: App) -> model.Backup | None:
    """What the spec says of backups; None where there are none."""
    return app.postgres.run.backup if app.postgres else None


def claim(app: App) -> str:
    """What the claim of their volume is called: `blog-backups`."""
    return f"{app.name}-backups"


def volume(app: App) -> list[Object]:
    """The claim of the volume that backups go to. One pod at a time has it."""
    wanted = backups(app)
    if app.postgres is None or wanted is None or wanted.to.volume is None:
        return []
    storage_class = app.postgres.run.storage_class
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata(app, claim(app), BACKUP, data=True),
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": canonical_memory(wanted.to.volume)}},
                **({"storageClassName": storage_class} if storage_class else {}),
            },
        }
    ]


def schedule(app: App) -> list[Object]:
    """The CronJob that makes a backup at its time.

    One that fails is tried once more and then stands as a failed Job, for whoever looks; those there are stay.
    """
    wanted = backups(app)
    if app.postgres is None or wanted is None:
        return []
    return [
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": metadata(app, f"{app.name}-backup", BACKUP),
            "spec": {
                "schedule": wanted.cron,
                "timeZone": "Etc/UTC",
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": LATE_SECONDS,
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 3,
                "suspend": False,
                "jobTemplate": {
                    "metadata": {"labels": labels(app, BACKUP)},
                    "spec": _job(app, app.postgres, labels(app, BACKUP), scripts.BACKUP, retries=1),
                },
            },
        }
    ]


def now(app: App, name: str) -> Object:
    """A Job that makes a backup at once."""
    return _named(app, name, scripts.BACKUP)


def listing(app: App, name: str) -> Object:
    """A Job that says which backups there are."""
    return _named(app, name, scripts.LIST)


def restore(app: App, name: str, backup: str, into: str) -> Object:
    """A Job that restores a backup into a database that is not there yet; "" is the newest one."""
    return _named(app, name, scripts.RESTORE, backup, into)


def switch(app: App, name: str, new: str, old: str) -> Object:
    """A Job that gives a database the app's name, and the one that has it another one."""
    return beside(app, name, scripts.SWITCH, new, old)


def drill(app: App, name: str, backup: str) -> Object:
    """A Job that restores a backup into a server of its own, which goes with its pod."""
    job = _named(app, name, scripts.DRILL, backup, memory=DRILL_MEMORY)
    pod = job["spec"]["template"]["spec"]
    # As much as the database itself may have, and its dump's indexes are made in.
    size = canonical_memory(_database(app).run.storage)
    pod["volumes"] = [*pod["volumes"], {"name": "scratch", "emptyDir": {"sizeLimit": size}}]
    container = pod["containers"][0]
    container["volumeMounts"] = [*container["volumeMounts"], {"name": "scratch", "mountPath": "/scratch"}]
    return job


def beside(app: App, name: str, script: str, *arguments: str) -> Object:
    """A Job with PostgreSQL's programs that has to do with no backup."""
    job = _named(app, name, script, *arguments)
    pod = job["spec"]["template"]["spec"]
    pod["volumes"] = [temporary()]
    pod["containers"][0]["volumeMounts"] = [temporary_mount()]
    return job


def _named(app: App, name: str, script: str, *arguments: str, memory: str = MEMORY) -> Object:
    """A Job that a person starts; it goes with its command, or a day after it."""
    about = metadata(app, name, BACKUP, name)
    spec = _job(app, _database(app), about["labels"], script, *arguments, memory=memory)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": about,
        "spec": spec | {"ttlSecondsAfterFinished": KEPT_SECONDS},
    }


def _job(
    app: App,
    database: Postgres,
    about: dict[str, str],
    script: str,
    *arguments: str,
    retries: int = 0,
    memory: str = MEMORY,
) -> Object:
    return {
        "backoffLimit": retries,
        "completions": 1,
        "parallelism": 1,
        "activeDeadlineSeconds": LONGEST_SECONDS,
        "template": {
            "metadata": {"labels": about},
            "spec": {
                **pod_basics(app, user=UID, account=app.name),
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 30,
                "containers": [container(app, database, script, arguments, memory)],
                "volumes": [_store(app), temporary()],
            },
        },
    }


def container(app: App, database: Postgres, script: str, arguments: Sequence[str], memory: str = MEMORY) -> Object:
    """One that runs a script with PostgreSQL's programs, which find the database by libpq's own variables."""

    def secret(variable: str, key: str) -> Object:
        return {"name": variable, "valueFrom": {"secretKeyRef": {"name": database.name, "key": key}}}

    wanted = backups(app)
    variables = {"PGHOST": database.name, "PGPORT": str(PORT), "PGDATABASE": app.name, "PGCONNECT_TIMEOUT": "10"}
    variables |= {"KEEP": str(wanted.keep)} if wanted else {}
    return {
        "name": CONTAINER,
        "image": f"docker.io/library/postgres:{database.run.version}",
        "imagePullPolicy": "IfNotPresent",
        "command": ["bash", "-c", script, "backup", *arguments],
        "env": [
            *({"name": name, "value": value} for name, value in variables.items()),
            secret("PGUSER", USER_KEY),
            secret("PGPASSWORD", PASSWORD_KEY),
        ],
        "resources": {"requests": {"cpu": "100m", "memory": memory}, "limits": {"memory": memory}},
        "securityContext": container_security(),
        "volumeMounts": [{"name": "backups", "mountPath": scripts.PLACE}, temporary_mount()],
    }


def _database(app: App) -> Postgres:
    if app.postgres is None:
        raise AssertionError("a check let an app without a PostgreSQL of its own pass")
    return app.postgres


def _store(app: App) -> Object:
    return {"name": "backups", "persistentVolumeClaim": {"claimName": claim(app)}}
