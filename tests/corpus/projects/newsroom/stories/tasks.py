from celery import shared_task

from stories.models import Story


@shared_task
def write(title):
    Story.objects.create(title=title)
