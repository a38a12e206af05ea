from django.http import HttpResponse
from django.urls import path

from stories.models import Story
from stories.tasks import write


def front_page(request):
    return HttpResponse("".join(f"<p>{title}</p>" for title in Story.objects.values_list("title", flat=True)) + "<hr>")


def order(request):
    write.delay("written by the worker")
    return HttpResponse("ordered")


urlpatterns = [path("", front_page), path("order/", order)]
