"""Collect a project's static files into a folder, while its image is built."""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

MANIFEST = "staticfiles.json"


class Collected(NamedTuple):
    """How it went."""

    skipped: str = ""
    """Why nothing was collected, in words; "" where it was."""
    missing: tuple[str, ...] = ()
    """Files that others refer to and that nobody has; the reference was left as it is."""
    tree: str = ""
    """The hash of all files; "" where there are none."""
    hashed: bool = False
    """Whether the project's storage puts a hash into each file's name; no storage is ever forced on a project."""


def collect(folder: Path) -> Collected:
    """Collect into an empty folder, and add what the project keeps in its STATIC_ROOT: files that a front-end build
    left there are nowhere else.

    Only where they are collected into a folder: a storage that uploads would change what the running release serves.
    """
    from django.apps import apps
    from django.conf import settings
    from django.core.files.storage import FileSystemStorage
    from django.core.management import call_command

    if not apps.is_installed("django.contrib.staticfiles"):
        return Collected("django.contrib.staticfiles is not installed")
    if not settings.STATIC_ROOT:
        return Collected("STATIC_ROOT is not set")
    kept = Path(settings.STATIC_ROOT).absolute()
    settings.STATIC_ROOT = str(folder)
    from django.contrib.staticfiles.storage import staticfiles_storage

    if not isinstance(staticfiles_storage, FileSystemStorage):
        return Collected(f"the storage of static files is {type(staticfiles_storage).__name__}, not a folder")
    storage = staticfiles_storage._wrapped  # what Django's lazy object stands for
    if Path(storage.location) == kept:  # made while the project was loaded
        storage._location = str(folder)
        for cached in ("base_location", "location"):
            storage.__dict__.pop(cached, None)
    if Path(storage.location) != folder:
        return Collected("the storage of static files has a location of its own")
    missing = forgiving(storage)
    call_command("collectstatic", interactive=False, verbosity=0)
    if kept.is_dir() and kept not in (Path.cwd(), *Path.cwd().parents):
        merge(kept, folder)
    hashed = hasattr(storage, "hashed_name")
    return Collected(missing=tuple(sorted(missing)), tree=tree_of(folder), hashed=hashed)


def tree_of(folder: Path) -> str:
    """Sixteen hexadecimal digits that tell what all files of a folder are called and hold; "" where it has none."""
    digest = hashlib.blake2b(digest_size=8)
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    for name in files:
        digest.update(f"{name}\0".encode())
        digest.update(hashlib.blake2b((folder / name).read_bytes(), digest_size=16).digest())
    return digest.hexdigest() if files else ""


def forgiving(storage: Any) -> set[str]:
    """Let a manifest storage leave a reference as it is where nobody has its file; answers the set that they go into.

    Otherwise one url() to a file that a theme forgot to ship fails the build of a site that runs everywhere else.
    """
    missing: set[str] = set()
    strict = getattr(storage, "hashed_name", None)
    if strict is None:
        return missing

    def hashed_name(name: str, content: object = None, filename: str | None = None) -> str:
        try:
            hashed: str = strict(name, content, filename)
        except ValueError:
            if content is not None:
                raise
            missing.add(name)
            return name
        return hashed

    storage.hashed_name = hashed_name
    return missing


def merge(kept: Path, folder: Path) -> None:
    """Copy files that `folder` lacks, and let its manifest name those that only the kept one knows."""
    for source in sorted(kept.rglob("*")):
        target = folder / source.relative_to(kept)
        if source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    old, new = kept / MANIFEST, folder / MANIFEST
    if old.is_file() and new.is_file():
        manifest = json.loads(new.read_text())
        known = json.loads(old.read_text())
        manifest["paths"] = {**known.get("paths", {}), **manifest["paths"]}
        new.write_text(json.dumps(manifest))
