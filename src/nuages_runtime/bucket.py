"""A bucket whose files are asked for below MEDIA_URL: a path that the project serves, or what stands before it."""

# Django and django-storages are the image's.
# mypy: disable-error-code=import-not-found

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.utils.encoding import filepath_to_uri

try:
    from storages.backends.s3 import S3Storage
except ImportError:  # before django-storages 1.14
    from storages.backends.s3boto3 import S3Boto3Storage as S3Storage


class AddressedStorage(S3Storage):  # type: ignore[misc]
    """django-storages' own, but for the address: nothing of it is signed, and none ends after an hour."""

    def url(self, name: str, *_: Any, **__: Any) -> str:
        """MEDIA_URL and the file's name, as a folder's storage has it."""
        return urljoin(str(settings.MEDIA_URL), str(filepath_to_uri(name)).lstrip("/"))
