"""Uploads: one volume for all pods that serve."""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import MEDIA, metadata
from nuages.render.release import Release
from nuages.spec.model import Volume
from nuages.spec.units import canonical_memory


def media(app: App) -> list[Object]:
    """The volume claim for uploads, where the app has any."""
    if app.media is None:
        return []
    volume = app.media.volume
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata(app, _claim(app), MEDIA, data=True),
            "spec": {
                "accessModes": [volume.access_mode],
                "resources": {"requests": {"storage": canonical_memory(volume.size)}},
                **({"storageClassName": volume.storage_class} if volume.storage_class else {}),
            },
        }
    ]


def shared(volume: Volume) -> bool:
    """Whether pods on several nodes can have it at once."""
    return volume.access_mode == "ReadWriteMany"


def media_volume(app: App, release: Release) -> list[Object]:
    """The pod's volume; a project without MEDIA_ROOT has nowhere to mount it."""
    if app.media is None or release.build.media_root is None:
        return []
    return [{"name": "media", "persistentVolumeClaim": {"claimName": _claim(app)}}]


def media_mount(app: App, release: Release) -> list[Object]:
    """Where it goes: the project's own MEDIA_ROOT."""
    if app.media is None or release.build.media_root is None:
        return []
    return [{"name": "media", "mountPath": release.build.media_root}]


def _claim(app: App) -> str:
    return f"{app.name}-media"
