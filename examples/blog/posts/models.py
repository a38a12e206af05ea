import uuid

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from posts import images, text, thumbnails


class SlugQuerySet(models.QuerySet):
    def get_by_natural_key(self, slug: str) -> models.Model:
        return self.get(slug=slug)


class Tag(models.Model):
    name = models.CharField(max_length=50, unique=True)
    slug = models.SlugField(max_length=50, unique=True)

    objects = SlugQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.slug,)

    def get_absolute_url(self) -> str:
        return reverse("posts:tag", args=[self.slug])


class PostQuerySet(SlugQuerySet):
    def published(self) -> "PostQuerySet":
        """Those a visitor may read now: published, and not dated in the future."""
        return self.filter(status=Post.Status.PUBLISHED, published_at__lte=timezone.now())

    def for_listing(self) -> "PostQuerySet":
        """With all that a list shows, in two queries however long it is.

        Comments are counted in a subquery: grouping would drop the order, and multiply with other joins.
        """
        approved = Comment.objects.approved().filter(post=OuterRef("pk")).order_by().values("post")
        count = Coalesce(Subquery(approved.annotate(count=Count("pk")).values("count")), 0)
        return self.select_related("author").prefetch_related("tags").annotate(comment_count=count)


class Post(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"

    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True)
    summary = models.CharField(max_length=300, help_text="One or two sentences, for lists, feeds and search engines.")
    body = models.TextField(help_text="Markdown. HTML is shown as it is written, not interpreted.")
    image = images.WebPImageField(
        upload_to=images.upload_path,
        width_field="image_width",
        height_field="image_height",
        blank=True,
        help_text="JPEG, PNG or WebP, up to 5 MB. It is resized, and loses what the camera noted.",
    )
    image_width = models.PositiveIntegerField(null=True, blank=True, editable=False)
    image_height = models.PositiveIntegerField(null=True, blank=True, editable=False)
    image_alt = models.CharField(
        "description of the image", max_length=200, blank=True, help_text="For those who do not see it."
    )
    thumbnail = models.ImageField(blank=True, default="", editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="posts")
    tags = models.ManyToManyField(Tag, related_name="posts", blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    published_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Set when it is first published. A time to come holds the post back.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        ordering = ["-published_at", "-id"]
        indexes = [models.Index(fields=["status", "-published_at"], name="posts_post_published")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="draft") | Q(published_at__isnull=False),
                name="posts_post_published_has_a_date",
                violation_error_message="A published post needs a date.",
            )
        ]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        if self.status == self.Status.PUBLISHED and self.published_at is None:
            self.published_at = timezone.now()

    def save(self, *args: object, **kwargs: object) -> None:
        super().save(*args, **kwargs)
        thumbnails.order(self)

    def natural_key(self) -> tuple[str]:
        return (self.slug,)

    def get_absolute_url(self) -> str:
        return reverse("posts:detail", args=[self.slug])

    @property
    def is_public(self) -> bool:
        return self.status == self.Status.PUBLISHED and self.published_at <= timezone.now()

    @cached_property
    def html(self) -> SafeString:
        return text.remembered_markdown(self.body)

    @property
    def reading_minutes(self) -> int:
        return text.reading_minutes(self.body)


class DailyCount(models.Model):
    """What the blog amounted to at the end of a day; `manage.py count` notes it every night."""

    day = models.DateField(primary_key=True)
    posts = models.PositiveIntegerField()
    words = models.PositiveIntegerField()
    comments = models.PositiveIntegerField()

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"{self.day}: {self.posts} posts"


class CommentQuerySet(models.QuerySet):
    def approved(self) -> "CommentQuerySet":
        return self.filter(status=Comment.Status.APPROVED)


class Comment(models.Model):
    """What a visitor wrote under a post; nobody sees it before a moderator did."""

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting"
        APPROVED = "approved", "Approved"
        SPAM = "spam", "Spam"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comments")
    name = models.CharField(max_length=80)
    email = models.EmailField("e-mail", blank=True, help_text="Never shown.")
    body = models.TextField("comment", validators=[MaxLengthValidator(4000)])
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        indexes = [models.Index(fields=["post", "status", "created_at"], name="posts_comment_shown")]

    def __str__(self) -> str:
        return f"{self.name} on {self.post}"
