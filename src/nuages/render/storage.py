"""What the project writes to: /tmp, uploads, and the folders that the spec names.

Webs and workers share uploads; the folders are for all of the project's processes, the migrate Job too.
"""

from __future__ import annotations

import posixpath

from nuages.app.components import App, Volume
from nuages.app.objects import Object
from nuages.render import authority
from nuages.render.labels import MEDIA, VOLUME, metadata
from nuages.render.pods import temporary, temporary_mount
from nuages.render.profiles import storage_class
from nuages.render.release import Release
from nuages.spec import model
from nuages.spec.units import canonical_memory


def media(app: App) -> list[Object]:
    """The volume claim for uploads, where the app has any."""
    if app.media is None:
        return []
    volume = app.media
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata(app, _claim(app), MEDIA, data=True),
            "spec": _claimed(app, volume.access_mode, volume.size, volume.storage_class),
        }
    ]


def folders(app: App) -> list[Object]:
    """The volume claims for the folders that are kept."""
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata(app, volume.name, VOLUME, volume.key, data=True),
            "spec": _claimed(
                app, volume.folder.access_mode or "ReadWriteMany", volume.folder.size, volume.folder.storage_class
            ),
        }
        for volume in app.volumes.values()
        if not volume.folder.temporary
    ]


def shared(volume: model.Volume) -> bool:
    """Whether pods on several nodes can have it at once."""
    return volume.access_mode == "ReadWriteMany"


def one_node(app: App) -> bool:
    """Whether a volume of the webs and workers is one node's, so that new pods can't start beside old ones."""
    media = app.media is not None and not shared(app.media)
    return media or folder_on_one_node(app)


def folder_on_one_node(app: App) -> bool:
    """The same of the folders alone, without the uploads, which a migrate Job does not mount."""
    return any(volume.one_node for volume in app.volumes.values())


def volumes(app: App, release: Release, *, uploads: bool = True) -> list[Object]:
    """A pod's volumes: /tmp, uploads where it has to do with them, and the spec's folders.

    A project without MEDIA_ROOT has nowhere to mount uploads.
    """
    media = app.media is not None and release.build.media_root is not None and uploads
    return [
        temporary(),
        *([{"name": "media", "persistentVolumeClaim": {"claimName": _claim(app)}}] if media else []),
        *({"name": f"volume-{volume.key}", **_source(volume)} for volume in app.volumes.values()),
        *authority.volumes(app),
    ]


def mounts(app: App, release: Release, *, uploads: bool = True) -> list[Object]:
    """Where they go: uploads to the project's own MEDIA_ROOT, folders below the project's root."""
    root = release.build.media_root if app.media and uploads else None
    return [
        temporary_mount(),
        *([{"name": "media", "mountPath": root}] if root else []),
        *({"name": f"volume-{volume.key}", "mountPath": place(release, volume)} for volume in app.volumes.values()),
        *authority.mounts(app),
    ]


def place(release: Release, volume: Volume) -> str:
    """A folder's path inside the container."""
    return posixpath.normpath(posixpath.join(release.build.working_dir, volume.folder.path))


def _source(volume: Volume) -> Object:
    if volume.folder.temporary:
        return {"emptyDir": {"sizeLimit": canonical_memory(volume.folder.size)}}
    return {"persistentVolumeClaim": {"claimName": volume.name}}


def _claimed(app: App, access_mode: str, size: str, declared: str | None) -> Object:
    named = declared or storage_class(app, access_mode)
    return {
        "accessModes": [access_mode],
        "resources": {"requests": {"storage": canonical_memory(size)}},
        **({"storageClassName": named} if named else {}),
    }


def _claim(app: App) -> str:
    return f"{app.name}-media"
