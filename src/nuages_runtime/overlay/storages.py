"""Uploads: into the bucket of NUAGES_MEDIA, where the project keeps them in a folder of the pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nuages_runtime.overlay.change import ADDED, KEPT, REPLACED, Change, World, split

S3 = "storages.backends.s3.S3Storage"
OLDER_S3 = "storages.backends.s3boto3.S3Boto3Storage"
ADDRESSED = "nuages_runtime.bucket.AddressedStorage"
_FILES = "django.core.files.storage."
_HERE = (
    f"{_FILES}FileSystemStorage",
    f"{_FILES}filesystem.FileSystemStorage",
    f"{_FILES}InMemoryStorage",
    f"{_FILES}memory.InMemoryStorage",
)
_STATICFILES = "django.contrib.staticfiles.storage.StaticFilesStorage"
# A file that is read is kept in memory up to this, then on the pod's /tmp; by default it would be all in memory.
MEMORY = 2 * 2**20


def media(world: World) -> Iterator[Change]:
    """STORAGES' default. One that the project chose stays, and learns of the bucket what it does not say itself."""
    url = world.variable("NUAGES_MEDIA")
    if not url:
        return
    legacy = world.django < (5, 1) and ("DEFAULT_FILE_STORAGE" in world.own or "STATICFILES_STORAGE" in world.own)
    own = world.own.get("STORAGES")
    storages = own if isinstance(own, Mapping) else {}
    default = storages.get("default") or {}
    backend = str(world.own.get("DEFAULT_FILE_STORAGE") or "") if legacy else str(default.get("BACKEND") or "")
    if backend and backend not in _HERE:
        yield Change(_setting(legacy), KEPT, f"the project's own {backend.rpartition('.')[2]}")
        if backend.startswith("storages.backends.s3"):
            yield from _completed(world, default.get("OPTIONS") or {})
        return
    if not world.installed("storages"):
        yield Change(_setting(legacy), KEPT, "the image lacks django-storages, which reaches the bucket")
        return
    options = _options(world, url)
    address = world.variable("NUAGES_MEDIA_ADDRESS")
    if address:
        action = REPLACED if world.own.get("MEDIA_URL") else ADDED
        yield Change("MEDIA_URL", action, "media.bucket.address", f"{address.rstrip('/')}/")
    kind = ADDRESSED if address else S3 if world.installed("storages.backends.s3") else OLDER_S3
    why = "uploads go into the bucket of media.bucket" + ("; they were in a folder of the pod" if backend else "")
    action = REPLACED if backend else ADDED
    if legacy:  # STORAGES beside either of the older settings is refused, or not looked at
        yield Change("DEFAULT_FILE_STORAGE", action, why, kind)
        for name, value in options.items():
            if _SETTINGS[name] not in world.own:
                yield Change(_SETTINGS[name], ADDED, "of media.bucket", value)
        return
    entry = {"BACKEND": kind, "OPTIONS": options}
    yield Change("STORAGES", action, why, {"staticfiles": {"BACKEND": _STATICFILES}, **storages, "default": entry})


_SETTINGS = {
    "bucket_name": "AWS_STORAGE_BUCKET_NAME",
    "location": "AWS_LOCATION",
    "endpoint_url": "AWS_S3_ENDPOINT_URL",
    "addressing_style": "AWS_S3_ADDRESSING_STYLE",
    "region_name": "AWS_S3_REGION_NAME",
    "signature_version": "AWS_S3_SIGNATURE_VERSION",
    "file_overwrite": "AWS_S3_FILE_OVERWRITE",
    "max_memory_size": "AWS_S3_MAX_MEMORY_SIZE",
}


def _setting(legacy: bool) -> str:
    return "DEFAULT_FILE_STORAGE" if legacy else "STORAGES"


def _options(world: World, url: str) -> dict[str, object]:
    """What django-storages has to know; the keys to the bucket it finds in the environment."""
    parts = split(url)
    endpoint = world.variable("AWS_S3_ENDPOINT_URL")
    return {
        "bucket_name": parts.netloc,
        **({"location": parts.path.strip("/")} if parts.path.strip("/") else {}),
        # Other stores than Amazon's may have no host for each bucket.
        **({"endpoint_url": endpoint, "addressing_style": "path"} if endpoint else {}),
        **({"region_name": region} if (region := world.variable("AWS_S3_REGION_NAME")) else {}),
        "signature_version": "s3v4",
        # As a folder does it: two uploads of the same name are two files.
        "file_overwrite": False,
        "max_memory_size": MEMORY,
    }


def _completed(world: World, options: Mapping[str, object]) -> Iterator[Change]:
    """Where the bucket is, for an S3 storage of the project's that says nothing of it."""
    found = _options(world, world.variable("NUAGES_MEDIA"))
    if "bucket_name" in options or world.own.get("AWS_STORAGE_BUCKET_NAME"):
        return
    for name in ("bucket_name", "location", "endpoint_url", "addressing_style", "region_name"):
        if name in found and name not in options and not world.own.get(_SETTINGS[name]):
            yield Change(_SETTINGS[name], ADDED, "of media.bucket", found[name])
