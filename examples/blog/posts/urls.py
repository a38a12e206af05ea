from django.urls import path

from posts import feeds, views
from posts.media import media

app_name = "posts"
urlpatterns = [
    path("", views.home, name="home"),
    path("posts/<slug:slug>/", views.detail, name="detail"),
    path("tags/<slug:slug>/", views.by_tag, name="tag"),
    path("search/", views.results, name="search"),
    path("about/", views.about, name="about"),
    path("feeds/rss.xml", feeds.RssFeed(), name="rss"),
    path("feeds/atom.xml", feeds.AtomFeed(), name="atom"),
    path("media/<path:path>", media, name="media"),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", views.favicon, name="favicon"),
]
