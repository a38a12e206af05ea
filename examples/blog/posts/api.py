"""A small JSON API: read posts, read and leave comments. Plain views; nothing here needs a framework."""

import json
from collections.abc import Callable

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from posts.forms import CommentForm, PostForm
from posts.models import Comment, DailyCount, Post
from posts.search import search
from posts.text import parameter

PAGE_SIZE = 10
MAX_PAGE_SIZE = 50

revalidated = cache_control(public=True, no_cache=True)


@require_http_methods(["GET", "HEAD", "POST"])
def posts(request: HttpRequest) -> JsonResponse:
    """GET lists them; POST publishes one, of whoever is signed in and may."""
    return publish(request) if request.method == "POST" else post_list(request)


def publish(request: HttpRequest) -> JsonResponse:
    """POST /api/posts/, a form with title, summary, body, image and image_alt; the session says who writes."""
    if not request.user.is_authenticated:
        return JsonResponse({"error": "Sign in first."}, status=401)
    if not request.user.has_perm("posts.add_post"):
        return JsonResponse({"error": "You may read, and not write."}, status=403)
    form = PostForm(request.POST, request.FILES)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    post = Post.objects.for_listing().get(pk=form.publish(request.user).pk)
    return JsonResponse(post_summary(request, post), status=201)


@require_safe
@revalidated
def post_list(request: HttpRequest) -> JsonResponse:
    """GET /api/posts/?q=words&tag=slug&page=2&page_size=20"""
    posts = Post.objects.published()
    if tag := parameter(request, "tag"):
        posts = posts.filter(tags__slug=tag)
    if words := parameter(request, "q"):
        posts = search(posts, words)
    return paginated(request, posts.for_listing(), lambda post: post_summary(request, post))


@require_safe
@revalidated
def post_detail(request: HttpRequest, slug: str) -> JsonResponse:
    post = get_object_or_404(Post.objects.published().for_listing(), slug=slug)
    return JsonResponse(post_summary(request, post) | {"body": post.body, "html": post.html})


@require_safe
@revalidated
def counts(request: HttpRequest) -> JsonResponse:
    """GET /api/counts/: what the blog amounted to, night by night, the newest first."""
    rows = DailyCount.objects.all()[:30].values("day", "posts", "words", "comments")
    return JsonResponse({"results": list(rows)})


@csrf_exempt  # it knows nobody: no cookie is read, and JSON can't be sent by another site's form
@require_http_methods(["GET", "HEAD", "POST"])
@revalidated
def comments(request: HttpRequest, slug: str) -> JsonResponse:
    """GET lists the approved ones; POST {"name", "email", "body"} leaves one, which is then to be approved (202)."""
    post = get_object_or_404(Post.objects.published(), slug=slug)
    if request.method == "POST":
        return create_comment(request, post)
    return paginated(request, post.comments.approved(), comment_json)


def create_comment(request: HttpRequest, post: Post) -> JsonResponse:
    if request.content_type != "application/json":
        return JsonResponse({"error": "Send application/json."}, status=415)
    try:
        data = json.loads(request.body)
        json.dumps(data, ensure_ascii=False).encode()  # JSON can spell half a character, which no database takes
    except (ValueError, RecursionError):
        return JsonResponse({"error": "The body is not JSON."}, status=400)
    if not isinstance(data, dict):
        return JsonResponse({"error": "The body is not a JSON object."}, status=400)
    form = CommentForm({key: value for key, value in data.items() if isinstance(value, str)})
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    form.instance.post = post
    return JsonResponse(comment_json(form.save()) | {"status": Comment.Status.PENDING}, status=202)


def paginated(request: HttpRequest, rows: QuerySet, serialise: Callable[[Model], dict[str, object]]) -> JsonResponse:
    page = Paginator(rows, page_size(request)).get_page(request.GET.get("page"))
    return JsonResponse(
        {
            "count": page.paginator.count,
            "next": page_url(request, page.next_page_number()) if page.has_next() else None,
            "previous": page_url(request, page.previous_page_number()) if page.has_previous() else None,
            "results": [serialise(row) for row in page],
        }
    )


def page_size(request: HttpRequest) -> int:
    """What ?page_size= asks for, from 1 to MAX_PAGE_SIZE; the usual one where it is no number."""
    asked = request.GET.get("page_size", "")
    return min(max(int(asked), 1), MAX_PAGE_SIZE) if asked.isdecimal() and len(asked) < 6 else PAGE_SIZE


def page_url(request: HttpRequest, number: int) -> str:
    query = request.GET.copy()
    query["page"] = str(number)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def post_summary(request: HttpRequest, post: Post) -> dict[str, object]:
    return {
        "slug": post.slug,
        "title": post.title,
        "summary": post.summary,
        "author": post.author.get_full_name() or post.author.get_username(),
        "published_at": post.published_at,
        "tags": [tag.slug for tag in post.tags.all()],
        "image": request.build_absolute_uri(post.image.url) if post.image else None,
        "image_alt": post.image_alt,
        "thumbnail": request.build_absolute_uri(post.thumbnail.url) if post.thumbnail else None,
        "comments": post.comment_count,
        "url": request.build_absolute_uri(reverse("api:post", args=[post.slug])),
        "page": request.build_absolute_uri(post.get_absolute_url()),
    }


def comment_json(comment: Comment) -> dict[str, object]:
    return {"id": comment.id, "name": comment.name, "body": comment.body, "created_at": comment.created_at}
