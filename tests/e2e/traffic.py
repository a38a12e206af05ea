"""Clients that ask without a pause, and what became of each request: for soaks, short ones and long ones.

    kept    one connection for as long as the server keeps it    new       a connection for each request
    slow    a page that takes five seconds                       socket    a websocket that talks, and hears its echo

A page is read together with the style that it names, and with those that earlier pages named. No request is tried
again: what a browser would mend by itself counts as lost here too. A websocket comes back when it was closed; with
another code than 1001 that counts as lost.
"""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

GOING_AWAY = 1001
STYLE = re.compile(r'href="([^"]+)"')
STYLES = 4  # the release that serves, and the three before it
PATIENCE = 60  # seconds for an answer; the slow page takes five


class Loss(NamedTuple):
    """One request that was not answered as it should be."""

    moment: float
    site: str
    kind: str
    what: str
    during: str

    def __str__(self) -> str:
        clock = time.strftime("%H:%M:%S", time.gmtime(self.moment))
        return f"{clock} {self.site}, {self.kind}: {self.what} (during {self.during})"


class Traffic:
    """`with Traffic({"wsgi": ("127.0.0.1:8080", {"kept": 2, "new": 1})}) as traffic: ...`; then its counts say it all.

    `during` is what goes on, told by whoever makes it go on; losses name it.
    """

    LONGEST = 6 * 3600  # seconds; whatever happens, the clients end

    def __init__(self, sites: dict[str, tuple[str, dict[str, int]]]) -> None:
        self.answered: Counter[str] = Counter()
        """Per kind of client."""
        self.seen: Counter[str] = Counter()
        """What else was seen: releases by name, closed and opened websockets."""
        self.lost: list[Loss] = []
        self.during = "nothing"
        self.stop = threading.Event()
        self._lock = threading.Lock()
        self._styles: dict[str, OrderedDict[str, bytes]] = {site: OrderedDict() for site in sites}
        kinds: dict[str, Callable[[str, str, str], None]] = {
            "kept": self._pages, "new": self._pages, "slow": self._slow, "socket": self._socket,
        }  # fmt: skip
        self._clients = [
            threading.Thread(target=self._guarded, args=(kinds[kind], site, address, kind), daemon=True)
            for site, (address, wanted) in sites.items()
            for kind, count in wanted.items()
            for _ in range(count)
        ]

    def __enter__(self) -> Traffic:
        self._end = time.monotonic() + self.LONGEST
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for client in self._clients:
            client.join(timeout=2 * PATIENCE)

    @property
    def requests(self) -> int:
        """Answered and lost."""
        return sum(self.answered.values()) + len(self.lost)

    def _guarded(self, client: Callable[[str, str, str], None], site: str, address: str, kind: str) -> None:
        while not self.stop.is_set() and time.monotonic() < self._end:
            try:
                client(site, address, kind)
            except Exception as error:
                self._lose(site, kind, f"the client itself: {error!r}")
                self.stop.wait(1)

    def _lose(self, site: str, kind: str, what: str) -> None:
        with self._lock:
            self.lost.append(Loss(time.time(), site, kind, what, self.during))

    def _count(self, kind: str, *seen: str) -> None:
        with self._lock:
            self.answered[kind] += 1
            self.seen.update(seen)

    def _pages(self, site: str, address: str, kind: str) -> None:
        """A page, its style, and the styles of pages that somebody may still have open."""
        get = _Getter(address, keep=kind == "kept")
        try:
            while not self.stop.is_set():
                if (page := self._ask(get, site, kind, "/")) is None:
                    continue
                text = page.decode()
                self._count(kind, *re.findall(r"release \d+|orange|maroon", text))
                [style] = STYLE.findall(text)
                for path in (style, *[known for known in self._known(site) if known != style]):
                    if (body := self._ask(get, site, kind, path)) is not None:
                        self._count(kind)
                        self._same(site, kind, path, body)
        finally:
            get.close()

    def _ask(self, get: _Getter, site: str, kind: str, path: str) -> bytes | None:
        try:
            status, body = get(path)
        except (OSError, http.client.HTTPException) as error:
            self._lose(site, kind, f"{path}: {error!r}")
            return None
        if status != http.HTTPStatus.OK:
            self._lose(site, kind, f"{path}: {status}")
            return None
        return body

    def _known(self, site: str) -> list[str]:
        with self._lock:
            return list(self._styles[site])[-STYLES:]

    def _same(self, site: str, kind: str, path: str, body: bytes) -> None:
        """An address has one content for ever."""
        with self._lock:
            first = self._styles[site].setdefault(path, body)
        if first != body:
            self._lose(site, kind, f"{path}: another content")

    def _slow(self, site: str, address: str, kind: str) -> None:
        if self._ask(_Getter(address, keep=False), site, kind, "/slow/") is not None:
            self._count(kind)

    def _socket(self, site: str, address: str, kind: str) -> None:
        """Open one, and talk until it is closed; an answer that the end cut off is asked for anew on the next one."""
        try:
            with connect(f"ws://{address}/ws/", compression=None, proxy=None, open_timeout=PATIENCE) as socket:
                self._count("socket opened", "websockets opened")
                while not self.stop.wait(0.05):
                    socket.send("hello")
                    if socket.recv(timeout=PATIENCE) != "you said hello":
                        self._lose(site, kind, "heard something else")
                    self._count(kind)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
            with self._lock:
                self.seen[f"websockets closed with {code or 'nothing'}"] += 1
            if code != GOING_AWAY:
                self._lose(site, kind, f"closed with {code}")
        except Exception as error:
            self._lose(site, kind, repr(error))
            self.stop.wait(0.2)


class _Getter:
    """GET on one connection, or on a new one each time."""

    def __init__(self, address: str, *, keep: bool) -> None:
        self._address, self._keep = address, keep
        self._connection: http.client.HTTPConnection | None = None

    def __call__(self, path: str) -> tuple[int, bytes]:
        connection = self._connection or http.client.HTTPConnection(self._address, timeout=PATIENCE)
        self._connection = None
        try:
            connection.request("GET", path, headers={} if self._keep else {"Connection": "close"})
            answer = connection.getresponse()
            body = answer.read()
        except BaseException:
            connection.close()
            raise
        if self._keep and not answer.will_close:
            self._connection = connection
        else:
            connection.close()
        return answer.status, body

    def close(self) -> None:
        if self._connection:
            self._connection.close()
