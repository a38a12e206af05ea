"""Uploads, served from MEDIA_ROOT below MEDIA_URL: files of strangers, so nothing in them may run in a visitor's page.

Only what every browser shows without running it (pictures, sound, film, plain text, PDF) is shown; all else is a
download. No browser may guess another type.
"""

# ruff: noqa: PLC0415
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import mimetypes
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_SHOWN = ("image/", "audio/", "video/")
_SHOWN_TYPES = ("text/plain", "application/pdf")
_RUNS = ("image/svg+xml",)
# Names come back with other content where a project overwrites files; a minute is WhiteNoise's own.
_CACHE = "max-age=60, public"


class Uploads:
    """`prefix` is MEDIA_URL's path, with slashes around; `root` a folder, free of symlinks."""

    def __init__(self, prefix: str, root: Path) -> None:
        """Serve what lies in the folder."""
        self.prefix, self.root = prefix, root
        self._is_ours: bool | None = None

    @classmethod
    def of_settings(cls) -> Uploads | None:
        """None where uploads are kept elsewhere, or where the folder holds more than uploads."""
        from django.conf import settings
        from django.core.files.storage import FileSystemStorage, default_storage

        url = urlsplit(str(settings.MEDIA_URL or ""))
        if url.netloc or not url.path.strip("/") or not settings.MEDIA_ROOT:
            return None
        root = Path(settings.MEDIA_ROOT).resolve()
        try:
            if not isinstance(default_storage, FileSystemStorage) or Path(default_storage.location).resolve() != root:
                return None
        except Exception:  # a storage of the project's that can't be made: it fails where it is used, and not here
            return None
        if Path.cwd().resolve().is_relative_to(root):  # the project's source would be open to all
            return None
        return cls(f"/{url.path.strip('/')}/", root)

    def find(self, path: str) -> Any:
        """WhiteNoise's file for a path; None where it is none of ours, or nothing is there."""
        if not path.startswith(self.prefix) or not self._ours():
            return None
        name = path[len(self.prefix) :]
        if any(part.startswith(".") for part in name.split("/")):
            return None
        # What a symlink in the folder points to is no upload.
        try:
            file = Path(os.path.realpath(self.root / name.lstrip("/")))
            found = file.is_relative_to(self.root) and file.is_file()
        except (OSError, ValueError):  # too long a name, no right to look, a zero: nothing is there
            return None
        if not found:
            return None
        from whitenoise.responders import StaticFile

        return StaticFile(str(file), headers(file.name))

    def _ours(self) -> bool:
        """Whether the project leaves these paths to others; asked once, at the first request for one of them.

        A url that takes any path (a page that is an application of its own) is no answer to that.
        """
        if self._is_ours is None:
            self._is_ours = self._view(self.prefix) in {None, self._view("/nuages-no-such-folder/")}
        return self._is_ours

    @staticmethod
    def _view(prefix: str) -> object:
        from django.urls import Resolver404, resolve

        try:
            return resolve(f"{prefix}nuages-no-such-file.txt").func
        except Resolver404:
            return None


def headers(name: str) -> list[tuple[str, str]]:
    """What a file of that name is sent with."""
    kind, encoding = mimetypes.guess_type(name)
    if kind is None or encoding:
        kind = "application/octet-stream"
    shown = kind in _SHOWN_TYPES or (kind.startswith(_SHOWN) and kind not in _RUNS)
    found = [
        ("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind),
        ("Cache-Control", _CACHE),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if kind != "application/pdf":  # a sandbox would take the browser's own viewer away
        found.append(("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"))
    return found if shown else [*found, ("Content-Disposition", "attachment")]
