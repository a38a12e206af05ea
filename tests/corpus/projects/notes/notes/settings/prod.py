import os

from notes.settings.base import *  # noqa: F403

DEBUG = False
SECRET_KEY = os.environ["NOTES_SECRET_KEY"]
ALLOWED_HOSTS = os.environ.get("NOTES_HOSTS", "").split(",")
