"""Uploaded images: looked at before they are accepted, and written anew before they are kept.

What is stored is never the file that came in: it is decoded, turned upright, made no larger than a page needs and
encoded as WebP. So nothing hidden in an upload (a script after the pixels, where a photo was taken) is ever served.
"""

import io
import uuid

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db.models.fields.files import FieldFile, ImageFieldFile
from django.utils import timezone
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE = 1600


def upload_path(instance: object, filename: str) -> str:
    """A name that nobody chose and that is never used again, so that it may be cached for ever."""
    return f"posts/{timezone.now():%Y/%m}/{uuid.uuid4().hex}.webp"


def validate_image(file: FieldFile) -> None:
    """Refuse what is too large or not one of FORMATS, whatever its name says. Pixels are not decoded here."""
    if file._committed:  # stored before, and validated then
        return
    if file.size > MAX_BYTES:
        raise ValidationError(f"The file has {file.size / 1024 / 1024:.1f} MB; up to 5 MB are taken.", code="too_large")
    file.seek(0)
    try:
        image = Image.open(file, formats=FORMATS)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError) as error:
        raise ValidationError("This is not a JPEG, PNG or WebP image.", code="not_an_image") from error
    if image.width * image.height > MAX_PIXELS:
        raise ValidationError("The image has more than 40 million pixels.", code="too_many_pixels")


def prepare(file: ImageFieldFile) -> None:
    """Replace an upload that is not stored yet by its clean WebP; one that is stored is left alone."""
    if file and not file._committed:
        file.seek(0)
        file.save(file.name, as_webp(file), save=False)


def as_webp(file: io.IOBase) -> ContentFile:
    with Image.open(file, formats=FORMATS) as image:
        upright = ImageOps.exif_transpose(image)
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        upright.thumbnail((MAX_SIDE, MAX_SIDE))
        encoded = io.BytesIO()
        upright.save(encoded, "WEBP", quality=82)
    return ContentFile(encoded.getvalue())
