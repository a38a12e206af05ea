"""A mail backend that keeps what is sent, and says that it did. Django makes it by its name."""

# Django is the image's.
# mypy: disable-error-code="import-untyped,import-not-found,misc"

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend

from nuages_runtime.dev import frames
from nuages_runtime.dev.places import MAIL, SOCKET


class Backend(BaseEmailBackend):
    """Each message is a file with a number."""

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        """Keep them all."""
        for message in email_messages:
            number = _kept(message.message().as_bytes())
            told = {"mail": number, "subject": str(message.subject), "to": [str(one) for one in message.recipients()]}
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
                line.connect(SOCKET)
                line.sendall(frames.packed(told))
        return len(email_messages)


def _kept(text: bytes) -> int:
    """Write it under the next number that nobody has taken."""
    folder = Path(MAIL)
    folder.mkdir(exist_ok=True)
    number = 1 + max((int(one.stem) for one in folder.glob("*.eml")), default=0)
    while True:
        try:
            file = os.open(folder / f"{number}.eml", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            number += 1
            continue
        with os.fdopen(file, "wb") as written:
            written.write(text)
        return number
