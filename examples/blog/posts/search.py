from functools import reduce
from operator import and_

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db import connections
from django.db.models import Q

from posts.models import PostQuerySet


def search(posts: PostQuerySet, words: str) -> PostQuerySet:
    """Posts that have all the words, the best first on PostgreSQL, the newest first elsewhere."""
    if connections[posts.db].vendor == "postgresql":
        return full_text(posts, words)
    return substrings(posts, words)


def full_text(posts: PostQuerySet, words: str) -> PostQuerySet:
    """By stems and rank; understands "quoted phrases", `or` and -without.

    The vector is computed per query: for some thousand posts that is milliseconds, and needs no trigger or column.
    """
    vector = (
        SearchVector("title", weight="A", config="english")
        + SearchVector("summary", weight="B", config="english")
        + SearchVector("body", weight="C", config="english")
    )
    query = SearchQuery(words, config="english", search_type="websearch")
    return (
        posts.annotate(vector=vector, rank=SearchRank(vector, query))
        .filter(vector=query)
        .order_by("-rank", "-published_at")
    )


def substrings(posts: PostQuerySet, words: str) -> PostQuerySet:
    conditions = (
        Q(title__icontains=word) | Q(summary__icontains=word) | Q(body__icontains=word) for word in words.split()
    )
    return posts.filter(reduce(and_, conditions, Q()))
