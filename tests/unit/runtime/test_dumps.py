"""Backups in a bucket: the marker comes last and goes first, and the oldest go beyond those that are kept."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from nuages_runtime.dumps import Store

pytestmark = pytest.mark.unit


class Memory:
    """A bucket that remembers the order of what was done."""

    def __init__(self) -> None:
        self.there: dict[str, bytes] = {}
        self.done: list[str] = []

    def upload_file(self, name: str, bucket: str, key: str) -> None:
        self.there[key] = Path(name).read_bytes()
        self.done.append(f"+{key}")

    def download_file(self, bucket: str, key: str, name: str) -> None:
        Path(name).write_bytes(self.there[key])
        self.done.append(f"<{key}")

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803 - boto3's names
        del self.there[Key]
        self.done.append(f"-{Key}")

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, io.BytesIO]:  # noqa: N803
        return {"Body": io.BytesIO(self.there[Key])}

    def get_paginator(self, operation: str) -> Memory:
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, list[dict[str, str]]]]:  # noqa: N803
        return [{"Contents": [{"Key": key} for key in sorted(self.there) if key.startswith(Prefix)]}]


def made(folder: Path, id_: str) -> Path:
    one = folder / id_
    one.mkdir()
    for name in ("about.json", "dump", "sums"):
        (one / name).write_text(f"{id_}/{name}")
    return one


def test_a_backup_is_whole_once_its_marker_is_there(tmp_path: Path) -> None:
    bucket = Memory()
    store = Store(bucket, "s3://keep/blog")
    for id_ in ("20261121-020000", "20261122-020000", "20261123-020000"):
        assert store.keep(made(tmp_path, id_), 2) == f"{id_}/about.json".encode()
    assert store.complete() == ["20261122-020000", "20261123-020000"]
    assert bucket.done[2] == "+blog/20261121-020000/about.json"
    assert next(one for one in bucket.done if one[0] == "-") == "-blog/20261121-020000/about.json"
    assert not [key for key in bucket.there if "20261121" in key]


def test_one_that_was_brought_only_half_is_none(tmp_path: Path) -> None:
    bucket = Memory()
    bucket.there = {"20261121-020000/dump": b"", "other/about.json": b"", "20261120-020000/about.json": b"{}"}
    assert Store(bucket, "s3://keep").complete() == ["20261120-020000"]


def test_it_comes_back_with_its_marker_last(tmp_path: Path) -> None:
    bucket = Memory()
    store = Store(bucket, "s3://keep/blog/")
    store.keep(made(tmp_path, "20261121-020000"), 2)
    (tmp_path / "here").mkdir()
    store.fetch("20261121-020000", tmp_path / "here")
    assert sorted(one.name for one in (tmp_path / "here" / "20261121-020000").iterdir()) == [
        "about.json",
        "dump",
        "sums",
    ]
    assert bucket.done[-1] == "<blog/20261121-020000/about.json"
