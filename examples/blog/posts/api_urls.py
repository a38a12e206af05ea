from django.urls import path

from posts import api, session

app_name = "api"
urlpatterns = [
    path("session/", session.session, name="session"),
    path("posts/", api.posts, name="posts"),
    path("posts/<slug:slug>/", api.post_detail, name="post"),
    path("posts/<slug:slug>/comments/", api.comments, name="comments"),
    path("counts/", api.counts, name="counts"),
]
