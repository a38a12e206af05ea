"""Static files from where the project keeps them, and uploads, as Django serves them while DEBUG is on."""

# Django is the image's.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit


def wsgi(project: Any) -> Any:
    """With the files in front; the project itself where it has none."""
    from django.core.handlers.wsgi import get_path_info

    if not wanted():
        return project
    from django.contrib.staticfiles.handlers import StaticFilesHandler

    class Files(_Uploads, StaticFilesHandler):  # type: ignore[misc]
        def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
            if not self._should_handle(get_path_info(environ)):
                return self.application(environ, start_response)
            return super(StaticFilesHandler, self).__call__(environ, start_response)

    return Files(project)


def asgi(project: Any) -> Any:
    """As `wsgi`."""
    if not wanted():
        return project
    from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

    class Files(_Uploads, ASGIStaticFilesHandler):  # type: ignore[misc]
        pass

    return Files(project)


def wanted() -> bool:
    """Whether Django would serve them: there are such files, and DEBUG is on."""
    from django.apps import apps
    from django.conf import settings

    return bool(settings.DEBUG and settings.STATIC_URL and apps.is_installed("django.contrib.staticfiles"))


class _Uploads:
    """Adds MEDIA_URL, which Django leaves to the project's urls, to a handler of static files."""

    base_url: Any

    def _should_handle(self, path: str) -> bool:
        return super()._should_handle(path) or self._upload(path) is not None  # type: ignore[misc]

    def serve(self, request: Any) -> Any:
        """The file that is asked for."""
        if (upload := self._upload(request.path)) is None:
            return super().serve(request)  # type: ignore[misc]
        from django.conf import settings
        from django.views.static import serve

        return serve(request, upload, document_root=settings.MEDIA_ROOT)

    def _upload(self, path: str) -> str | None:
        """What of the path is below MEDIA_ROOT; None where it is not there."""
        from django.conf import settings

        prefix = urlsplit(settings.MEDIA_URL or "").path
        if not settings.MEDIA_ROOT or not prefix.strip("/") or not path.startswith(prefix):
            return None
        return path[len(prefix) :]
