"""Which view answers a request: known only inside Django, where the request's `resolver_match` is set.

Django's handlers make their requests of `request_class`, so a subclass that notes the match is all that is needed. A
project whose application hides the handler (wrapped by something else) has no views in its metrics.
"""

# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

from typing import Any


def tell(project: object) -> None:
    """Have the application's handler note its views, where it is Django's or has one inside."""
    from django.core.handlers.base import BaseHandler  # noqa: PLC0415 - the image's

    handler: Any = project
    for _ in range(5):
        if isinstance(handler, BaseHandler):
            handler.request_class = noting(handler.request_class)  # type: ignore[attr-defined,unused-ignore]
            return
        # Channels has one application a protocol; WhiteNoise and Sentry keep what they wrap as `application` or `app`.
        mapping = getattr(handler, "application_mapping", None) or {}
        handler = mapping.get("http") or getattr(handler, "application", None) or getattr(handler, "app", None)


def noting(request_class: Any) -> type:
    """A subclass whose `resolver_match` is noted in the request that wsgi.py or asgi.py began."""

    class Request(request_class):  # type: ignore[misc]
        @property
        def resolver_match(self) -> Any:
            return self.__dict__.get("resolver_match")

        @resolver_match.setter
        def resolver_match(self, match: Any) -> None:
            self.__dict__["resolver_match"] = match
            carrier = self.__dict__.get("scope") or self.__dict__.get("environ")
            if match is not None and carrier and (request := carrier.get("nuages.request")):
                request.view = match.view_name or getattr(match, "_func_path", "")

    Request.__name__ = Request.__qualname__ = request_class.__name__
    return Request
