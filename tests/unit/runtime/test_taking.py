"""How a channel asks Redis for the next task; what the server makes of it is tested with a real one."""

from __future__ import annotations

from queue import Empty
from typing import Any

import pytest

from nuages_runtime.taking import AtOnce

pytestmark = pytest.mark.unit


class Theirs:
    """What a channel of kombu's has."""

    priority_steps = (0, 3)
    global_keyprefix = ""
    unacked_index_key, unacked_key = "unacked_index", "unacked"
    active_queues = frozenset({"celery"})
    ResponseError, connection_errors = ValueError, (OSError,)

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []
        self.asked: list[Any] = []
        self.answers: list[Any] = []
        self.client = self.connection = self._queue_cycle = self

    def send_command(self, *words: Any) -> None:
        self.sent.append(words)

    def consume(self, number: int) -> list[str]:
        return ["celery"]

    def parse_response(self, connection: object, command: str) -> None:
        pass

    def _q_for_pri(self, queue: str, pri: int) -> str:
        return f"{queue}:{pri}" if pri else queue

    def _brpop_start(self, timeout: float | None = None) -> None:
        self.asked.append(timeout)

    def _brpop_read(self) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Channel(AtOnce, Theirs):
    """One that takes at once."""


def read(channel: Channel) -> Any:
    try:
        return channel._brpop_read()
    except Empty:
        return None


@pytest.mark.parametrize("named", [{}, {"timeout": 5}])
def test_an_idle_channel_sleeps_before_it_asks_again(named: dict[str, int]) -> None:
    channel = Channel()
    channel.answers = [Empty(), ("celery", "{}")]
    for _ in range(2):
        channel._brpop_start(**named)
        read(channel)
    assert [words[0] for words in channel.sent] == ["EVAL", "BLMOVE", "EVAL"]
    assert channel.sent[0][2:7] == (4, "celery", "celery:3", "unacked_index", "unacked")
    channel._brpop_start(**named)
    assert channel.sent[-1][0] == "EVAL"  # something was there: more may be


def test_a_server_that_refuses_is_left_to_kombu_s_own_way() -> None:
    channel = Channel()
    channel.answers = [ValueError("NOPERM this user has no permissions to run the 'eval' command")]
    channel._brpop_start()
    assert read(channel) is None
    channel._brpop_start()
    channel._brpop_start(timeout=3)
    assert (channel.asked, len(channel.sent)) == ([None, 3], 1)


def test_a_queue_that_nobody_acknowledges_is_left_to_kombu_s_own_way() -> None:
    channel = Channel()
    channel.unasked = {"celery"}
    channel._brpop_start()
    assert (channel.asked, channel.sent) == ([None], [])
