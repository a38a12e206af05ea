from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from posts.forms import CommentForm
from posts.models import Post, Tag
from posts.search import search
from posts.statistics import statistics
from posts.text import parameter

PAGE_SIZE = 5

# A copy may be kept, but is asked about every time; ConditionalGetMiddleware answers 304 where nothing changed.
revalidated = cache_control(public=True, no_cache=True)


def page_of(request: HttpRequest, posts: QuerySet) -> Page:
    """The page asked for by ?page=; the nearest one where that makes no sense."""
    return Paginator(posts, PAGE_SIZE).get_page(request.GET.get("page"))


@require_safe
@revalidated
def home(request: HttpRequest) -> HttpResponse:
    page = page_of(request, Post.objects.published().for_listing())
    return render(request, "posts/list.html", {"page": page, "tags": used_tags()})


@require_safe
@revalidated
def by_tag(request: HttpRequest, slug: str) -> HttpResponse:
    tag = get_object_or_404(Tag, slug=slug)
    page = page_of(request, tag.posts.published().for_listing())
    return render(request, "posts/list.html", {"page": page, "tags": used_tags(), "tag": tag})


@require_safe
@revalidated
def results(request: HttpRequest) -> HttpResponse:
    words = parameter(request, "q")
    found = search(Post.objects.published(), words).for_listing() if words else Post.objects.none()
    return render(request, "posts/search.html", {"page": page_of(request, found), "words": words})


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_cache=True)
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One post with its comments; a POST leaves a comment, which waits for a moderator."""
    post = readable_post(request, slug)
    form = CommentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not form.looks_automatic:
            form.instance.post = post
            form.save()
        messages.success(request, "Thank you. Your comment appears once it was read by a moderator.")
        return redirect(f"{post.get_absolute_url()}#comments")
    around = Post.objects.published().exclude(pk=post.pk)
    context = {
        "post": post,
        "comments": post.comments.approved(),
        "form": form,
        "older": around.filter(published_at__lt=post.published_at).first() if post.published_at else None,
        "newer": around.filter(published_at__gt=post.published_at).last() if post.published_at else None,
    }
    return render(request, "posts/detail.html", context, status=422 if form.errors else 200)


def readable_post(request: HttpRequest, slug: str) -> Post:
    """The post, if it is public; editors read drafts too, and may not comment on them."""
    post = get_object_or_404(Post.objects.select_related("author").prefetch_related("tags"), slug=slug)
    if post.is_public or (request.method in ("GET", "HEAD") and request.user.has_perm("posts.view_post")):
        return post
    raise Http404


@require_safe
@revalidated
def about(request: HttpRequest) -> HttpResponse:
    """The one page that Jinja2 renders."""
    return render(request, "posts/about.html", {"statistics": statistics()}, using="jinja2")


@require_GET
@cache_control(public=True, max_age=3600)
def robots(request: HttpRequest) -> HttpResponse:
    sitemap = request.build_absolute_uri(reverse("django.contrib.sitemaps.views.sitemap"))
    return HttpResponse(f"User-agent: *\nDisallow: /admin/\nDisallow: /search/\nSitemap: {sitemap}\n", "text/plain")


@require_safe
@cache_control(public=True, max_age=3600)
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look that have not been told, on the admin's pages for one."""
    return redirect(static("posts/favicon.svg"))


def used_tags() -> QuerySet[Tag]:
    published = Q(posts__in=Post.objects.published())
    return Tag.objects.annotate(post_count=Count("posts", filter=published)).filter(post_count__gt=0).order_by("name")
