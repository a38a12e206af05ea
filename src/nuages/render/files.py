"""Files that are put into the project's containers: from beside nuages.yaml, a ConfigMap, or a Secret.

Those beside nuages.yaml go into an immutable ConfigMap that is named by what is in it, so a change of one is a change
of the pods, and pods of the old version keep the old one. The others are read when a pod starts.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.environment import content_hash
from nuages.render.labels import CONFIG, metadata
from nuages.spec.model import FileSource

VOLUME = "files"


def files(app: App) -> list[Object]:
    """The ConfigMap of what was beside nuages.yaml; none where nothing was."""
    if not (values := _inlined(app)):
        return []
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(app, _name(app), CONFIG),
            "immutable": True,
            "data": values,
        }
    ]


def volumes(app: App) -> list[Object]:
    """A volume for each object that files come from."""
    inlined = [{"name": VOLUME, "configMap": {"name": _name(app)}}] if _inlined(app) else []
    return [*inlined, *({"name": name, **source} for name, source in _sources(app).items())]


def mounts(app: App) -> list[Object]:
    """Each file where it is wanted, over whatever the image has there; the folders around it stay."""
    keys = _keys(app)
    return [
        {
            "name": VOLUME if source.file else _volume(source),
            "mountPath": path,
            "subPath": keys[path] if source.file else source.key or posixpath.basename(path),
            "readOnly": True,
        }
        for path, source in sorted(app.files.items())
    ]


def _inlined(app: App) -> dict[str, str]:
    return {key: app.inlined[app.files[path].file or ""] for path, key in _keys(app).items()}


def _sources(app: App) -> dict[str, Object]:
    """By their volumes' names; several files of one object share a volume."""
    return {
        _volume(source): {"configMap": {"name": source.config_map}}
        if source.config_map
        else {"secret": {"secretName": source.secret, "defaultMode": 0o440}}
        for _, source in sorted(app.files.items())
        if not source.file
    }


def _volume(source: FileSource) -> str:
    """A label of at most 63 characters; two long names may begin alike."""
    kind, name = ("config", source.config_map) if source.config_map else ("secret", source.secret)
    return f"file-{kind}-{content_hash({'name': name or ''})}"


def _keys(app: App) -> dict[str, str]:
    """Paths as keys may be called: `etc.newrelic.ini`; with a hash where two would be one, as of /a/b and /a.b."""
    paths = sorted(path for path, source in app.files.items() if source.file)
    plain = {path: re.sub(r"[^A-Za-z0-9._-]", ".", path.strip("/")) for path in paths}
    often = Counter(plain.values())
    return {path: f"{key}-{content_hash({'path': path})}" if often[key] > 1 else key for path, key in plain.items()}


def _name(app: App) -> str:
    return f"{app.name}-files-{content_hash(_inlined(app))}"
