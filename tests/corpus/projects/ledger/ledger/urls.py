from django.shortcuts import render
from django.urls import path

from entries.models import Entry


def book(request):
    Entry.objects.create(amount=1)
    return render(request, "book.html", {"entries": Entry.objects.all()})


urlpatterns = [path("books/ledger/", book)]
