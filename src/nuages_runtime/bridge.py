"""Static files of other releases, asked of the pods that keep them (statics.py), when this pod has none of that name.

While a release rolls, a page comes from one pod and its files are asked of another; and browsers keep pages open for
longer. So a web that misses a file whose name tells its content asks for it, and hands the answer on. It asks nobody
for other names, for a file of the same name may be another one in another release; and who is asked asks nobody.

Bounded: nothing waits longer than a second for an answer to begin (a name that is not resolved included), a few are
under way at once, and where nobody answers nobody is asked for some seconds. What was found is kept for a minute where
it is small, so that a rollout under load asks once for each file; what was not found for a second.
"""

from __future__ import annotations

import http.client
import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from nuages_runtime.statics import TREE, lasting

log = logging.getLogger("nuages")

PATIENCE = 1.0
"""Seconds until an answer has begun; then the request goes on without."""

AT_ONCE = 8
"""How many questions are under way."""

PAUSE, FAILURES = 5.0, 3
"""Seconds in which nobody is asked, after so many questions in a row that nobody answered."""

KEPT, MISSED = 60.0, 1.0
"""Seconds for which a file, or that there is none, is remembered."""

SMALL, ROOM, NAMES = 256 * 1024, 4 * 1024 * 1024, 1000
"""Bytes of a file that is remembered, of all of them, and how many names without a file."""

_PASSED = ("accept-encoding", "if-none-match", "if-modified-since", "range", "if-range")
_HOP = frozenset({"connection", "date", "keep-alive", "server", "transfer-encoding"})
_TREE = re.compile(rf"({TREE})/")


class Answer(NamedTuple):
    """What came back: a status that is no 404, headers, and the body in pieces."""

    status: int
    headers: list[tuple[str, str]]
    body: Iterable[bytes]


class _Small(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    until: float


class _Given:
    """An answer that has begun, with its connection: not every server says that it closes it."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._connection, self.response, self.status = connection, response, response.status

    def headers(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.response.getheaders() if name.lower() not in _HOP]

    def pieces(self) -> Iterator[bytes]:
        try:
            while piece := self.response.read(64 * 1024):
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        self.response.close()
        self._connection.close()


class Bridge:
    """Asks for files below `prefix` (STATIC_URL's path) that the folder `root` of this image does not have."""

    def __init__(self, origin: str, prefix: str, root: Path, tree: str, clock: Callable[[], float] = time.monotonic):
        """`origin` is who keeps them, `http://blog-static`; `tree` the hash of this image's files, "" where it has
        none.
        """
        self._address = urlsplit(origin)
        self._prefix, self._root, self._tree, self._clock = prefix, root, tree, clock
        self._asking = ThreadPoolExecutor(AT_ONCE, "nuages-static")
        self._lock = threading.Lock()
        self._small: OrderedDict[tuple[str, str], _Small] = OrderedDict()
        self._missing: dict[str, float] = {}
        self._failures, self._again = 0, 0.0

    def wants(self, method: str, path: str) -> bool:
        """Whether others are to be asked: for a name that tells its content, and that this image does not have."""
        if method not in {"GET", "HEAD"} or not path.startswith(self._prefix):
            return False
        name = path[len(self._prefix) :]
        tree = _TREE.match(name)
        if tree:
            return tree[1] != self._tree
        if not lasting(name) or name.startswith("/") or ".." in name.split("/"):
            return False
        try:
            return not (self._root / name).is_file()
        except (OSError, ValueError):  # a name that no file can have
            return False

    def ask(self, method: str, path: str, headers: Mapping[str, str]) -> Answer | None:
        """The answer of who keeps the files; None where there is no such file, or nobody answers. `headers` has what
        the client sent, by lower-case names.
        """
        now = self._clock()
        asked = {name: headers[name] for name in _PASSED if headers.get(name)}
        encodings = asked.get("accept-encoding", "")
        asked["accept-encoding"] = ", ".join(name for name in ("br", "gzip") if name in encodings) or "identity"
        key = (path, asked["accept-encoding"])
        plain = len(asked) == 1
        with self._lock:
            if self._missing.get(path, 0) > now:
                return None
            kept = self._small.get(key) if plain else None
            if kept and kept.until > now:
                return Answer(kept.status, kept.headers, [] if method == "HEAD" else [kept.body])
            if self._again > now:
                return None
        given = self._given(method, path, asked, now)
        if given is None:
            return None
        if given.status >= 400 and given.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            given.close()
            if given.status != HTTPStatus.NOT_FOUND:
                return None  # of this question, and not of the file: nobody else's is answered by it
            with self._lock:
                if len(self._missing) >= NAMES:
                    self._missing.clear()
                self._missing[path] = now + MISSED
            return None
        length = given.response.length
        if method == "GET" and plain and given.status == 200 and length is not None and length <= SMALL:
            return self._read(key, given, now)
        return Answer(given.status, given.headers(), given.pieces())

    def _given(self, method: str, path: str, headers: dict[str, str], now: float) -> _Given | None:
        """An answer's beginning; asked once more where a connection broke, as one does to a pod that just ended."""
        end = time.monotonic() + PATIENCE
        error: BaseException = Late()
        for _ in range(2):
            # In a thread of its own: a name may take longer to be resolved than anybody waits.
            waiting = self._asking.submit(self._open, method, path, headers)
            try:
                given = waiting.result(max(0.0, end - time.monotonic()))
            except Late as late:
                error = late
                if not waiting.cancel():
                    waiting.add_done_callback(_close_late)
                break
            except (OSError, http.client.HTTPException) as broken:
                error = broken
            except ValueError:
                return None  # a header that nobody can send on: of this question, and not of who is asked
            else:
                self._failures = 0
                return given
        self._nobody(error, now)
        return None

    def _open(self, method: str, path: str, headers: dict[str, str]) -> _Given:
        connection = http.client.HTTPConnection(self._address.hostname or "", self._address.port, timeout=PATIENCE)
        try:
            connection.request(method, quote(path), headers={**headers, "Connection": "close"})
            return _Given(connection, connection.getresponse())
        except BaseException:
            connection.close()
            raise

    def _read(self, key: tuple[str, str], given: _Given, now: float) -> Answer | None:
        try:
            body = b"".join(given.pieces())
        except (OSError, http.client.HTTPException) as error:
            self._nobody(error, now)
            return None
        headers = given.headers()
        with self._lock:
            self._small[key] = _Small(given.status, headers, body, now + KEPT)
            self._small.move_to_end(key)
            while sum(len(kept.body) for kept in self._small.values()) > ROOM:
                self._small.popitem(last=False)
        return Answer(given.status, headers, [body])

    def _nobody(self, error: BaseException, now: float) -> None:
        with self._lock:
            self._failures += 1
            if self._failures < FAILURES:
                return
            self._again = now + PAUSE
        said = "no answer in time" if isinstance(error, Late) else repr(error)
        log.warning("static files of other releases are not asked for, for %s s: %s", PAUSE, said)


def _close_late(done: Future[_Given]) -> None:
    if done.exception() is None:
        done.result().close()
