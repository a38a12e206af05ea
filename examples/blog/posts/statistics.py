from typing import NamedTuple

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMonth

from posts.models import Comment, Post


class Month(NamedTuple):
    month: str
    posts: int


class Statistics(NamedTuple):
    posts: int
    words: int
    comments: int
    authors: int
    months: list[Month]

    @property
    def busiest(self) -> int:
        return max((month.posts for month in self.months), default=0)


def statistics() -> Statistics:
    """What the blog amounts to, in three queries."""
    posts = Post.objects.published()
    bodies = list(posts.values_list("body", "author"))
    return Statistics(
        posts=len(bodies),
        words=sum(len(body.split()) for body, _ in bodies),
        comments=Comment.objects.approved().filter(post__in=posts).count(),
        authors=len({author for _, author in bodies}),
        months=[Month(f"{row['month']:%B %Y}", row["count"]) for row in by_month(posts)],
    )


def by_month(posts: QuerySet[Post]) -> QuerySet:
    return (
        posts.annotate(month=TruncMonth("published_at")).values("month").annotate(count=Count("id")).order_by("month")
    )
