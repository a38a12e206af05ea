"""The Celery tasks that wait in a broker: waited for until they are done, or put before other workers.

    python -m nuages_runtime.queues wait [--names a,b] [--for 600]
    python -m nuages_runtime.queues move [--known a,b]

In: NUAGES_CELERY_APP; the broker is the app's own. For `move` NUAGES_BROKER_TO, the broker that gets the tasks, which
has to be a Redis as the first one.

`wait` ends with 0 when nothing waits any more, neither in a queue nor with a worker that has not ended it, and with 3
when the time is over. Names: only messages of these tasks are waited for. A broker that shows no messages, only how
many there are (RabbitMQ), is waited for until all of them were taken once and SETTLED more seconds have gone by.
`move` takes each message from one Redis to the other; of unknown tasks it leaves them, and says how many.
"""

# Celery is the image's.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from typing import Any

from nuages_runtime.worker import application

EVERY = 0.5
SETTLED = 15.0
"""Seconds: a task that a worker does not know comes back to the queue after five, and is taken by another one."""
LATE = 3
CHUNK = 1000
UNACKED = "unacked"


class Redis:
    """The queues in one Redis, as kombu keeps them (kombu/transport/redis.py)."""

    def __init__(self, client: Any) -> None:
        """Take the client of kombu's own channel: it knows of TLS, sentinels and prefixes."""
        self._client = client

    def queues(self) -> list[str]:
        """The lists: each is a queue, or one priority of it."""
        return [key for key in self._keys() if self._client.type(key) == b"list"]

    def taken(self) -> list[str]:
        """What workers have taken and not ended: hashes by delivery tag."""
        return [key for key in self._keys() if key.endswith(UNACKED) and self._client.type(key) == b"hash"]

    def _keys(self) -> list[str]:
        return sorted(key.decode() for key in self._client.scan_iter(count=CHUNK))

    def messages(self) -> Iterator[Any]:
        """All that waits, and all that is taken."""
        for queue in self.queues():
            for start in range(0, self._client.llen(queue), CHUNK):
                for raw in self._client.lrange(queue, start, start + CHUNK - 1):
                    yield json.loads(raw)
        for key in self.taken():
            for raw in self._client.hvals(key):
                yield json.loads(raw)[0]

    def left(self, names: set[str]) -> str:
        """What is waited for, in words; "" where nothing is."""
        if not names:
            waiting = sum(self._client.llen(queue) for queue in self.queues())
            taken = sum(self._client.hlen(key) for key in self.taken())
            return f"{waiting} waiting, {taken} with workers" if waiting or taken else ""
        found = Counter(name for message in self.messages() if (name := task(message)) in names)
        return ", ".join(f"{count} of {name}" for name, count in sorted(found.items()))

    def move(self, to: Redis, known: set[str] | None) -> tuple[int, Counter[str]]:
        """Put all messages before the other's workers, the oldest first; answers how many, and what stayed.

        One is written there before it is removed here: killed in between, it is there twice, and never lost.
        """
        moved, stayed = 0, Counter[str]()
        for queue in self.queues():
            kept = 0
            while (raw := self._client.lindex(queue, -1 - kept)) is not None:
                name = task(json.loads(raw))
                if known is not None and name not in known:
                    kept, stayed[name] = kept + 1, stayed[name] + 1
                    continue
                to._client.lpush(queue, raw)
                self._client.lrem(queue, -1, raw)
                moved += 1
        for key in self.taken():
            for tag, raw in self._client.hgetall(key).items():
                message, _, routing_key = json.loads(raw)
                if known is not None and task(message) not in known:
                    stayed[task(message)] += 1
                    continue
                to._client.rpush(routing_key, json.dumps(message))
                self._client.hdel(key, tag)
                self._client.zrem(f"{key}_index", tag)
                moved += 1
        return moved, stayed


class Counted:
    """The queues of a broker that tells no more than how many messages are ready."""

    def __init__(self, channel: Any, names: list[str]) -> None:
        """Of these queues."""
        self._channel, self._names = channel, names
        self._empty_since: float | None = None

    def left(self, names: set[str]) -> str:
        """As Redis; with names too, since nobody can look inside."""
        ready = sum(self._channel.queue_declare(name, passive=True).message_count for name in self._names)
        if ready:
            self._empty_since = None
            return f"{ready} waiting"
        now = time.monotonic()
        self._empty_since = self._empty_since or now
        return "" if now - self._empty_since >= SETTLED else "none waiting; workers end what they took"


def task(message: Any) -> str:
    """The name of a message's task: https://docs.celeryq.dev/en/stable/internals/protocol.html"""
    return str((message.get("headers") or {}).get("task", ""))


def opened(connection: Any, queues: list[str]) -> Redis | Counted:
    """What a broker shows of its queues."""
    channel = connection.default_channel
    return Redis(channel.client) if connection.transport.driver_type == "redis" else Counted(channel, queues)


def wait(left: Any, names: set[str], seconds: float) -> int:
    """Ask until nothing is left; says each change."""
    end, said = time.monotonic() + seconds, ""
    while remaining := left(names):
        if remaining != said:
            print(f"nuages: {remaining}", flush=True)  # noqa: T201 - the Job's log
            said = remaining
        if time.monotonic() > end:
            print(f"nuages: still {remaining} after {seconds:.0f} s", file=sys.stderr)  # noqa: T201
            return LATE
        time.sleep(EVERY)
    return 0


def main() -> int:
    """Do what is asked."""
    parser = ArgumentParser(prog="nuages_runtime.queues")
    parser.add_argument("what", choices=["wait", "move"])
    parser.add_argument("--names", default="")
    parser.add_argument("--known")
    parser.add_argument("--for", dest="seconds", type=float, default=600)
    options = parser.parse_args()
    from kombu import Connection

    app = application(os.environ["NUAGES_CELERY_APP"])
    with app.connection_for_read() as own:
        queues = opened(own, list(app.amqp.queues))
        if options.what == "wait":
            return wait(queues.left, set(filter(None, options.names.split(","))), options.seconds)
        with Connection(os.environ["NUAGES_BROKER_TO"]) as other:
            to = opened(other, [])
            if not isinstance(queues, Redis) or not isinstance(to, Redis):
                sys.exit("nuages: tasks are moved between two databases of a Redis only")
            known = None if options.known is None else set(options.known.split(","))
            moved, stayed = queues.move(to, known)
    left = ", ".join(f"{count} of {name}" for name, count in sorted(stayed.items()))
    print(f"nuages: {moved} moved" + (f"; not known there, and left: {left}" if left else ""))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
