from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.http import JsonResponse
from django.urls import path


def home(request):
    return JsonResponse({"database": connection.vendor, "debug": settings.DEBUG})


urlpatterns = [path("", home), path("admin/", admin.site.urls)]
