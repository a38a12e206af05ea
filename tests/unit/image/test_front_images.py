"""Front ends as layers: what is in them, and which of the project's files are theirs alone."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from nuages.app.components import App, resolve
from nuages.image import frontends
from nuages.image.tarballs import Entry
from nuages.spec.load import parse

pytestmark = pytest.mark.unit


def app(directory: str) -> App:
    said = f"{{directory: {directory}, command: [npm, run, build], output: dist, routes: [/app/]}}"
    text = f"name: blog\nimage: a/b\nweb: {{main: {{}}}}\nfrontends: {{spa: {said}}}\nenvironments: {{local: }}\n"
    return resolve(parse(text.encode(), "nuages.yaml"), "local")


def entries(folder: Path, work: Path) -> dict[str, Entry]:
    work.mkdir()
    return {entry.path.removeprefix("usr/share/nginx/html/"): entry for entry in frontends._entries(folder, work)}


def test_texts_that_are_worth_it_lie_compressed_beside_the_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "index.html").write_text("<!doctype html>")
    (out / "app.js").write_text("let a = 1\n" * 500)
    (out / "photo.jpg").write_bytes(b"\xff\xd8" * 4000)
    found = entries(out, tmp_path / "work")
    assert {name for name in found if name.endswith(".gz")} == {"app.js.gz"}
    compressed = found["app.js.gz"].source
    assert isinstance(compressed, Path)
    assert gzip.decompress(compressed.read_bytes()) == (out / "app.js").read_bytes()
    assert entries(out, tmp_path / "again")["app.js.gz"].time == found["app.js"].time == found["app.js.gz"].time


def test_another_page_of_the_same_length_has_another_time_and_so_another_etag(tmp_path: Path) -> None:
    times = set()
    for name in ("index-0oHMVgyk.js", "index-BzPp74Jm.js"):
        out = tmp_path / name
        out.mkdir()
        (out / "index.html").write_text(f'<script src="{name}"></script>')
        times.add(entries(out, tmp_path / f"{name}-work")["index.html"].time)
    assert len(times) == 2
    assert all(0 < time < 1 << 30 for time in times)


@pytest.mark.parametrize(
    ("directory", "left"),
    [
        ("web", ["manage.py", "shop/web.py", "website/a.js"]),
        (".", ["manage.py", "shop/web.py", "web/package.json", "web/src/a.js", "website/a.js"]),
        ("shop", ["manage.py", "shop/web.py", "web/package.json", "web/src/a.js", "website/a.js"]),
    ],
)
def test_the_sources_of_a_front_end_are_not_in_the_projects_image_unless_python_is_among_them(
    directory: str, left: list[str]
) -> None:
    files = ["manage.py", "shop/web.py", "web/package.json", "web/src/a.js", "website/a.js"]
    assert frontends.without(files, app(directory)) == left
