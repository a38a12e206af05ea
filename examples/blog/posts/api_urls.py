from django.urls import path

from posts import api

app_name = "api"
urlpatterns = [
    path("posts/", api.post_list, name="posts"),
    path("posts/<slug:slug>/", api.post_detail, name="post"),
    path("posts/<slug:slug>/comments/", api.comments, name="comments"),
]
