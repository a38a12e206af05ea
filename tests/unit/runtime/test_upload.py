"""Which static files go into a bucket, and whose are over; that a store takes them is seen on the node."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nuages_runtime.upload import Task, files, over, task, upload

pytestmark = pytest.mark.unit


class Memory:
    """A bucket, in which somebody else may do something while a file is on its way."""

    def __init__(self) -> None:
        self.there: dict[str, bytes] = {}
        self.meanwhile: Callable[[], object] | None = None

    def put_object(self, *, Key: str, Body: bytes, **_: object) -> None:  # noqa: N803 - boto3's names
        self.there[Key] = Body
        if self.meanwhile and "/.nuages/" not in f"/{Key}":
            then, self.meanwhile = self.meanwhile, None
            then()

    def get_object(self, *, Key: str, **_: object) -> dict[str, io.BytesIO]:  # noqa: N803
        return {"Body": io.BytesIO(self.there[Key])}

    def delete_objects(self, *, Delete: dict[str, Any], **_: object) -> None:  # noqa: N803
        for one in Delete["Objects"]:
            del self.there[one["Key"]]

    def get_paginator(self, _: str) -> Memory:
        return self

    def paginate(self, *, Prefix: str, **_: object) -> list[dict[str, Any]]:  # noqa: N803
        return [{"Contents": [{"Key": key, "ETag": ""} for key in sorted(self.there) if key.startswith(Prefix)]}]


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


def test_what_ends_elsewhere_meanwhile_takes_no_file_that_this_release_needs(tmp_path: Path) -> None:
    bucket, shared, mine = Memory(), "app.1f3a9c0b1f3a.js", "own.1f3a9c0b1f3a.js"
    for name, held in {"first": [shared], "second": [], "third": [shared, mine]}.items():
        (tmp_path / name).mkdir()
        for file in held:
            (tmp_path / name / file).write_text(file)
    staging = of(1, None, 0)._replace(instance="blog-staging", root=tmp_path / "first")
    upload(bucket, staging)
    after = staging._replace(release=2, root=tmp_path / "second")
    bucket.meanwhile = lambda: upload(bucket, after)
    upload(bucket, of(1, None, 0)._replace(root=tmp_path / "third"))
    assert {shared, mine} <= bucket.there.keys()
    assert ".nuages/blog-staging/1.json" not in bucket.there


def test_what_nobody_listed_is_never_removed(tmp_path: Path) -> None:
    bucket = Memory()
    bucket.there["avatars/me.png"] = b"an upload"
    for release in (1, 2):
        (tmp_path / str(release)).mkdir()
        (tmp_path / str(release) / f"app.1f3a9c0b1f3{release}.js").write_text("x")
        upload(bucket, of(release, None, 0)._replace(root=tmp_path / str(release)))
    assert set(bucket.there) == {"avatars/me.png", "app.1f3a9c0b1f32.js", ".nuages/blog-production/2.json"}
