from datetime import datetime

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.cache import cache_control

from posts.models import Post, PostQuerySet

LENGTH = 20


class RssFeed(Feed):
    title = settings.SITE_NAME
    description = settings.SITE_TAGLINE
    link = reverse_lazy("posts:home")

    def __call__(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        return cache_control(public=True, max_age=300)(super().__call__)(request, *args, **kwargs)

    def items(self) -> PostQuerySet:
        return Post.objects.published().select_related("author").prefetch_related("tags")[:LENGTH]

    def item_title(self, item: Post) -> str:
        return item.title

    def item_description(self, item: Post) -> str:
        return item.html

    def item_author_name(self, item: Post) -> str:
        return item.author.get_full_name() or item.author.get_username()

    def item_pubdate(self, item: Post) -> datetime:
        return item.published_at

    def item_updateddate(self, item: Post) -> datetime:
        return item.updated_at

    def item_categories(self, item: Post) -> list[str]:
        return [tag.name for tag in item.tags.all()]


class AtomFeed(RssFeed):
    feed_type = Atom1Feed
    subtitle = RssFeed.description
