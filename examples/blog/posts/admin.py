from datetime import date

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from posts.models import Comment, Post, Tag

admin.site.site_header = settings.SITE_NAME
admin.site.site_title = settings.SITE_NAME
admin.site.index_title = "Editorial desk"


class CommentInline(admin.TabularInline):
    model = Comment
    fields = ["name", "body", "status", "created_at"]
    readonly_fields = ["name", "body", "created_at"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Post | None = None) -> bool:
        return False


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    list_display = ["title", "picture", "status", "published_on", "author", "waiting_comments"]
    list_filter = ["status", "tags", "author"]
    list_select_related = ["author"]
    search_fields = ["title", "summary", "body"]
    date_hierarchy = "published_at"
    prepopulated_fields = {"slug": ["title"]}
    filter_horizontal = ["tags"]
    actions = ["publish", "unpublish"]
    inlines = [CommentInline]
    readonly_fields = ["image_preview", "text_preview", "created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "summary", "body", "text_preview"]}),
        ("Image", {"fields": ["image", "image_preview", "image_alt"]}),
        ("Publication", {"fields": ["status", "published_at", "author", "tags", "created_at", "updated_at"]}),
    ]

    class Media:
        css = {"all": ["posts/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Post]:
        waiting = Count("comments", filter=Q(comments__status=Comment.Status.PENDING))
        return super().get_queryset(request).annotate(waiting=waiting)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, object]:
        return {"author": request.user.pk} | super().get_changeform_initial_data(request)

    @admin.display(description="published", ordering="published_at")
    def published_on(self, post: Post) -> date | None:
        return post.published_at and post.published_at.date()

    @admin.display(description="waiting", ordering="waiting")
    def waiting_comments(self, post: Post) -> int:
        return post.waiting

    @admin.display(description="image")
    def picture(self, post: Post) -> SafeString | str:
        if not post.image:
            return ""
        return format_html(
            '<img class="post-thumbnail" src="{}" alt="{}" loading="lazy">',
            (post.thumbnail or post.image).url,
            post.image_alt,
        )

    @admin.display(description="preview")
    def image_preview(self, post: Post) -> SafeString | str:
        if not post.image:
            return "None yet."
        return format_html('<img class="post-image" src="{}" alt="{}">', post.image.url, post.image_alt)

    @admin.display(description="preview")
    def text_preview(self, post: Post) -> SafeString | str:
        """The text as it was last saved, set as readers see it."""
        return format_html('<div class="post-preview">{}</div>', post.html) if post.body else "Save to see it."

    @admin.action(description="Publish the selected posts", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Post]) -> None:
        chosen = Post.objects.filter(pk__in=queryset.values("pk"), status=Post.Status.DRAFT)
        count = chosen.update(status=Post.Status.PUBLISHED, published_at=Coalesce("published_at", Now()))
        self.message_user(request, f"Published: {count}.", messages.SUCCESS)

    @admin.action(description="Take the selected posts back to draft", permissions=["change"])
    def unpublish(self, request: HttpRequest, queryset: QuerySet[Post]) -> None:
        count = Post.objects.filter(pk__in=queryset.values("pk")).update(status=Post.Status.DRAFT)
        self.message_user(request, f"Taken back: {count}.", messages.SUCCESS)


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):
    list_display = ["name", "beginning", "post", "status", "created_at"]
    list_filter = ["status", "created_at"]
    list_select_related = ["post"]
    search_fields = ["name", "email", "body", "post__title"]
    autocomplete_fields = ["post"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    actions = ["approve", "mark_as_spam"]

    @admin.display(description="comment")
    def beginning(self, comment: Comment) -> str:
        return f"{comment.body[:80]}…" if len(comment.body) > 80 else comment.body

    @admin.action(description="Approve the selected comments", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        self.message_user(request, f"Approved: {queryset.update(status=Comment.Status.APPROVED)}.", messages.SUCCESS)

    @admin.action(description="Mark the selected comments as spam", permissions=["change"])
    def mark_as_spam(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        self.message_user(request, f"Marked as spam: {queryset.update(status=Comment.Status.SPAM)}.", messages.SUCCESS)


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "number_of_posts"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        return super().get_queryset(request).annotate(post_count=Count("posts"))

    @admin.display(description="posts", ordering="post_count")
    def number_of_posts(self, tag: Tag) -> int:
        return tag.post_count
