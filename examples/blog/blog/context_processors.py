import socket

from django.conf import settings
from django.http import HttpRequest

HOST = socket.gethostname()


def site(request: HttpRequest) -> dict[str, object]:
    """What every page shows: the name and colour of the site, and who answered."""
    return {
        "site": {
            "name": settings.SITE_NAME,
            "tagline": settings.SITE_TAGLINE,
            "color": settings.COLOR,
            "host": HOST,
            "release": settings.RELEASE,
        }
    }
