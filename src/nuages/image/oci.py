"""Images as values: layers, config and manifest of the OCI image format, without an engine or a right.

    layout.read ─▶ Image ─▶ append(layers) ─▶ Image ─▶ layout.archive ─▶ one .tar
    tarballs.layer(entries) ─▶ Layer ─┘

The same input gives the same bytes, so an image's digest (the sha256 of its manifest) tells whether anything changed.
In memory are only names and JSON. Format: https://github.com/opencontainers/image-spec (manifest, config).
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nuages.app.objects import Object
from nuages.image.blobs import Blob

EPOCH = "1970-01-01T00:00:00Z"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
TAR = "application/vnd.oci.image.layer.v1.tar"
TAR_GZIP = TAR + "+gzip"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Layer(NamedTuple):
    """A layer: `digest` is the blob's as stored and moved, `diff_id` the tar's in it; `note` says what made it."""

    digest: str
    diff_id: str
    blob: Blob
    media_type: str = TAR_GZIP
    note: str = ""


class Image(NamedTuple):
    """An image: its config and manifest as bytes (their digests are promises), and its layers, lowest first."""

    config: bytes
    manifest: bytes
    layers: tuple[Layer, ...]

    @property
    def digest(self) -> str:
        """What `repository@sha256:...` names."""
        return digest(self.manifest)

    @property
    def id(self) -> str:
        """The digest of the config: what engines call the image's id."""
        return digest(self.config)

    @property
    def settings(self) -> Object:
        """What a container of it starts with: Env, Entrypoint, Cmd, User, WorkingDir, Labels, Volumes, StopSignal."""
        settings: Object = json.loads(self.config).get("config") or {}
        return settings

    @property
    def env(self) -> dict[str, str]:
        """The variables that a container of it has."""
        return dict(pair.partition("=")[::2] for pair in self.settings.get("Env") or ())


def image(config: Object, layers: Sequence[Layer]) -> Image:
    """Config and layers made an image: the config's `rootfs` is set, and the manifest names everything by digest."""
    encoded = canonical({**config, "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}})
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest(encoded), "size": len(encoded)},
        "layers": [
            {"mediaType": layer.media_type, "digest": layer.digest, "size": layer.blob.size} for layer in layers
        ],
    }
    return Image(encoded, canonical(manifest), tuple(layers))


def scratch(layers: Sequence[Layer], settings: Object) -> Image:
    """An image from nothing but these layers; `settings` are the OCI config's keys (Entrypoint, Env, ...)."""
    base = {
        "created": EPOCH,
        "architecture": architecture(),
        "os": "linux",
        "config": settings,
        "history": _history(layers),
    }
    return image(base, layers)


def append(
    base: Image,
    layers: Sequence[Layer] = (),
    *,
    settings: Object | None = None,
    env: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Image:
    """An image with layers on top; `settings` replace the base's keys, `env` and `labels` are merged by name.

    A new Entrypoint drops the base's Cmd, as a Dockerfile's does: its arguments were meant for another program.
    """
    config: Object = json.loads(base.config)
    merged = {**base.settings, **(settings or {})}
    if settings and "Entrypoint" in settings and "Cmd" not in settings:
        merged.pop("Cmd", None)
    if env:
        merged["Env"] = [f"{name}={value}" for name, value in {**base.env, **env}.items()]
    if labels:
        merged["Labels"] = {**(merged.get("Labels") or {}), **labels}
    config["config"] = merged
    config["history"] = [*(config.get("history") or _history(base.layers)), *_history(layers)]
    return image(config, [*base.layers, *layers])


def architecture() -> str:
    """The machine's architecture as images call it."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def canonical(document: Object) -> bytes:
    """A document as it is hashed: one order, no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(data: bytes) -> str:
    """What names bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _history(layers: Sequence[Layer]) -> list[Object]:
    return [{"created": EPOCH, "created_by": layer.note or "nuages"} for layer in layers]
