"""Findings about what becomes of tasks."""

from __future__ import annotations

from nuages.app.brokers import broker
from nuages.app.components import App
from nuages.findings import Finding, Level, Place


def check(app: App) -> list[Finding]:
    """Kombu notes a task as taken after it has left Redis' queue; the runtime does both at once, where it may."""
    store = broker(app)
    told = app.django.overlay.enabled and app.django.overlay.celery
    if told or store is None or store.service != "redis":
        return []
    return [
        Finding(
            "app.W131",
            Level.WARNING,
            "a worker that is killed may lose the task that it takes from Redis at that moment",
            Place(path=f"workers.{key}.celery"),
            "leave the overlay's part `celery` on, or RabbitMQ as the broker",
        )
        for key, worker in app.workers.items()
        if worker.celery
    ]
