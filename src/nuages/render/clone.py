"""A copy of one environment's database for another: a Job beside the source, which hands on only what may leave there.

The source's own walls hold what is real: its password and its rows never leave its namespace. The Job's pod has a
server of its own on an empty volume that ends with it; the copy is anonymised there, and what is handed on is dumped
from that one. The pods that are told the source's password have no way to the other environment's namespace but its
database.
"""

from __future__ import annotations

import re

import msgspec

from nuages.app.components import App, Postgres
from nuages.app.objects import Object
from nuages.render.clone_scripts import BESIDE, HAND_ON, HERE, TAKE
from nuages.render.labels import CLONE, NETWORK, POSTGRES, metadata, selector
from nuages.render.pods import container_security, from_secret, pod_basics, temporary, temporary_mount
from nuages.render.postgres import PASSWORD_KEY, PGDATA, PORT, UID, USER, USER_KEY, VOLUME
from nuages.spec.units import bytes_of

KEPT_SECONDS = 3600
TIMEOUT_SECONDS = 4 * 3600
SQL = "anonymise.sql"
CONTAINER = "hand-on"
# Set aside for a moment only; it takes more where there is more.
_CPU = "10m"
_SECRET = "/run/clone"  # noqa: S105 - a folder


class Clone(msgspec.Struct, frozen=True, kw_only=True):
    """What is copied where."""

    source: App
    target: App
    sql: bool = False
    """Whether statements anonymise the copy; they are in the Job's Secret."""
    manage: tuple[str, ...] = ()
    """The manage.py command that does."""
    template: Object | None = None
    """The pod template of the web that serves at the source, whose image and settings that command has."""
    into: str = ""
    """The database that is made for it beside the one that serves; empty where a new environment's own gets it."""
    before: str = ""
    """With what the names of those begin that earlier attempts have left."""
    anyway: bool = False
    """Whether it may have other migrations than the one that serves."""

    @property
    def name(self) -> str:
        """The Job's name, and that of all that belongs to it: `blog-clone-pr-12`."""
        return f"{self.source.name}-clone-{self.target.environment}"


def job(clone: Clone) -> Object:
    """The Job: it waits until what it stands on is there, and is tried once."""
    source, store = clone.source, _store(clone.source)
    anonymised = clone.sql or bool(clone.manage)
    volumes: list[Object] = [temporary()]
    if anonymised:
        volumes += [
            {"name": "data", "emptyDir": {"sizeLimit": store.run.storage}},
            {"name": "run", "emptyDir": {"sizeLimit": "16Mi"}},
        ]
    if clone.sql:
        volumes.append({"name": "clone", "secret": {"secretName": clone.name, "items": [{"key": SQL, "path": SQL}]}})
    labels = metadata(source, clone.name, CLONE, clone.target.environment)["labels"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(source, clone.name, CLONE, clone.target.environment),
        "spec": {
            "suspend": True,
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": TIMEOUT_SECONDS,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    **pod_basics(source, user=UID, account=source.name),
                    "restartPolicy": "Never",
                    **({"initContainers": _steps(clone)} if anonymised else {}),
                    "containers": [_hand_on(clone, anonymised=anonymised)],
                    "volumes": volumes,
                },
            },
        },
    }


def secret(clone: Clone, owner: Object, login: dict[str, str], sql: str) -> Object:
    """How the new database is reached, and the statements; `login` is its user and password, in base64."""
    values = {f"target-{key}": value for key, value in login.items()} | ({SQL: sql} if clone.sql else {})
    about = metadata(clone.source, clone.name, CLONE, clone.target.environment)
    made = {"apiVersion": "v1", "kind": "Secret", "metadata": about | {"ownerReferences": [_owner(owner)]}}
    return made | {"data": values}


