"""What the tests write about."""

import io
from datetime import timedelta

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from posts.models import Comment, Post, Tag


def author() -> User:
    return User.objects.get_or_create(username="noor", first_name="Noor", last_name="Lindqvist")[0]


def post(title: str = "On chisels", *, tags: tuple[str, ...] = (), **fields: object) -> Post:
    """A post that was published yesterday, unless the fields say otherwise."""
    slug = title.lower().replace(" ", "-")
    defaults = {
        "slug": slug,
        "summary": "A summary.",
        "body": "Some *text*.",
        "author": author(),
        "status": Post.Status.PUBLISHED,
        "published_at": timezone.now() - timedelta(days=1),
    }
    created = Post.objects.create(title=title, **defaults | fields)
    created.tags.set(Tag.objects.get_or_create(name=name, slug=name.lower())[0] for name in tags)
    return created


def comment(post: Post, body: str = "Well said.", *, status: str = Comment.Status.APPROVED) -> Comment:
    return Comment.objects.create(post=post, name="Mirela", body=body, status=status)


def picture(
    name: str = "photo.jpg", kind: str = "JPEG", size: tuple[int, int] = (40, 30), **options: object
) -> SimpleUploadedFile:
    data = io.BytesIO()
    Image.new("RGB", size, "teal").save(data, kind, **options)
    return SimpleUploadedFile(name, data.getvalue(), content_type=f"image/{kind.lower()}")
