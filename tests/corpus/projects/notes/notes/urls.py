from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import path

from board.models import Note
from board.tasks import shout


def board(request):
    if request.method == "POST":
        shout(Note.objects.create(text=request.POST["text"]).pk)
        return HttpResponseRedirect("/")
    return render(request, "board.html", {"notes": Note.objects.order_by("pk")})


urlpatterns = [path("", board)]
