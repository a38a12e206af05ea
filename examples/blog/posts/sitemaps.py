from datetime import datetime

from django.contrib.sitemaps import Sitemap
from django.urls import reverse

from posts.models import Post, PostQuerySet


class PostSitemap(Sitemap):
    def items(self) -> PostQuerySet:
        return Post.objects.published()

    def lastmod(self, item: Post) -> datetime:
        return item.updated_at


class PageSitemap(Sitemap):
    def items(self) -> list[str]:
        return ["posts:home", "posts:about"]

    def location(self, item: str) -> str:
        return reverse(item)


SITEMAPS = {"posts": PostSitemap, "pages": PageSitemap}
