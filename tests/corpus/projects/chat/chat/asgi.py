import os

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chat.settings")
django_application = get_asgi_application()

from chat.consumers import Echo  # noqa: E402  # after the settings, as Channels wants it

websockets = AllowedHostsOriginValidator(URLRouter([path("ws/echo/", Echo.as_asgi())]))
application = ProtocolTypeRouter({"http": django_application, "websocket": websockets})
