"""Small pictures for lists, made of an upload by a worker; without a broker in the request that brought it."""

import io
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from PIL import Image

from posts import models

SIDE = 320


def name_of(image: str) -> str:
    """posts/2026/11/abc.webp -> thumbnails/2026/11/abc.webp: known beforehand, so whoever makes it makes the same."""
    return str(PurePosixPath("thumbnails", *PurePosixPath(image).parts[1:])) if image else ""


def order(post: "models.Post") -> None:
    """Have it made once the post is in the database. That the broker is away stops nobody from writing."""
    from posts.tasks import make_thumbnail  # noqa: PLC0415 - it imports this module

    if post.thumbnail.name != name_of(post.image.name):
        transaction.on_commit(partial(make_thumbnail.delay, post.pk, post.image.name), robust=True)


def make(post: int, image: str) -> None:
    """Make it and note it, unless the post has another image by now."""
    posts = models.Post.objects.filter(pk=post, image=image)
    if not posts.exists():
        return
    name = name_of(image)
    if name and not default_storage.exists(name):
        name = default_storage.save(name, small(image))
    posts.update(thumbnail=name)


def small(image: str) -> ContentFile:
    with default_storage.open(image) as file, Image.open(file) as picture:
        picture.thumbnail((SIDE, SIDE))
        encoded = io.BytesIO()
        picture.save(encoded, "WEBP", quality=75)
    return ContentFile(encoded.getvalue())


def missing() -> Iterator[tuple[int, str]]:
    """Posts whose thumbnail is not that of their image."""
    pictured = models.Post.objects.exclude(image="").order_by("pk")
    for pk, image, thumbnail in pictured.values_list("pk", "image", "thumbnail").iterator():
        if thumbnail != name_of(image):
            yield pk, image
