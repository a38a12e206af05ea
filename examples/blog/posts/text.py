import hashlib

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

WORDS_PER_MINUTE = 220

# HTML in the source is escaped and `javascript:` links are refused, so what comes out is safe whoever wrote it.
_markdown = MarkdownIt("commonmark", {"html": False, "typographer": True}).enable(
    ["replacements", "smartquotes", "table"]
)


def markdown(source: str) -> SafeString:
    return mark_safe(_markdown.render(source))


def remembered_markdown(source: str) -> SafeString:
    """The same, from the cache where somebody asked before; a text that changes is another key."""
    key = f"markdown-{hashlib.sha256(source.encode()).hexdigest()}"
    return mark_safe(cache.get_or_set(key, lambda: str(markdown(source)), timeout=24 * 3600))


def parameter(request: HttpRequest, name: str) -> str:
    """What the address gives for a name, fit for a database: without NUL (PostgreSQL takes none), not endless."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:200]


def reading_minutes(source: str) -> int:
    return max(1, round(len(source.split()) / WORDS_PER_MINUTE))
