"""A task leaves Redis' list only when it is noted as taken: kombu notes it after, and what dies in between loses it.

kombu's Redis transport takes a message by BRPOP, which removes it, reads the answer, and then writes it into a hash of
what is not acknowledged (kombu/transport/redis.py: `_brpop_start`, `_brpop_read`, `QoS.append`). Where a worker is
killed before that, its message is nowhere any more. Here both are one script on the server, and BRPOP's place while
nothing waits is taken by a move of the newest message onto its own place, which removes nothing:

    EVAL                  the oldest message of the first list that has one; nil: nothing waits
    BLMOVE key key, EVAL  asleep until the first list has one, or a moment is over; then as above

What is noted is what kombu writes itself a moment later, in the same form, so that other workers of any kind give it
back as they always do. Where the server has no such commands, kombu's own way remains: BLMOVE is of Redis 6.2.
Only where the overlay's part `celery` is on.
"""

# Celery is the image's.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from queue import Empty
from typing import Any

NAP = 0.25
"""Seconds asleep while only the first of several lists could wake it; each priority is a list of its own."""

# Removed before it is noted, though both are one step: a server whose memory is full refuses what begins with writing
# more, and lets go on what has begun (https://redis.io/docs/latest/develop/programmability/lua-api/).
TAKE = """
local lists = #KEYS - 2
for i = 1, lists do
  local raw = redis.call('LINDEX', KEYS[i], -1)
  if raw then
    local read, message = pcall(cjson.decode, raw)
    local about = read and type(message) == 'table' and message.properties
    local tag = type(about) == 'table' and about.delivery_tag
    local way = type(about) == 'table' and about.delivery_info
    redis.call('RPOP', KEYS[i])
    if type(tag) == 'string' and type(way) == 'table' and type(way.exchange) == 'string'
        and type(way.routing_key) == 'string' then
      redis.call('ZADD', KEYS[lists + 1], ARGV[1], tag)
      redis.call('HSET', KEYS[lists + 2], tag,
        '[' .. raw .. ', ' .. cjson.encode(way.exchange) .. ', ' .. cjson.encode(way.routing_key) .. ']')
    end
    return {KEYS[i], raw}
  end
end
return false
"""

log = logging.getLogger("nuages")


def take_at_once(environ: Mapping[str, str]) -> None:
    """Have every Redis channel of this process take so; nothing where there is no Redis, or the overlay leaves it."""
    if "celery" not in environ.get("NUAGES_OVERLAY", "").split(","):
        return
    try:
        from kombu.transport import redis
    except ImportError:
        return
    for name in ("Transport", "SentinelTransport"):
        if (transport := getattr(redis, name, None)) and all(hasattr(transport.Channel, part) for part in _PARTS):
            transport.Channel = type(transport.Channel.__name__, (AtOnce, transport.Channel), {})


_PARTS = ("_brpop_start", "_brpop_read", "_q_for_pri", "unacked_index_key", "global_keyprefix")


class AtOnce:
    """What is other in a channel, before kombu's class among its bases."""

    asleep = False
    """Whether nothing waited when it last looked."""
    sleeps = False
    """Whether the answer that comes next is that of a sleep."""
    plain = False
    """Whether it is left as kombu has it."""
    unasked: frozenset[str] | set[str] = frozenset()

    def basic_consume(self: Any, queue: str, no_ack: bool = False, *args: Any, **kwargs: Any) -> Any:
        """Keep in mind the queues of which nobody would ever acknowledge what is noted: workers' answers to workers."""
        self.unasked = {*self.unasked, queue} if no_ack else self.unasked - {queue}
        return super().basic_consume(queue, no_ack, *args, **kwargs)  # type: ignore[misc]

    def _brpop_start(self: Any, timeout: float | None = None) -> None:
        # A list that is to go when nobody uses it has a time to live, which it would lose by a move.
        other = {*self.unasked, *getattr(self, "_expires", ())}
        if self.plain or other.intersection(self.active_queues):
            super()._brpop_start(*([] if timeout is None else [timeout]))  # type: ignore[misc]
            return
        queues = self._queue_cycle.consume(len(self.active_queues))
        if not queues:
            return
        prefix = self.global_keyprefix or ""
        lists = [f"{prefix}{self._q_for_pri(queue, pri)}" for pri in self.priority_steps for queue in queues]
        noted = [f"{prefix}{self.unacked_index_key}", f"{prefix}{self.unacked_key}"]
        connection = self.client.connection
        self._in_poll, self._brpop_sent_at = connection, time.monotonic()
        self.sleeps = self.asleep
        if self.sleeps:
            longest = timeout or getattr(self, "brpop_timeout", 1)
            nap = longest if len(lists) == 1 else min(longest or NAP, NAP)
            connection.send_command("BLMOVE", lists[0], lists[0], "RIGHT", "RIGHT", nap)
        connection.send_command("EVAL", TAKE, len(lists) + 2, *lists, *noted, time.time())

    def _brpop_read(self: Any, **options: Any) -> Any:
        """The script answers as BRPOP does, so kombu reads it."""
        self._wake()
        try:
            found = super()._brpop_read(**options)  # type: ignore[misc]
        except Empty:
            self.asleep = True
            raise
        except self.ResponseError as error:
            self._leave(error)
            raise Empty from None
        self.asleep = False
        return found

    def _wake(self: Any) -> None:
        """Read the answer to a sleep, where one is due."""
        if not self.sleeps:
            return
        self.sleeps = False
        try:
            self.client.parse_response(self.client.connection, "BLMOVE")
        except self.ResponseError as error:
            self._leave(error)
        except self.connection_errors:
            self._in_poll = None
            self.client.connection.disconnect()
            raise

    def _leave(self: Any, error: Exception) -> None:
        log.warning("tasks are taken from Redis as kombu does by itself: %s", error)
        self.plain = True
