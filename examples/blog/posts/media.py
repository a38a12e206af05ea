from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

IMAGE_TYPES = {".webp": "image/webp", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}
YEAR = 365 * 24 * 3600


@require_safe
@cache_control(public=True, max_age=YEAR, immutable=True)
def media(request: HttpRequest, path: str) -> FileResponse:
    """An uploaded file, for sites without a server in front that would do it.

    Only images are shown in the page, by a type from our own list; all else is a download. No browser may guess
    another type or run anything that is in it. Names are never used twice (images.upload_path), so copies keep.
    """
    try:
        file = default_storage.open(path)
    except (SuspiciousFileOperation, OSError, ValueError) as error:
        raise Http404 from error
    kind = IMAGE_TYPES.get(path[path.rfind(".") :].lower())
    response = FileResponse(file, as_attachment=kind is None, content_type=kind or "application/octet-stream")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
