"""Static files of several releases, put together and served to the webs of each.

    python statics.py copy FOLDER ROOT URL TREE   what lasts of one image's files, into a folder that the images share
    python statics.py whole FOLDER ROOT URL       all of one image's files beside them, for an nginx that serves both
    python -m nuages_runtime.statics serve FOLDER    all that was put there, for whoever of the webs misses one of them

A page that a browser has open names the files of the release that made it. Those with a hash in their name are the same
for ever, so the files of several releases go side by side; of others the last release's would win, and no page could
tell. Where no name of an image's has a hash, all of its files are kept below one of the whole tree (collect.py).

This file is handed to images that other versions of nuages made, and runs there by itself: it imports nothing but the
standard library, and WhiteNoise to serve. What an image does not have is left out, and said; copying never fails.
"""

# WhiteNoise is the image's.
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

# A hash of the content in the name: Django's `name.0123456789ab.css`, and those of bundlers, which have a letter and a
# digit (so that no date is one): `app.1f3a9c0b.js`, `app-1f3a9c0b.js`.
IMMUTABLE = r"\.[0-9a-f]{12}\.[^/]+$|[.-](?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,64}\.[^/]+$"
# The hash of all files of an image, which stands first below STATIC_URL.
TREE = r"[0-9a-f]{16}"
# Vite and Rollup write eight signs of base64url: `index-DiwrgTda.js`. A word may look like it, so it is kept and asked
# for as hashed names are, but never called immutable.
_BUNDLED = r"[.-](?=[^./]*[A-Z])(?=[^./]*[a-z])[\w-]{8}\.[^/]+$"
_LASTING = re.compile(f"{IMMUTABLE}|{_BUNDLED}")

FILES, WHOLE, PROGRAM = "files", "whole", "statics.py"
PORT = 8000
READY = "/-/ready"
# Whoever has not said a word for so long is gone: the webs make a connection for each question.
SILENCE = 10


def lasting(name: str) -> bool:
    """Whether a file's name, or its path, tells its content, so that it is the same in every release that has it."""
    return _LASTING.search(name) is not None


def copy(folder: Path, root: Path, url: str, tree: str) -> int:
    """Put what lasts of an image's collected files below `folder`, as their addresses have it; answers how many.

    What is there already is the same, and stays. `url` is STATIC_URL's path; `tree` the hash of all files, "" where
    names have hashes of their own.
    """
    below = folder / FILES / url.strip("/")
    count = 0
    for file in _files(root):
        name = file.relative_to(root).as_posix()
        hashed = lasting(name)
        if tree:
            count += _place(file, below / tree / name)
            if hashed:
                _place(below / tree / name, below / name)
        elif hashed:
            count += _place(file, below / name)
    return count


def whole(folder: Path, root: Path, url: str) -> int:
    """Put all of one image's files below `folder`, as their addresses have them; answers how many."""
    below = folder / WHOLE / url.strip("/")
    return sum(_place(file, below / file.relative_to(root)) for file in _files(root))


def _files(root: Path) -> Iterator[Path]:
    for place, _, names in os.walk(root):
        yield from (file for name in names if (file := Path(place, name)).is_file())


def _place(file: Path, target: Path) -> bool:
    """A file at its place, whole or not at all: this may be killed, and started again."""
    if target.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        os.link(file, made)
    except OSError:  # from an image to a volume
        shutil.copyfile(file, made)
        _date(made)
    made.replace(target)
    return True


def _date(file: Path) -> None:
    """A time in the past made of the content: servers make an ETag of it, which all pods then agree on, and which is
    another one where the content is (every file of an image has the same time).
    """
    with file.open("rb") as content:
        time = int.from_bytes(hashlib.sha256(content.read()).digest()[:4], "big") >> 2
    os.utime(file, (time, time))


class Answers(BaseHTTPRequestHandler):
    """A file for each path that has one, with what browsers and caches want to know of it."""

    protocol_version = "HTTP/1.1"
    timeout = SILENCE
    site: Any
    """WhiteNoise, which looks into the folder at each question: keeping what it knows would take more memory."""

    def do_GET(self) -> None:
        """What is asked for, or 404."""
        path = unquote(urlsplit(self.path).path)
        if path == READY:
            self._end(200)
            return
        try:
            found = self.site.find_file(path)
        except (OSError, ValueError):  # a name that no file can have
            found = None
        if found is None:
            self._end(404)
            return
        asked = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        answer = found.get_response(self.command, asked)
        self.send_response(answer.status.value)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if answer.file:
            with answer.file:
                shutil.copyfileobj(answer.file, self.wfile)

    do_HEAD = do_GET  # noqa: N815 - the standard library's name

    def _end(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """The webs log each request; here it would be there twice."""


class Server(ThreadingHTTPServer):
    """Many webs ask at once, when a page of another release is asked for."""

    request_queue_size = 128


def site(folder: Path) -> Any:
    """WhiteNoise over a folder whose paths are addresses."""
    from whitenoise import WhiteNoise  # noqa: PLC0415 - copying goes without

    return WhiteNoise(None, folder, "", autorefresh=True, immutable_file_test=unchanging)


def unchanging(_path: str, url: str) -> bool:
    """Whether what is at an address is the same for ever: not where its name only looks like it."""
    return re.search(f"{IMMUTABLE}|/{TREE}/", url) is not None


def serve(folder: Path, port: int) -> None:
    """Serve until SIGTERM; what is being answered then ends."""
    handler = type("Handler", (Answers,), {"site": site(folder / FILES)})
    with Server(("", port), handler) as server:
        # From another thread: it waits for the loop, which this one runs.
        stop = threading.Thread(target=server.shutdown)
        signal.signal(signal.SIGTERM, lambda *_: stop.start())
        server.serve_forever(poll_interval=0.1)


def main(arguments: list[str]) -> None:
    """Copy, or serve; see above."""
    match arguments:
        case ["copy", folder, root, url, tree]:
            shared = Path(folder)
            (shared / FILES).mkdir(parents=True, exist_ok=True)
            program = shared / PROGRAM
            if not program.exists():
                _place(Path(__file__), program)
            try:
                count = copy(shared, Path(root), url, tree)
            except OSError as error:
                print(f"nuages: static files of {root} are left out: {error}")  # noqa: T201
            else:
                print(f"nuages: {count} static files of {root}")  # noqa: T201
        case ["whole", folder, root, url]:
            count = whole(Path(folder), Path(root), url)
            print(f"nuages: {count} files of {root}")  # noqa: T201
        case ["serve", folder]:
            serve(Path(folder), int(os.environ.get("NUAGES_PORT", PORT)))
        case _:
            sys.exit("usage: statics.py copy FOLDER ROOT URL TREE | whole FOLDER ROOT URL | serve FOLDER")


if __name__ == "__main__":
    main(sys.argv[1:])
