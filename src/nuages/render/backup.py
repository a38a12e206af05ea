"""Backups of the database: a volume or bucket for them, a CronJob that makes them, and Jobs that work with them.

The pods run the database's own image, whose pg_dump and pg_restore are of the server's version.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from nuages.app.components import App, Postgres
from nuages.app.objects import Object
from nuages.render import backup_scripts as scripts
from nuages.render.bucket import job_variables
from nuages.render.extras import dressed
from nuages.render.labels import BACKUP, labels, metadata
from nuages.render.pods import container_security, from_secret, pod_basics, temporary, temporary_mount
from nuages.render.postgres import PASSWORD_KEY, PORT, UID, USER_KEY
from nuages.spec import model
from nuages.spec.units import canonical_memory

CONTAINER, COURIER = "backup", "bucket"
LONGEST_SECONDS = 6 * 3600
"""How long a backup, or a restore, may take."""
LATE_SECONDS = 3600
"""How long after its time a backup may still begin, where the cluster was away."""
KEPT_SECONDS = 24 * 3600
MEMORY, DRILL_MEMORY = "256Mi", "512Mi"
_MAJOR = re.compile(r":(\d+)")


class Pod(NamedTuple):
    """What a backup pod runs, and has beside the backups."""

    containers: Sequence[Object]
    first: Sequence[Object] = ()
    """What runs before."""
    volumes: Sequence[Object] = ()


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


def schedule(app: App, image: str) -> list[Object]:
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
                    "spec": _job(app, app.postgres, labels(app, BACKUP), making(app, image), retries=1),
                },
            },
        }
    ]


def following(schedule: Object, server: str) -> Object:
    """A schedule whose programs are of the server's version, where theirs is older: pg_dump refuses a newer server.

    https://www.postgresql.org/docs/current/app-pgdump.html#PG-DUMP-NOTES
    """
    job = schedule["spec"]["jobTemplate"]
    pod = job["spec"]["template"]["spec"]
    lists = {key: pod[key] for key in ("initContainers", "containers") if key in pod}
    newer = {key: [_at_least(each, server) for each in found] for key, found in lists.items()}
    if newer == lists:
        return schedule
    template = {**job["spec"]["template"], "spec": {**pod, **newer}}
    return {
        **schedule,
        "spec": {**schedule["spec"], "jobTemplate": {**job, "spec": {**job["spec"], "template": template}}},
    }


def _at_least(container: Object, server: str) -> Object:
    has, stands = (_MAJOR.search(one.rpartition("/")[2]) for one in (container["image"], server))
    older = container["name"] == CONTAINER and has and stands and int(has[1]) < int(stands[1])
    return {**container, "image": server} if older else container


def making(app: App, image: str) -> Pod:
    """What makes a backup: into the volume, or into the pod's own folder and from there into the bucket."""
    made = Pod([_container(app, scripts.BACKUP)])
    return Pod([_courier(app, image, "keep")], made.containers) if bucket(app) else made


def now(app: App, name: str, image: str) -> Object:
    """A Job that makes a backup at once; `image` is the project's, where a bucket is reached from."""
    return _named(app, name, making(app, image))


def listing(app: App, name: str, image: str) -> Object:
    """A Job that says which backups there are."""
    return _named(app, name, Pod([_courier(app, image, "list") if bucket(app) else _container(app, scripts.LIST)]))


def restore(app: App, name: str, image: str, backup: str, into: str) -> Object:
    """A Job that restores a backup into a database that is not there yet; "" is the newest one."""
    return _named(app, name, _fetched(app, image, scripts.RESTORE, backup, into))


def switch(app: App, name: str, new: str, old: str) -> Object:
    """A Job that gives a database the app's name, and the one that has it another one."""
    return beside(app, name, scripts.SWITCH, new, old)


def drill(app: App, name: str, image: str, backup: str) -> Object:
    """A Job that restores a backup into a server of its own, which goes with its pod."""
    made = _fetched(app, image, scripts.DRILL, backup, memory=DRILL_MEMORY)
    (container,) = made.containers
    container["volumeMounts"] = [*container["volumeMounts"], {"name": "scratch", "mountPath": "/scratch"}]
    return _named(app, name, Pod(made.containers, made.first, [{"name": "scratch", **_as_large(app)}]))


