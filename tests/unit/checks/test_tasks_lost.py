"""What is said of tasks that may be lost."""

from __future__ import annotations

import pytest

from nuages.app.components import resolve
from nuages.checks.app import check
from nuages.spec.load import parse

pytestmark = pytest.mark.unit
OFF = "django: {overlay: {celery: false}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("services: {redis: {run: }}", []),
        (f"services: {{redis: {{run: }}}}\n{OFF}", ["workers.w.celery"]),
        ("services: {redis: {run: }}\ndjango: {overlay: false}", ["workers.w.celery"]),
        (f"services: {{redis: {{run: }}, rabbitmq: {{run: }}}}\n{OFF}", []),
        (f"secrets: {{CELERY_BROKER_URL: }}\n{OFF}", []),
    ],
)
def test_tasks_in_a_redis_are_noted_by_the_runtime_unless_the_overlay_leaves_celery(
    text: str, expected: list[str]
) -> None:
    spec = f"name: blog\nimage: a/b\nweb: {{main: {{replicas: 2}}}}\nworkers: {{w: {{celery: b}}}}\n{text}\n"
    found = check(resolve(parse(f"{spec}environments: {{local: }}\n".encode(), "nuages.yaml"), "local"), None)
    assert [each.place.path for each in found if each.id == "app.W131"] == expected