def walls(clone: Clone, owner: Object) -> list[Object]:
    """What opens the way from one database to the other for this Job alone; the last of them is in the new namespace,
    and to be removed when the Job has ended: the others go with it.
    """
    source, target = clone.source, clone.target
    mine = selector(source, CLONE, target.environment)
    port = [{"protocol": "TCP", "port": PORT}]
    there = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": target.namespace}},
        "podSelector": {"matchLabels": selector(target, POSTGRES)},
    }
    from_there = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": source.namespace}},
        "podSelector": {"matchLabels": mine},
    }
    owned = {"ownerReferences": [_owner(owner)]}
    return [
        _policy(
            metadata(source, clone.name, NETWORK) | owned,
            mine,
            egress=[{"to": [{"podSelector": {"matchLabels": selector(source, POSTGRES)}}, there], "ports": port}],
        ),
        _policy(
            metadata(source, f"{clone.name}-source", NETWORK) | owned,
            selector(source, POSTGRES),
            ingress=[{"from": [{"podSelector": {"matchLabels": mine}}], "ports": port}],
        ),
        _policy(
            metadata(target, clone.name, CLONE, source.environment),
            selector(target, POSTGRES),
            ingress=[{"from": [from_there], "ports": port}],
        ),
    ]


def _steps(clone: Clone) -> list[Object]:
    """The server of the copy, which lives as long as the pod; then the copy, and what changes it."""
    source, store = clone.source, _store(clone.source)
    ready = {"exec": {"command": ["pg_isready", "-q", "-h", HERE, "-U", USER, "-d", source.name]}}
    server = {
        **_image(store, _resources(store)),
        "name": "copy",
        "restartPolicy": "Always",
        # Reached from this pod alone, and gone with it: nothing of it has to survive a crash.
        "args": [*("-c", f"listen_addresses={HERE}"), *("-c", "fsync=off"), *("-c", "full_page_writes=off")],
        "env": [
            {"name": "POSTGRES_USER", "value": USER},
            {"name": "POSTGRES_DB", "value": source.name},
            {"name": "POSTGRES_HOST_AUTH_METHOD", "value": "trust"},
            {"name": "PGDATA", "value": PGDATA},
        ],
        "startupProbe": {**ready, "periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 120},
        "volumeMounts": [
            {"name": "data", "mountPath": VOLUME},
            {"name": "run", "mountPath": "/var/run/postgresql"},
            temporary_mount(),
        ],
    }
    take = {
        **_image(store),
        "name": "take",
        "command": ["bash", "-c", TAKE],
        "env": _login(source, "PG"),
        "volumeMounts": [temporary_mount()],
    }
    here = {"PGHOST": HERE, "PGPORT": str(PORT), "PGUSER": USER, "PGDATABASE": source.name}
    statements = {
        **_image(store),
        "name": "anonymise",
        "command": ["psql", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-f", f"{_SECRET}/{SQL}"],
        "env": [{"name": name, "value": value} for name, value in here.items()],
        "volumeMounts": [{"name": "clone", "mountPath": _SECRET, "readOnly": True}, temporary_mount()],
    }
    return [server, take, *([_manage(clone)] if clone.manage else [statements])]


def _manage(clone: Clone) -> Object:
    """The project's own command, as the web that serves there would run it, but on the copy."""
    source, template = clone.source, clone.template or {}
    web = template["spec"]["containers"][0]
    user = template["spec"]["securityContext"]["runAsUser"]
    serving = {"NUAGES_PORT", "NUAGES_METRICS_PORT", "NUAGES_COMPONENT"}
    env = [_on_the_copy(source, one) for one in web.get("env", []) if one["name"] not in serving]
    return {
        "name": "anonymise",
        "image": web["image"],
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "manage.py", *clone.manage],
        "envFrom": web.get("envFrom", []),
        "env": env,
        "resources": web["resources"],
        "securityContext": container_security() | {"runAsUser": user, "runAsGroup": user},
        "volumeMounts": [temporary_mount()],
    }


def _on_the_copy(source: App, variable: Object) -> Object:
    """A variable that leads to the source's database leads to the copy instead; its server asks for no password."""
    kept = variable.get("valueFrom", {}).get("secretKeyRef", {})
    if (kept.get("name"), kept.get("key")) == (_store(source).name, USER_KEY):
        return {"name": variable["name"], "value": USER}  # of two that take turns, the copy's server knows one
    value = variable.get("value")
    if value is None:
        return variable
    # Its Service's name, also in full; wherever it stands, for the command may write to all it is led to.
    names = rf"(?<![\w-]){source.name}-postgres(?:\.[a-z0-9.-]*[a-z0-9])?(?![\w-])"
    led = re.sub(rf"://[^@\s]*@{names}(?::\d+)?", f"://{USER}@{HERE}:{PORT}", value)
    return {**variable, "value": re.sub(names, HERE, led)}


def _hand_on(clone: Clone, *, anonymised: bool) -> Object:
    """From the anonymised copy, or from the source itself, to the new database: all of it, or nothing."""
    source, target = clone.source, clone.target
    if anonymised:
        local = {"FROM_HOST": HERE, "FROM_USER": USER, "FROM_DATABASE": source.name}
        before: list[Object] = [{"name": name, "value": value} for name, value in local.items()]
    else:
        before = _login(source, "FROM_")
    store = _store(target)
    beside = {
        "INTO": clone.into,
        "BEFORE": clone.before,
        "ANYWAY": "yes" if clone.anyway else "",
        "ROOM": str(bytes_of(store.run.storage)),
    }
    there = {
        "PGHOST": f"{store.name}.{target.namespace}.svc",
        "PGPORT": str(PORT),
        "PGDATABASE": target.name,
        **(beside if clone.into else {}),
    }
    return {
        **_image(store),
        "name": CONTAINER,
        "command": ["bash", "-c", BESIDE if clone.into else HAND_ON],
        "env": [
            *before,
            *({"name": name, "value": value} for name, value in there.items()),
            from_secret("PGUSER", clone.name, f"target-{USER_KEY}"),
            from_secret("PGPASSWORD", clone.name, f"target-{PASSWORD_KEY}"),
        ],
        "volumeMounts": [temporary_mount()],
    }


def _login(app: App, prefix: str) -> list[Object]:
    """Where an app's database is, and who may: PGHOST and its like, or the same behind another prefix."""
    store = _store(app)
    return [
        {"name": f"{prefix}HOST", "value": store.name},
        {"name": f"{prefix}DATABASE", "value": app.name},
        from_secret(f"{prefix}USER", store.name, USER_KEY),
        from_secret(f"{prefix}PASSWORD", store.name, PASSWORD_KEY),
    ]


def _image(store: Postgres, resources: Object | None = None) -> Object:
    return {
        "image": f"docker.io/library/postgres:{store.run.version}",
        "imagePullPolicy": "IfNotPresent",
        "resources": resources or {"requests": {"cpu": _CPU, "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": container_security(),
    }


def _resources(store: Postgres) -> Object:
    memory = store.run.resources.memory
    return {"requests": {"cpu": _CPU, "memory": memory}, "limits": {"memory": memory}}


def _policy(
    about: Object, pods: dict[str, str], *, ingress: list[Object] | None = None, egress: list[Object] | None = None
) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": about,
        "spec": {
            "podSelector": {"matchLabels": pods},
            "policyTypes": ["Ingress" if ingress is not None else "Egress"],
            **({"ingress": ingress} if ingress else {}),
            **({"egress": egress} if egress else {}),
        },
    }


def _owner(job: Object) -> Object:
    about = job["metadata"]
    made = {"apiVersion": "batch/v1", "kind": "Job", "name": about["name"], "uid": about["uid"]}
    return made | {"controller": False, "blockOwnerDeletion": False}


def _store(app: App) -> Postgres:
    if app.postgres is None:
        raise AssertionError(f"a rule let a clone of {app.instance} pass, which runs no database")
    return app.postgres
