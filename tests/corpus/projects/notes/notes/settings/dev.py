from notes.settings.base import *  # noqa: F403

DEBUG = True
HUEY.immediate = True  # noqa: F405
