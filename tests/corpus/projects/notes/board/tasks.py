from huey.contrib.djhuey import db_task

from board.models import Note


@db_task()
def shout(key):
    note = Note.objects.get(pk=key)
    note.text = note.text.upper()
    note.save()
