from django.core.management.base import BaseCommand
from django.utils import timezone

from posts.models import DailyCount
from posts.statistics import statistics


class Command(BaseCommand):
    help = "Note what the blog amounts to today; once more on the same day, it is corrected."

    def handle(self, **_: object) -> None:
        now = statistics()
        found = {"posts": now.posts, "words": now.words, "comments": now.comments}
        DailyCount.objects.update_or_create(day=timezone.localdate(), defaults=found)
        self.stdout.write(f"{now.posts} posts, {now.words} words, {now.comments} comments")
