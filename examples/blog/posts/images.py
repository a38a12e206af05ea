"""Uploaded images: looked at before they are accepted, and written anew before they are kept.

What is stored is never the file that came in: it is decoded, turned upright, made no larger than a page needs and
encoded as WebP. So nothing hidden in an upload (a script after the pixels, where a photo was taken) is ever served.
"""

import io
import uuid

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.db.models.fields.files import ImageFieldFile
from django.forms import Field
from django.utils import timezone
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE = 1600


def upload_path(instance: models.Model, filename: str) -> str:
    """A name that nobody chose and that is never used again, so that it may be cached for ever."""
    return f"posts/{timezone.now():%Y/%m}/{uuid.uuid4().hex}.webp"


def validate_upload(upload: UploadedFile) -> None:
    """Refuse what is too large or none of FORMATS, whatever its name says; Django's own field has identified it."""
    if upload.image.format not in FORMATS:
        raise ValidationError("This is not a JPEG, PNG or WebP image.", code="format")
    if upload.size > MAX_BYTES:
        raise ValidationError(f"The file has {upload.size / 1024**2:.1f} MB; up to 5 MB are taken.", code="too_large")
    if upload.image.width * upload.image.height > MAX_PIXELS:
        raise ValidationError("The image has more than 40 million pixels.", code="too_many_pixels")


def as_webp(file: File) -> ContentFile:
    with Image.open(file, formats=FORMATS) as image:
        upright = ImageOps.exif_transpose(image)
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        upright.thumbnail((MAX_SIDE, MAX_SIDE))
        encoded = io.BytesIO()
        upright.save(encoded, "WEBP", quality=82)
    return ContentFile(encoded.getvalue())


class WebPImageFieldFile(ImageFieldFile):
    def save(self, name: str, content: File, save: bool = True) -> None:
        content.seek(0)
        super().save(name, as_webp(content), save)


class WebPImageField(models.ImageField):
    """An image that is checked as a form takes it, and stored as WebP however it came."""

    attr_class = WebPImageFieldFile

    def formfield(self, **kwargs: object) -> Field:
        return super().formfield(**{"validators": [validate_upload], **kwargs})
