"""What goes over the connection: a message with a name for each value, and bytes. The tool has the same in
nuages.release.dev.frames.

    4 bytes   how long the message is
    4 bytes   how many bytes follow it
    message   JSON
    bytes
"""

from __future__ import annotations

import json
import struct
from typing import Any, Protocol

Message = dict[str, Any]
LARGEST = 1 << 26
_LENGTHS = struct.Struct(">II")


class Readable(Protocol):
    """An asyncio.StreamReader, as far as it is needed."""

    async def readexactly(self, n: int) -> bytes:
        """So many bytes."""


def packed(message: Message, data: bytes = b"") -> bytes:
    """As it is sent."""
    head = json.dumps(message).encode()
    return _LENGTHS.pack(len(head), len(data)) + head + data


async def read(reader: Readable) -> tuple[Message, bytes]:
    """The next one; raises IncompleteReadError where the other side has ended."""
    head, data = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
    if head + data > LARGEST:
        raise ValueError("no message of ours")
    message: Message = json.loads(await reader.readexactly(head))
    return message, await reader.readexactly(data)


def read_now(file: Any) -> tuple[Message, bytes] | None:
    """The next one from a file object that waits; None at its end."""
    lengths = file.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head, data = _LENGTHS.unpack(lengths)
    return json.loads(file.read(head)), file.read(data)
