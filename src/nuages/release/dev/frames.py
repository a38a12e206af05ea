"""What goes over the connection to the pod: a message with a name for each value, and bytes. nuages_runtime.dev.frames
has the same, where it is described; a test holds one to the other.
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

Message = dict[str, Any]
_LENGTHS = struct.Struct(">II")


def packed(message: Message, data: bytes = b"") -> bytes:
    """As it is sent."""
    head = json.dumps(message).encode()
    return _LENGTHS.pack(len(head), len(data)) + head + data


async def read(reader: asyncio.StreamReader) -> tuple[Message, bytes]:
    """The next one; raises IncompleteReadError where the other side has ended."""
    head, data = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
    message: Message = json.loads(await reader.readexactly(head))
    return message, await reader.readexactly(data)
