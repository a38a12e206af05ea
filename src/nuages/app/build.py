"""What an image says of itself: its digest, and the facts found inside it when it was built."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

# An image's own facts travel with it, so that a release needs nothing but its reference.
FACTS_LABEL = "dev.nuages.facts"


class Statics(msgspec.Struct, frozen=True, kw_only=True):
    """The static files in one image."""

    image: str
    """repository@sha256:…"""
    root: str
    """The folder in it."""
    path: str
    """Where they are asked for: `/static/`."""
    tree: str
    """The hash of all of them: images with the same one have the same files."""
    hashed: bool
    """Whether the name of each has a hash of its own."""


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What an image's own migrations say against a release of it."""

    id: str
    level: str
    """error, warning or info."""
    message: str
    place: str = ""
    hint: str = ""


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """One built image of one project."""

    reference: str
    """repository@sha256:…; the only way a release names an image."""
    wsgi: str
    """`module:attribute` of the project's WSGI application, as gunicorn writes it; "" where it has none."""
    asgi: str = ""
    """The same of its ASGI application; "" where it has none."""
    settings: str
    """The project's settings module."""
    migrations: dict[str, list[str]] = {}
    """Per app label the leaves of its migration graph: what a database must have before this image serves."""
    static_root: str | None = None
    static_url: str = ""
    static_tree: str = ""
    """The hash of all static files that were collected below `static_root`; "" where there are none."""
    static_hashed: bool = False
    """Whether the name of each has a hash of its own; where not, pages name them below that of all."""
    media_root: str | None = None
    """Where uploads go inside the container; None where the project has no MEDIA_ROOT."""
    django: str = ""
    """The version of Django in the image: `6.0.10`; "" where an older nuages made it."""
    python: str = ""
    """The version of Python in the image: `3.13`."""
    reads: tuple[str, ...] = ()
    """The variables by which its settings ask for the parts of a service's address: `POSTGRES_HOST`."""
    engines: dict[str, str] = {}
    """Per alias of DATABASES the vendor it had when the settings were loaded: `postgresql`, `sqlite`."""
    tasks: dict[str, str] | None = None
    """Per Celery task its signature, `(post, subject=)`; None where it is not known, as an older nuages built it."""
    gates: tuple[Gate, ...] = ()
    """What its migrations lack: models without one, several last ones."""
    frontends: dict[str, str] = {}
    """Per front end the digest of its own image, in the same repository."""
    user: int = 10001
    """The numeric user the processes run as; a name can't be checked by the kubelet (runAsNonRoot)."""
    working_dir: str = "/app"
    revision: str = ""
    """The project's own revision (a git commit), where it has one."""

    def frontend(self, key: str) -> str:
        """The image of a front end, repository@sha256:…; this one's own where it has none: it names what is missing."""
        digest = self.frontends.get(key)
        return f"{self.reference.partition('@')[0]}@{digest}" if digest else self.reference

    @property
    def statics(self) -> Statics | None:
        """Its static files; None where it has none, or another host has them."""
        address = urlsplit(self.static_url)
        if not self.static_tree or self.static_root is None or address.netloc or not address.path.strip("/"):
            return None
        path = f"/{address.path.strip('/')}/"
        return Statics(
            image=self.reference, root=self.static_root, path=path, tree=self.static_tree, hashed=self.static_hashed
        )
