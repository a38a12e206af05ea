"""What an image says of itself: its digest, and the facts found inside it when it was built."""

from __future__ import annotations

import msgspec

# An image's own facts travel with it, so that a release needs nothing but its reference.
FACTS_LABEL = "dev.nuages.facts"


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """One built image of one project."""

    reference: str
    """repository@sha256:…; the only way a release names an image."""
    wsgi: str
    """`module:attribute` of the project's WSGI application, as gunicorn writes it."""
    settings: str
    """The project's settings module."""
    migrations: dict[str, list[str]] = {}
    """Per app label the leaves of its migration graph: what a database must have before this image serves."""
    static_root: str | None = None
    media_root: str | None = None
    """Where uploads go inside the container; None where the project has no MEDIA_ROOT."""
    user: int = 10001
    """The numeric user the processes run as; a name can't be checked by the kubelet (runAsNonRoot)."""
    working_dir: str = "/app"
    revision: str = ""
    """The project's own revision (a git commit), where it has one."""
