from django.conf import settings
from django.http import HttpResponse
from django.urls import path


async def room(request):
    return HttpResponse(f"room, debug is {settings.DEBUG}")


urlpatterns = [path("", room)]
