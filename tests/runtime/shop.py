"""A small project to be served: pages, a slow one, static files, uploads, and no answer for either of the last two."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "shop/__init__.py": "",
    "shop/settings.py": """
        from pathlib import Path

        SECRET_KEY = "only for tests"
        ALLOWED_HOSTS = ["shop.example.com"]
        SECURE_SSL_REDIRECT = False
        ROOT_URLCONF = "shop.urls"
        WSGI_APPLICATION = "shop.wsgi.application"
        INSTALLED_APPS = ["django.contrib.staticfiles"]
        MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
        DATABASES = {}
        from nuages_runtime.logs import config

        LOGGING = config("json")
        STATIC_URL = "static/"
        STATIC_ROOT = Path(__file__).parent.parent / "collected"
        MEDIA_URL = "/media/"
        MEDIA_ROOT = Path(__file__).parent.parent / "uploads"
        TEMPLATES = []
    """,
    "shop/urls.py": """
        import logging
        import time

        from django.http import HttpResponse, StreamingHttpResponse
        from django.urls import path


        def page(request):
            logging.getLogger("shop").warning("a page is made")
            return HttpResponse(f"a page, {request.scheme}, {request.headers['X-Request-ID']}")


        def slow(request):
            time.sleep(0.3)
            return HttpResponse("slow")


        def broken(request):
            raise ValueError("it is broken")


        urlpatterns = [
            path("", page, name="page"),
            path("slow/", slow, name="slow"),
            path("broken/", broken, name="broken"),
        ]
    """,
    "shop/wsgi.py": """
        from django.core.wsgi import get_wsgi_application

        application = get_wsgi_application()
    """,
    "shop/asgi.py": """
        from django.core.asgi import get_asgi_application

        application = get_asgi_application()
    """,
    "shop/celery.py": """
        import logging
        import os
        import time

        from celery import Celery

        app = Celery("shop", broker=os.environ["CELERY_BROKER_URL"], backend=os.environ["CELERY_RESULT_BACKEND"])
        app.config_from_object("django.conf:settings", namespace="CELERY")


        @app.task
        def add(a, b):
            logging.getLogger("shop").warning("adding %s and %s", a, b)
            return a + b


        @app.task(acks_late=True)
        def sleep(seconds):
            time.sleep(seconds)
    """,
    "collected/app.css": "body { color: orange }\n",
    "collected/app.1f418065fc2c.css": "body { color: maroon }\n",
    "uploads/cat.txt": "a cat, in ten words or a few more than that\n",
    "uploads/page.html": "<script>alert(1)</script>\n",
    "uploads/.hidden": "hidden\n",
    "secret.txt": "not to be had\n",
}


def write(folder: Path) -> Path:
    """The project, in that folder."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = text.splitlines()
        file.write_text("\n".join(line.removeprefix("        ") for line in lines).lstrip("\n") + "\n" if lines else "")
    return folder
