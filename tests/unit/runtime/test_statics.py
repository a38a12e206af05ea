from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nuages_runtime import bridge, statics
from nuages_runtime.bridge import Bridge
from nuages_runtime.collect import tree_of

pytestmark = pytest.mark.unit

TREE = "0123456789abcdef"
STYLE = "/static/app.0123456789ab.css"


@pytest.mark.parametrize(
    ("name", "lasts"),
    [
        ("admin/css/base.1f418065fc2c.css", True),
        ("admin/css/base.1f418065fc2c.css.gz", True),
        ("app-1f3a9c0b.js", True),
        ("assets/index-DiwrgTda.js", True),
        ("assets/index.C0mpL3xx.css", True),
        ("staticfiles.json", False),
        ("admin/css/base.css", False),
        ("jquery-3.7.1.min.js", False),
        ("report-20260131.css", False),
        ("main-navigation.js", False),
    ],
)
def test_a_file_lasts_where_its_name_tells_its_content(name: str, lasts: bool) -> None:
    assert statics.lasting(name) is lasts


def image(folder: Path, **files: str) -> Path:
    """A folder with files as an image has them; `__` in a name is a dot."""
    for name, text in files.items():
        file = folder / name.replace("__", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def names(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_of_an_image_with_hashed_names_those_are_copied_and_nothing_else(tmp_path: Path) -> None:
    root = image(tmp_path / "image", app__css="plain", app__0123456789ab__css="hashed", staticfiles__json="{}")
    assert statics.copy(tmp_path / "shared", root, "/static/", "") == 1
    assert names(tmp_path / "shared" / "files") == {"static/app.0123456789ab.css"}


def test_of_an_image_without_hashed_names_all_are_copied_below_the_hash_of_the_tree(tmp_path: Path) -> None:
    root = image(tmp_path / "image", app__css="plain", chunk__0123456789ab__js="hashed")
    statics.copy(tmp_path / "shared", root, "/static/", TREE)
    assert names(tmp_path / "shared" / "files") == {
        f"static/{TREE}/app.css",
        f"static/{TREE}/chunk.0123456789ab.js",
        "static/chunk.0123456789ab.js",
    }


def test_files_of_several_images_lie_side_by_side_and_copying_again_changes_nothing(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    one = image(tmp_path / "one", app__0123456789ab__css="orange")
    other = image(tmp_path / "other", app__ba9876543210__css="maroon")
    for root in (one, other, one):
        statics.copy(shared, root, "/static/", "")
    assert names(shared / "files") == {"static/app.0123456789ab.css", "static/app.ba9876543210.css"}


def test_an_image_that_lacks_its_folder_is_left_out(tmp_path: Path) -> None:
    command = [sys.executable, statics.__file__, "copy", tmp_path / "shared", tmp_path / "none", "/static/", ""]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "0 static files" in done.stdout
    assert (tmp_path / "shared" / "statics.py").is_file(), "the program is there for the other images"
    assert (tmp_path / "shared" / "files").is_dir(), "and the folder that is served"


def test_the_hash_of_a_tree_follows_names_and_contents(tmp_path: Path) -> None:
    one = tree_of(image(tmp_path / "one", app__css="orange"))
    assert re.fullmatch(statics.TREE, one)
    assert one == tree_of(image(tmp_path / "same", app__css="orange"))
    assert one != tree_of(image(tmp_path / "content", app__css="maroon"))
    assert one != tree_of(image(tmp_path / "name", style__css="orange"))
    assert tree_of(tmp_path / "empty") == ""


class Keeper(BaseHTTPRequestHandler):
    """Has one file, as the pods that keep them; `asked` counts."""

    protocol_version = "HTTP/1.1"
    text, asked = b"orange", 0

    def do_GET(self) -> None:
        type(self).asked += 1
        found = self.path == STYLE
        body = b"" if not found else self.text[:2] if self.headers["Range"] else self.text
        self.send_response(404 if not found else 206 if self.headers["Range"] else 200)
        self.send_header("Content-Type", "text/css")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """A server in a thread; yields the port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_port
        server.shutdown()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def asking(port: int, root: Path, clock: Clock | None = None) -> Bridge:
    return Bridge(f"http://127.0.0.1:{port}", "/static/", root, TREE, clock or Clock())


def test_a_web_asks_for_names_that_last_and_that_it_does_not_have(tmp_path: Path) -> None:
    root = image(tmp_path, own__0123456789ab__css="own")
    bridge = asking(1, root)
    asked = [STYLE, "/static/ba9876543210abcd/app.css", "/static/ba9876543210abcd/deep/app.css"]
    assert [path for path in asked if not bridge.wants("GET", path)] == []
    left = [
        "/static/app.css",
        "/static/own.0123456789ab.css",
        f"/static/{TREE}/app.css",
        "/static/",
        "/app.0123456789ab.css",
    ]
    assert [path for path in left if bridge.wants("GET", path)] == []
    assert not bridge.wants("POST", STYLE)


def test_what_others_have_is_handed_on_and_remembered_for_a_while(tmp_path: Path) -> None:
    clock = Clock()
    with listening(Keeper) as port:
        bridge = asking(port, tmp_path / "web", clock)
        answer = bridge.ask("GET", STYLE, {"accept-encoding": "gzip, br", "cookie": "secret"})
        assert answer is not None
        assert (answer.status, b"".join(answer.body)) == (200, b"orange")
        assert {name.lower() for name, _ in answer.headers} == {"content-type", "content-length"}
        assert bridge.ask("GET", "/static/none.0123456789ab.css", {}) is None
        part = bridge.ask("GET", STYLE, {"range": "bytes=0-1"})
        assert part is not None
        assert (part.status, b"".join(part.body)) == (206, b"or")
    kept = bridge.ask("GET", STYLE, {"accept-encoding": "gzip, br"})
    assert kept is not None, "nobody is there any more"
    assert b"".join(kept.body) == b"orange"
    head = bridge.ask("HEAD", STYLE, {"accept-encoding": "br, gzip"})
    assert head is not None
    assert b"".join(head.body) == b""
    clock.now += 61
    assert bridge.ask("GET", STYLE, {"accept-encoding": "gzip, br"}) is None


def test_where_nobody_answers_requests_go_on_at_once_and_nobody_is_asked_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Silent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            time.sleep(1)

        def log_message(self, *_arguments: object) -> None:
            pass

    monkeypatch.setattr(bridge, "PATIENCE", 0.2)
    clock = Clock()
    with listening(Silent) as port:
        web = asking(port, tmp_path, clock)
        began = time.monotonic()
        for _ in range(10):
            assert web.ask("GET", STYLE, {}) is None
        assert time.monotonic() - began < 1.8, "three questions of ten were waited for"
        heard(asked, bridge.FAILURES)
        clock.now += bridge.PAUSE + 1
        assert web.ask("GET", STYLE, {}) is None
        heard(asked, bridge.FAILURES + 1)


def heard(asked: list[str], count: int) -> None:
    """Wait until a server's own threads have come to the questions: who asked did not wait for them."""
    deadline = time.monotonic() + 60
    while len(asked) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(asked) == count


def test_a_connection_that_breaks_is_made_once_more(tmp_path: Path) -> None:
    class Ends(Keeper):
        asked = 0

        def do_GET(self) -> None:
            if self.asked:
                super().do_GET()
            else:
                type(self).asked, self.close_connection = 1, True

    with listening(Ends) as port:
        answer = asking(port, tmp_path).ask("GET", STYLE, {})
        assert answer is not None
        assert b"".join(answer.body) == b"orange"


def test_what_one_client_asks_wrongly_is_answered_to_nobody_else(tmp_path: Path) -> None:
    class Picky(Keeper):
        def do_GET(self) -> None:
            wrong = {"bytes=99-": 416, "bytes=7-": 500}.get(self.headers["Range"])
            if wrong:
                self.send_response(wrong)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                super().do_GET()

    with listening(Picky) as port:
        web = asking(port, tmp_path)
        beyond = web.ask("GET", STYLE, {"range": "bytes=99-"})
        assert beyond is not None
        assert beyond.status == 416
        assert list(beyond.body) == []
        assert web.ask("GET", STYLE, {"range": "bytes=7-"}) is None
        for _ in range(bridge.FAILURES):
            assert web.ask("GET", STYLE, {"if-range": "a\nHost: evil"}) is None
        answer = web.ask("GET", STYLE, {})
        assert answer is not None, "it is there for all others"
        assert b"".join(answer.body) == b"orange"


@pytest.mark.parametrize("name", ["../../etc/a.0123456789ab.css", "/etc/a.0123456789ab.css", "a/../b.0123456789ab.css"])
def test_a_name_that_leads_out_of_the_folder_is_neither_looked_for_nor_asked_for(tmp_path: Path, name: str) -> None:
    assert not asking(1, tmp_path).wants("GET", f"/static/{name}")


def test_all_of_one_images_files_are_brought_where_nginx_serves_them(tmp_path: Path) -> None:
    root = image(tmp_path / "image", **{"app.1f3a9c0b7d2e.css": "a", "robots.txt": "b"})
    command = [sys.executable, statics.__file__, "whole", tmp_path / "shared", root, "/static/"]
    assert "2 files" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert (tmp_path / "shared" / "whole" / "static" / "robots.txt").read_text() == "b"
