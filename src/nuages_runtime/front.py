"""What is answered for the way in, before the project is asked: most ingress controllers can, each in its own words,
and the standard has none for it.

    names      NUAGES_REDIRECTS lead to NUAGES_REDIRECT_TO, https://host, or //host where scheme and port stay
    https      with NUAGES_HTTPS, a request of which the proxy says that it came plain is sent on to https
    size       a body of more than NUAGES_BODY bytes is refused
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

# What may stand in a path as it is: https://datatracker.ietf.org/doc/html/rfc3986#section-3.3
_AS_IT_IS = "/;=,:@&+$!*'()~"
REMEMBERED = 3600
"""Seconds that a browser may keep a redirect for: without it for ever, and a mistake could not be taken back."""

TOO_LARGE = "413 Request Entity Too Large"


class Front(NamedTuple):
    """What the environment says of it."""

    names: tuple[str, ...] = ()
    to: str = ""
    https: bool = False
    hosts: tuple[str, ...] = ()
    """The names that are answered to, as ALLOWED_HOSTS has them."""
    believed: bool = False
    """Whether X-Forwarded-Proto tells the truth."""
    size: int | None = None

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self.names and not self.https and self.size is None

    def elsewhere(self, host: str, proto: str, path: str, query: str) -> str | None:
        """Where a request is sent on to; None where it is to be answered here.

        Args:
            host: the Host header.
            proto: X-Forwarded-Proto, "" where nobody said it: then it is from inside.
            path: as it was asked for, quoted.
            query: as it was asked for.
        """
        name, _, port = host.lower().partition(":")
        rest = path + (f"?{query}" if query else "")
        if _among(name, self.names):
            if not self.to.startswith("//"):
                return self.to + rest
            scheme = proto if self.believed and proto in {"http", "https"} else "http"
            return f"{scheme}:{self.to}{f':{port}' if port.isdigit() else ''}{rest}"
        if self.https and self.believed and proto == "http" and _among(name, self.hosts):
            return f"https://{name}{rest}"
        return None

    def refuses(self, length: str) -> bool:
        """Whether a Content-Length is too large."""
        return self.size is not None and length.isdigit() and int(length) > self.size


def of(environ: Mapping[str, str] = os.environ) -> Front:
    """What the environment says."""
    size = environ.get("NUAGES_BODY", "")
    return Front(
        names=_words(environ.get("NUAGES_REDIRECTS", "")),
        to=environ.get("NUAGES_REDIRECT_TO", ""),
        https=environ.get("NUAGES_HTTPS", "") == "1",
        hosts=_words(environ.get("NUAGES_HOSTS", "")),
        believed=environ.get("NUAGES_PROXY", "") == "https",
        size=int(size) if size else None,
    )


def sent_on(location: str, method: str) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and body; what has a body is sent again as it was, what has none may be remembered as moved."""
    status = "301 Moved Permanently" if method in {"GET", "HEAD"} else "308 Permanent Redirect"
    headers = [
        ("Location", location),
        ("Content-Length", "0"),
        ("Cache-Control", f"max-age={REMEMBERED}"),
    ]
    return status, headers, b""


def too_large(size: int) -> tuple[str, list[tuple[str, str]], bytes]:
    """As above; the connection is closed, for nobody reads what is left of the request."""
    body = f"A request here has {size} bytes at most.\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    return TOO_LARGE, headers, body


def quoted(path: str, encoding: str) -> str:
    """A path whose escapes a server has resolved, as a URL has it."""
    return quote(path, safe=_AS_IT_IS, encoding=encoding)


def _among(name: str, patterns: tuple[str, ...]) -> bool:
    """As ALLOWED_HOSTS is read, with a spec's own form of a wildcard (*.example.com) beside Django's (.example.com)."""
    return any(
        pattern in ("*", name) or (pattern[:1] in ".*" and name.endswith(pattern.removeprefix("*")))
        for pattern in patterns
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)
