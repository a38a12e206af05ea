"""A PostgreSQL that CloudNativePG's operator runs: what it is asked for, and when it backs it up.

https://cloudnative-pg.io/docs/current/cloudnative-pg.v1: the operator makes all the rest, the Service `-rw` that leads
to the instance that is written to, the Secret `-app` with what opens it, the Secret `-ca` with who vouches for it.
"""

from __future__ import annotations

from nuages.app.buckets import KEYS
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.app.parts import CloudNativePG
from nuages.render.extras import placement
from nuages.render.labels import POSTGRES, metadata
from nuages.render.pods import resources
from nuages.render.postgres import USER, parameters
from nuages.spec.model import Archive, Bucket
from nuages.spec.units import bytes_of, canonical_memory

API_VERSION = "postgresql.cnpg.io/v1"
CLUSTER, SCHEDULED = "Cluster", "ScheduledBackup"
# Its own builds: the operator's part of an instance expects what is in them.
IMAGE = "ghcr.io/cloudnative-pg/postgresql"


def cloudnativepg(app: App) -> list[Object]:
    """The Cluster, and its backups at their time; none where no operator runs the app's PostgreSQL."""
    if (store := app.cloudnativepg) is None:
        return []
    return [_cluster(app, store), *([_scheduled(app, store, backup)] if (backup := store.run.backup) else [])]


def _cluster(app: App, store: CloudNativePG) -> Object:
    run = store.run
    megabytes = bytes_of(run.resources.memory) // 1024**2
    return {
        "apiVersion": API_VERSION,
        "kind": CLUSTER,
        # With it go its volumes, so nothing here ever removes it but `destroy --data`.
        "metadata": metadata(app, store.name, POSTGRES, data=True),
        "spec": {
            "instances": run.instances,
            "imageName": f"{IMAGE}:{run.version}",
            **({"imagePullSecrets": [{"name": app.image_pull_secret}]} if app.image_pull_secret else {}),
            "bootstrap": {"initdb": {"database": app.name, "owner": USER, "dataChecksums": True}},
            "storage": {
                "size": canonical_memory(run.storage),
                **({"storageClass": run.storage_class} if run.storage_class else {}),
            },
            "resources": resources(run.resources),
            "postgresql": {"parameters": parameters(megabytes, store.max_connections)},
            # Of one instance alone it would hold a node that is drained for ever.
            "enablePDB": run.instances > 1,
            **_placed(app),
            **(_archived(app, run.backup) if run.backup else {}),
        },
    }


def _placed(app: App) -> Object:
    """Apart from each other, where there are several nodes; its fields lie elsewhere than those of a pod."""
    wanted = placement(app)
    priority = {"priorityClassName": wanted.pop("priorityClassName")} if "priorityClassName" in wanted else {}
    return {"affinity": {"enablePodAntiAffinity": True, "podAntiAffinityType": "preferred", **wanted}, **priority}


def _archived(app: App, backup: Archive) -> Object:
    """Where it writes its files, and each change as it is made.

    https://cloudnative-pg.io/docs/current/appendixes/backup_barmanobjectstore: later versions of the operator would
    have a plugin do it, and still do it themselves.
    """
    bucket = backup.bucket
    store: Object = {
        "destinationPath": bucket.url,
        **({"endpointURL": bucket.endpoint} if bucket.endpoint else {}),
        "s3Credentials": _credentials(bucket),
        "wal": {"compression": "gzip"},
        "data": {"compression": "gzip"},
    }
    known = app.account.annotations if bucket.secret is None else {}
    return {
        "backup": {"barmanObjectStore": store, "retentionPolicy": f"{backup.days}d"},
        # A region of the credentials can stand in a Secret only; the client reads it here as well.
        **({"env": [{"name": "AWS_DEFAULT_REGION", "value": bucket.region}]} if bucket.region else {}),
        **({"serviceAccountTemplate": {"metadata": {"annotations": known}}} if known else {}),
    }


def _credentials(bucket: Bucket) -> Object:
    if bucket.secret is None:
        return {"inheritFromIAMRole": True}
    fields = zip(("accessKeyId", "secretAccessKey"), KEYS, strict=True)
    return {field: {"name": bucket.secret, "key": key} for field, key in fields}


def _scheduled(app: App, store: CloudNativePG, backup: Archive) -> Object:
    return {
        "apiVersion": API_VERSION,
        "kind": SCHEDULED,
        "metadata": metadata(app, store.name, POSTGRES),
        "spec": {
            "schedule": schedule(backup.cron),
            "method": "barmanObjectStore",
            "backupOwnerReference": "cluster",
            "cluster": {"name": store.name},
        },
    }


def schedule(cron: str) -> str:
    """As the operator takes it: with seconds first.

    https://cloudnative-pg.io/docs/current/backup#scheduled-backups: of github.com/robfig/cron, whose words are ours.
    """
    return cron if cron.startswith("@") else f"0 {cron}"
