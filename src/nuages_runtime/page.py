"""`python -I -m nuages_runtime.page`: the page that stands in for the app during maintenance. Loads nothing of it.

In: NUAGES_PORT (8000), NUAGES_RETRY_AFTER (60, seconds that a client is told to wait), NUAGES_PAGE (the page's file),
NUAGES_BYPASS (a secret: whoever shows it is let through) and NUAGES_BEHIND (to where: nuages_runtime.bypass).

Every path answers 503 with Retry-After, which search engines and clients take for what it is: over in a while. The
kubelet's questions answer 200, for the pod that says so is well. A project's own `maintenance.html`, beside manage.py,
is shown in place of ours. At SIGTERM each answer closes its connection for two seconds, then it ends.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType

from nuages_runtime import bypass
from nuages_runtime.drain import SECONDS
from nuages_runtime.probes import PATHS

FILE = "maintenance.html"
RELEASE = "maintenance"
# A longer body is not read to its end: the connection is closed instead.
LONGEST = 1024 * 1024
# The side that closes first must be the client's (serve.py, KEEP_ALIVE).
IDLE = 75
OURS = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Back soon</title>
<style>body {font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto; padding: 0 1rem}</style>
<h1>Back soon</h1>
<p>This site is being updated. Please try again in a minute.</p>
"""


class Page(BaseHTTPRequestHandler):
    """Answers whatever is asked."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "nuages", ""
    timeout = IDLE
    disable_nagle_algorithm = True

    html = OURS.encode()
    retry_after = "60"
    ending = False
    staff: bypass.Way | None = None

    def answer(self) -> None:
        """The page as HTML, or for a client that asks for JSON a word; what the kubelet asks is answered with 200.

        Whoever shows the secret is let through, and who opens the link with it is given it as a cookie.
        """
        if self.staff and bypass.shown(self.staff, self.headers):
            bypass.through(self.staff, self)
            return
        self._swallow()
        if self.staff and bypass.link(self.staff, self.path):
            self._given(self.staff)
            return
        path = self.path.partition("?")[0]
        if path in PATHS:
            self._send(200, "application/json", json.dumps({"release": RELEASE}).encode())
        elif "application/json" in self.headers.get("Accept", ""):
            self._send(503, "application/json", json.dumps({"detail": "maintenance"}).encode())
        else:
            self._send(503, "text/html; charset=utf-8", self.html)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815 - as http.server calls them

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Nothing: every request is answered in the same way."""

    def _swallow(self) -> None:
        """Read the body, or what follows it on this connection would be taken for a request."""
        length = self.headers.get("Content-Length", "0")
        if length.isdigit() and int(length) <= LONGEST and "Transfer-Encoding" not in self.headers:
            self.rfile.read(int(length))
        else:
            self.close_connection = True

    def _given(self, staff: bypass.Way) -> None:
        self.send_response(303)
        self.send_header("Location", "/")
        self.send_header("Set-Cookie", bypass.cookie(staff, self.headers))
        self.send_header("Content-Length", "0")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if status == 503:
            self.send_header("Retry-After", self.retry_after)
        if Page.ending or self.close_connection:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Waits for no thread at its end: an idle connection would hold it for a minute."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is nothing to report."""


def end(server: Server) -> None:
    """Tell clients for two seconds that their connection closes, then stop."""
    Page.ending = True
    threading.Timer(SECONDS, server.shutdown).start()


def main() -> None:
    """Answer until SIGTERM."""
    own = Path(os.environ.get("NUAGES_PAGE") or FILE)
    if own.is_file():
        Page.html = own.read_bytes()
    Page.staff = bypass.way(os.environ)
    Page.retry_after = os.environ.get("NUAGES_RETRY_AFTER", "60")
    server = Server(("0.0.0.0", int(os.environ.get("NUAGES_PORT", "8000"))), Page)  # noqa: S104 - in a pod

    def stop(_number: int, _frame: FrameType | None) -> None:
        end(server)

    signal.signal(signal.SIGTERM, stop)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