def beside(app: App, name: str, script: str, *arguments: str) -> Object:
    """A Job with PostgreSQL's programs that has to do with no backup."""
    container = _container(app, script, *arguments)
    container["volumeMounts"] = [temporary_mount()]
    job = _named(app, name, Pod([container]))
    job["spec"]["template"]["spec"]["volumes"] = [temporary()]
    return job


def bucket(app: App) -> model.Bucket | None:
    """The bucket that backups go to."""
    wanted = backups(app)
    return wanted.to.bucket if wanted else None


def _fetched(app: App, image: str, script: str, backup: str, *arguments: str, memory: str = MEMORY) -> Pod:
    """A script that works with a backup, which is brought from the bucket first where it is in one."""
    if bucket(app) is None:
        return Pod([_container(app, script, backup, *arguments, memory=memory)])
    return Pod([_container(app, script, "", *arguments, memory=memory)], [_courier(app, image, "fetch", backup)])


def _named(app: App, name: str, pod: Pod) -> Object:
    """A Job that a person starts; it goes with its command, or a day after it."""
    about = metadata(app, name, BACKUP, name)
    spec = _job(app, _database(app), about["labels"], pod)
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": about,
        "spec": spec | {"ttlSecondsAfterFinished": KEPT_SECONDS},
    }
    # Where backups are declared there is an account for them.
    return dressed(app, [job])[0] if backups(app) else job


def _job(app: App, database: Postgres, about: dict[str, str], pod: Pod, *, retries: int = 0) -> Object:
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
                **({"initContainers": list(pod.first)} if pod.first else {}),
                "containers": list(pod.containers),
                "volumes": [_store(app), temporary(), *pod.volumes],
            },
        },
    }


def _container(app: App, script: str, *arguments: str, memory: str = MEMORY) -> Object:
    """One that runs a script with PostgreSQL's programs, which find the database by libpq's own variables."""
    database = _database(app)

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
            from_secret("PGUSER", database.name, USER_KEY),
            from_secret("PGPASSWORD", database.name, PASSWORD_KEY),
        ],
        "resources": {"requests": {"cpu": "100m", "memory": memory}, "limits": {"memory": memory}},
        "securityContext": container_security(),
        "volumeMounts": [{"name": "backups", "mountPath": scripts.PLACE}, temporary_mount()],
    }


def _courier(app: App, image: str, *arguments: str) -> Object:
    """One that brings backups to the bucket, or from there: with the project's image, which has a client for it."""
    wanted = backups(app)
    store = bucket(app)
    if wanted is None or store is None:
        raise AssertionError("no bucket is declared")
    # A folder of the environment's own: others may name the bucket too, and each removes the oldest of a folder.
    own = msgspec.structs.replace(store, url=f"{store.url.rstrip('/')}/{app.instance}")
    return {
        "name": COURIER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-I", "-m", "nuages_runtime.dumps", *arguments],
        "env": [*job_variables(own), {"name": "KEEP", "value": str(wanted.keep)}],
        "resources": {"requests": {"cpu": "100m", "memory": MEMORY}, "limits": {"memory": MEMORY}},
        "securityContext": container_security(),
        "volumeMounts": [{"name": "backups", "mountPath": scripts.PLACE}, temporary_mount()],
    }


def _as_large(app: App) -> Object:
    """A folder of the pod's own that has room for as much as the database's volume."""
    return {"emptyDir": {"sizeLimit": canonical_memory(_database(app).run.storage)}}


def _database(app: App) -> Postgres:
    if app.postgres is None:
        raise AssertionError("a check let an app without a PostgreSQL of its own pass")
    return app.postgres


def _store(app: App) -> Object:
    where = _as_large(app) if bucket(app) else {"persistentVolumeClaim": {"claimName": claim(app)}}
    return {"name": "backups", **where}
