"""Which static files go into a bucket, and whose are over; that a store takes them is seen on the node."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuages_runtime.upload import Task, files, over, task

pytestmark = pytest.mark.unit


def of(release: int, running: int | None, keep: int) -> Task:
    return Task("blog-static", "", Path("/app/static"), "", "blog-production", release, running, keep)


@pytest.mark.parametrize(
    ("releases", "wanted", "ended"),
    [
        ({1}, of(1, None, 3), set()),
        ({1, 2, 3, 4, 5}, of(5, 4, 3), {1}),
        ({1, 2, 3, 4, 5}, of(5, 4, 0), {1, 2, 3}),
        # Others failed since: the one that serves stays, however old.
        ({1, 6, 7, 8, 9}, of(9, 1, 1), {6, 7}),
        # Back to an older one, by its own Job.
        ({2, 6, 7, 8, 9}, of(2, 1, 1), {6, 7}),
    ],
)
def test_the_newest_this_one_and_the_one_that_serves_stay(releases: set[int], wanted: Task, ended: set[int]) -> None:
    assert over(releases, wanted) == ended


def test_what_is_told_by_the_environment() -> None:
    told = {
        "NUAGES_BUCKET": "s3://blog-static/site/",
        "NUAGES_STATIC_ROOT": "/app/static",
        "NUAGES_INSTANCE": "blog-production",
        "NUAGES_RELEASE": "7",
    }
    assert task(told) == of(7, None, 3)._replace(folder="site/")


def test_what_browsers_ask_for_and_nothing_beside(tmp_path: Path) -> None:
    for name in ("a/b.css", "a/b.css.gz", "a/b.css.br", "alone.gz", "staticfiles.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert list(files(tmp_path)) == ["a/b.css", "alone.gz"]
