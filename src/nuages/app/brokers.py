"""Where the tasks of an app wait."""

from __future__ import annotations

from nuages.app import stores
from nuages.app.parts import App
from nuages.app.stores import Reached

BROKER_VARIABLE = "CELERY_BROKER_URL"


def broker(app: App) -> Reached | None:
    """The service in which tasks wait: RabbitMQ, which is made for it, else Redis; None where the spec names another
    place, or there is neither.
    """
    told = app.env.get(BROKER_VARIABLE)
    if BROKER_VARIABLE in app.secrets or (told is not None and told.service is None):
        return None
    if told is not None and told.service:
        return stores.reached(app, told.service)
    return stores.reached(app, "rabbitmq") or stores.reached(app, "redis")


def database(store: Reached) -> str:
    """Of a Redis the database of the tasks: the one after that of the cache, which is emptied as a whole."""
    return str(int(store.name) + 1) if store.name and store.name.isdecimal() else "1"
