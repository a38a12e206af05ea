"""Where things are in the pod, and what is given to the server's process to find them."""

from __future__ import annotations

FOLDER = "/nuages-dev"
"""The volume: the project in `app`, and what is ours beside it."""

PROJECT = f"{FOLDER}/app"
SOCKET = "/tmp/nuages-dev.sock"  # noqa: S108 - the container's own
MAIL = "/tmp/nuages-mail"  # noqa: S108
TOOLS = f"{FOLDER}/tools"
INSIDE = 8001
"""The port of the server itself, on which only the relay asks."""
