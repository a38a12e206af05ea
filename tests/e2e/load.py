"""Load on a web site, bounded, on this machine: some clients with kept connections, some with a new one each time."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections import Counter


class Load:
    """`with Load("127.0.0.1:8080", "/") as load: ...`; afterwards `load.answers` and `load.lost` say what came back.

    `answers` counts by what `pattern` finds in a page; `lost` has every request that was not answered with 200. `host`
    is the name that is asked for, where that is not the address. Each client pauses a moment between two requests, so
    that it meets every moment of a rollout, and leaves the machine to it.
    """

    LONGEST = 1800  # seconds; whatever happens, the clients end
    PATIENCE = 60  # seconds for an answer

    def __init__(
        self, address: str, path: str, *, clients: int = 8, pattern: str = "", host: str = "", pause: float = 0.05
    ) -> None:
        self.answers: Counter[str] = Counter()
        self.lost: list[str] = []
        self._address, self._path, self._pause = address, path, pause
        self._pattern = re.compile(pattern)
        self._headers = {"Host": host} if host else {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._clients = [
            threading.Thread(target=self._client, args=(number % 2 == 0,), daemon=True) for number in range(clients)
        ]

    def so_far(self) -> Counter[str]:
        """A copy of the answers, to count with while more come."""
        with self._lock:
            return self.answers.copy()

    def __enter__(self) -> Load:
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for client in self._clients:
            client.join(timeout=2 * self.PATIENCE)

    def _client(self, keep: bool) -> None:
        end = time.monotonic() + self.LONGEST
        connection = None
        while not self._stop.wait(self._pause) and time.monotonic() < end:
            connection = connection or http.client.HTTPConnection(self._address, timeout=self.PATIENCE)
            try:
                connection.request("GET", self._path, headers=self._headers | ({} if keep else {"Connection": "close"}))
                answer = connection.getresponse()
                page = answer.read().decode(errors="replace")
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                connection = None
                with self._lock:
                    self.lost.append(f"{'kept' if keep else 'new'} connection: {error!r}")
                continue
            if not keep or answer.will_close:
                connection.close()
                connection = None
            with self._lock:
                if answer.status == 200:
                    found = self._pattern.search(page)
                    self.answers[found.group(0) if found else ""] += 1
                else:
                    self.lost.append(f"{answer.status}")
        if connection is not None:
            connection.close()
