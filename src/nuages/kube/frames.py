"""A WebSocket's frames on the client's side, as bytes: RFC 6455 without extensions. Pure, and quick to import.

The `websockets` library speaks the rest of it well, and takes 60 ms to import even without asyncio: as much as all of
`kubectl exec`. https://www.rfc-editor.org/rfc/rfc6455#section-5.2
"""

from __future__ import annotations

import os

MORE, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_FINAL, _MASKED, _CONTROL, _RESERVED = 0x80, 0x80, 0x08, 0x70
_SHORT = 125
"""The longest length that stands in the second byte itself, and the longest that a control frame may have."""

_GOOD = (1000, 1001)
"""Codes of an end that is none of an error: done, and going away (section 7.4.1)."""


class Broken(Exception):
    """What came is no WebSocket, or is cut off."""


def framed(kind: int, data: bytes) -> bytes:
    """A message in one frame; a client masks what it sends, so that no proxy takes it for a request (section 10.3)."""
    size = len(data)
    if size <= _SHORT:
        head = bytes((_FINAL | kind, _MASKED | size))
    elif size < 1 << 16:
        head = bytes((_FINAL | kind, _MASKED | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((_FINAL | kind, _MASKED | 127)) + size.to_bytes(8, "big")
    mask = os.urandom(4)
    pad = (mask * (size // 4 + 1))[:size]
    masked = int.from_bytes(data, "little") ^ int.from_bytes(pad, "little")
    return head + mask + masked.to_bytes(size, "little")


class Frames:
    """Takes bytes as they come, and gives messages as they are whole."""

    def __init__(self) -> None:
        """Nothing has come so far."""
        self._came = bytearray()
        self._parts: list[bytes] = []
        self._kind = MORE

    def fed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The messages that are whole now, each with its kind; those of control may stand between parts of another.

        Raises:
            Broken: it is not what a server sends.
        """
        self._came += data
        found = []
        while (frame := self._frame()) is not None:
            final, kind, payload = frame
            if kind & _CONTROL:
                found.append((kind, payload))
                continue
            if (kind == MORE) is not bool(self._parts):
                raise Broken("a part of a message that has not begun, or has not ended")
            self._kind = kind or self._kind
            self._parts.append(payload)
            if final:
                found.append((self._kind, b"".join(self._parts)))
                self._parts = []
        return found

    def _frame(self) -> tuple[bool, int, bytes] | None:
        """The next frame, taken away; None where it is not whole yet."""
        came = self._came
        if len(came) < 2:
            return None
        first, second = came[0], came[1]
        final, kind, size, start = bool(first & _FINAL), first & 0x0F, second & 0x7F, 2
        if first & _RESERVED or second & _MASKED or kind not in (MORE, TEXT, BINARY, CLOSE, PING, PONG):
            raise Broken("a frame of an extension that nobody asked for")
        if kind & _CONTROL and (size > _SHORT or not final):
            raise Broken("a frame of control that is too long")
        if size > _SHORT:
            start += 2 if size == 126 else 8
            if len(came) < start:
                return None
            size = int.from_bytes(came[2:start], "big")
        if len(came) < start + size:
            return None
        payload = bytes(came[start : start + size])
        del came[: start + size]
        return final, kind, payload


def well(close: bytes) -> bool:
    """Whether a close frame, by what is in it, tells of an end that was meant; one without a code does (7.1.5)."""
    return not close or int.from_bytes(close[:2], "big") in _GOOD
