"""Frames of a WebSocket: those we write are read by another library, and those it writes by us."""

from __future__ import annotations

import itertools

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from nuages.kube.frames import BINARY, CLOSE, MORE, PING, PONG, TEXT, Broken, Frames, framed, well

pytestmark = pytest.mark.unit
SIZES = (0, 1, 125, 126, 127, 65535, 65536, 70001)


def theirs(kind: int, data: bytes, *, fin: bool = True) -> bytes:
    """A frame as a server writes it."""
    return Frame(Opcode(kind), data, fin).serialize(mask=False)


@pytest.mark.parametrize("size", SIZES)
def test_what_we_write_is_read_as_a_masked_frame(size):
    data = bytes(range(256)) * (size // 256 + 1)
    reader = StreamReader()
    reader.feed_data(framed(BINARY, data[:size]))
    parsing = Frame.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as ended:
        next(parsing)
    found = ended.value.value
    assert (found.opcode, bytes(found.data), found.fin) == (Opcode.BINARY, data[:size], True)


def test_no_two_frames_have_the_same_mask():
    assert len({framed(BINARY, b"the same") for _ in range(50)}) > 1


@pytest.mark.parametrize("size", SIZES)
def test_what_they_write_is_read_however_it_is_cut(size):
    data = bytes(range(256)) * (size // 256 + 1)
    wire = theirs(BINARY, data[:size]) + theirs(PING, b"there?") + theirs(TEXT, b"text")
    for step in (1, 7, 4096, len(wire)) if size < 1000 else (4096, len(wire)):
        frames = Frames()
        found = list(itertools.chain(*(frames.fed(wire[at : at + step]) for at in range(0, len(wire), step))))
        assert found == [(BINARY, data[:size]), (PING, b"there?"), (TEXT, b"text")]


def test_a_message_in_parts_is_one_and_control_may_come_between():
    parts = theirs(BINARY, b"a", fin=False) + theirs(PONG, b"") + theirs(MORE, b"", fin=False) + theirs(MORE, b"b")
    assert Frames().fed(parts + theirs(CLOSE, b"\x03\xe8")) == [(PONG, b""), (BINARY, b"ab"), (CLOSE, b"\x03\xe8")]


@pytest.mark.parametrize(
    "wire",
    [
        theirs(MORE, b"of nothing"),
        theirs(BINARY, b"a", fin=False) + theirs(BINARY, b"b"),
        framed(BINARY, b"masked, as only clients do"),
        b"HTTP/1.1 500 Internal Server Error\r\n",
        bytes((0xC2, 0)),  # compressed
        bytes((0x09, 0)),  # a ping in parts
        bytes((0x89, 126, 0, 126)),  # one that is too long
        bytes((0x83, 0)),  # a kind that nobody has defined
    ],
)
def test_what_no_server_sends_is_refused(wire):
    with pytest.raises(Broken):
        Frames().fed(wire)


@pytest.mark.parametrize(
    ("close", "good"), [(b"", True), (b"\x03\xe8", True), (b"\x03\xe9bye", True), (b"\x03\xf3", False)]
)
def test_an_end_is_meant_or_not_by_its_code(close, good):
    assert well(close) is good
