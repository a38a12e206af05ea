from __future__ import annotations

import re
from pathlib import Path

import pytest

from nuages_runtime.statics import IMMUTABLE
from nuages_runtime.uploads import Uploads, headers

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("url", "immutable"),
    [
        ("/static/admin/css/base.1f418065fc2c.css", True),
        ("/static/admin/css/base.123456789012.css", True),
        ("/static/app.1f3a9c0b.js", True),
        ("/static/app-1f3a9c0b5d6e7f80.min.js", True),
        ("/static/admin/css/base.css", False),
        ("/static/jquery-3.7.1.min.js", False),
        ("/static/report-20260131.css", False),
        ("/static/facade-deadbeef.css", False),
        ("/static/1f418065fc2c.d/base.css", False),
    ],
)
def test_what_has_a_hash_of_its_content_in_its_name_never_changes(url: str, immutable: bool) -> None:
    assert bool(re.search(IMMUTABLE, url)) is immutable


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("cat.png", "image/png", True),
        ("talk.mp4", "video/mp4", True),
        ("notes.txt", "text/plain; charset=utf-8", True),
        ("paper.pdf", "application/pdf", True),
        ("logo.svg", "image/svg+xml", False),
        ("page.html", "text/html; charset=utf-8", False),
        ("data.xml", None, False),
        ("script.js", None, False),
        ("page.svgz", "application/octet-stream", False),
        ("README", "application/octet-stream", False),
    ],
)
def test_an_upload_is_shown_only_where_nothing_in_it_can_run(name: str, kind: str | None, shown: bool) -> None:
    sent = dict(headers(name))
    assert kind in {None, sent["Content-Type"]}
    assert ("Content-Disposition" not in sent) is shown
    assert sent["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["a" * 300, "cat.txt/x", "none.txt", "..", "\0", "a\ud800"])
def test_a_name_that_no_file_can_have_is_no_upload(tmp_path: Path, name: str) -> None:
    (tmp_path / "cat.txt").write_text("a cat\n")
    uploads = Uploads("/media/", tmp_path)
    uploads._is_ours = True
    assert uploads.find(f"/media/{name}") is None
