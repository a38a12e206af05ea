from django.contrib import admin
from django.contrib.sitemaps.views import sitemap
from django.urls import include, path
from django.views.decorators.cache import cache_control
from posts.sitemaps import SITEMAPS

urlpatterns = [
    path("", include("posts.urls")),
    path("api/", include("posts.api_urls")),
    path("admin/", admin.site.urls),
    path(
        "sitemap.xml",
        cache_control(public=True, max_age=3600)(sitemap),
        {"sitemaps": SITEMAPS},
        name="django.contrib.sitemaps.views.sitemap",
    ),
]
