"""Which pods a name on the command line means."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuages.app.components import resolve
from nuages.errors import UsageError
from nuages.release.named import chooser
from nuages.spec.load import load

pytestmark = pytest.mark.unit

APP = resolve(load(Path(__file__).parents[3] / "examples/whole.nuages.yaml"), "staging")
PODS = [
    *(("web", "main", "blog-web-main-1"), ("web", "main", "blog-web-main-2"), ("worker", "default", "blog-worker-3")),
    *(("beat", "", "blog-beat-4"), ("schedule", "count", "blog-schedule-count-5"), ("job", "seed", "blog-run-6")),
    *(("rabbitmq", "", "blog-rabbitmq-0"), ("migrate", "", "blog-migrate-7"), ("frontend", "spa", "blog-spa-8")),
]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ((), "1234"),
        (("web",), "12"),
        (("web-main",), "12"),
        (("blog-web-main",), "12"),
        (("main",), "12"),
        (("default", "beat"), "34"),
        (("count",), "5"),
        (("schedule",), "5"),
        (("seed",), "6"),
        (("rabbitmq",), "0"),
        (("migrate",), "7"),
        (("spa",), "8"),
        (("blog-web-main-2",), "2"),
        (("web-main-2",), "2"),
    ],
)
def test_a_component_its_key_a_data_store_a_schedule_or_a_pod_can_be_named(asked, meant):
    chosen = chooser(APP, asked)
    assert "".join(pod[-1] for component, key, pod in PODS if chosen(component, key, pod)) == meant


def test_another_name_is_none():
    with pytest.raises(UsageError) as refused:
        chooser(APP, ["wrker"])
    assert refused.value.hint == "did you mean worker?"
