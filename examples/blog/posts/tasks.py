from celery import shared_task

from posts import thumbnails


@shared_task(ignore_result=True, acks_late=True, reject_on_worker_lost=True)
def make_thumbnail(post: int, image: str) -> None:
    """The small picture of an upload. Twice is as good as once, so the task may be given out again."""
    thumbnails.make(post, image)


@shared_task(ignore_result=True)
def complete_thumbnails() -> None:
    """By the clock: what was lost on the way, with a broker that was away, say."""
    for post, image in thumbnails.missing():
        make_thumbnail.delay(post, image)
