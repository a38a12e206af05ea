"""A real registry (CNCF distribution) on 127.0.0.1, and a proxy before it that cuts, refuses and counts."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import httpx2

from nuages.host import ports
from nuages.image import oci
from nuages.local import toolchain

USER, PASSWORD = "ada", "correct-horse"
# Of that password, by bcrypt with its least cost.
HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuuZ0Fx87Pb/Aqb0E90lfvCwzXnaFKUHpS\n"


class Registry(NamedTuple):
    """Where it answers ("127.0.0.1:1234") and what trusts it."""

    host: str
    scheme: str = "http"
    authority: Path | None = None
    signed: tuple[str, str] | None = None

    def get(self, path: str, accept: str = oci.MANIFEST) -> httpx2.Response:
        trust = ssl.create_default_context(cafile=str(self.authority)) if self.authority else True
        return httpx2.get(
            f"{self.scheme}://{self.host}/v2/{path}", headers={"Accept": accept}, auth=self.signed, verify=trust
        )

    def tags(self, name: str) -> list[str]:
        answer = self.get(f"{name}/tags/list")
        return sorted(answer.json().get("tags") or []) if answer.is_success else []


@contextmanager
def running(
    folder: Path, *, password: bool = False, tls: tuple[Path, Path] | None = None, read_only: bool = False
) -> Iterator[Registry]:
    """The registry with its data in a folder; `tls` are certificate and key."""
    (port,) = ports.free()
    http: dict[str, object] = {"addr": f"127.0.0.1:{port}", "secret": "only-for-this-test"}
    if tls:
        http["tls"] = {"certificate": str(tls[0]), "key": str(tls[1])}
    config: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "data")},
            "maintenance": {"readonly": {"enabled": read_only}},
        },
        "http": http,
    }
    if password:
        (folder / "htpasswd").write_text(HTPASSWD)
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
    (folder / "config.yml").write_text(json.dumps(config))
    program = subprocess.Popen(
        [toolchain.tool("registry"), "serve", folder / "config.yml"],
        env={"OTEL_TRACES_EXPORTER": "none"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        answers(port, program)
        signed = (USER, PASSWORD) if password else None
        yield Registry(f"127.0.0.1:{port}", "https" if tls else "http", signed=signed)
    finally:
        program.terminate()
        program.wait()


def answers(port: int, program: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and program.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the registry does not come up")


def authority(folder: Path) -> tuple[Path, tuple[Path, Path]]:
    """A certificate authority of our own, and a certificate of 127.0.0.1 with its key."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *key, "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.crt")
    openssl("req", *key[:5], "-subj", "/CN=registry", "-keyout", "tls.key", "-out", "tls.csr")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "tls.csr", *signed, "-out", "tls.crt")
    return folder / "ca.crt", (folder / "tls.crt", folder / "tls.key")


def end(connection: http.client.HTTPConnection) -> None:
    """Stop in the midst of a body, and wait until the other side has taken what was sent and noticed the end."""
    connection.sock.settimeout(60)
    with suppress(OSError):
        connection.sock.shutdown(socket.SHUT_WR)
        while connection.sock.recv(1 << 16):
            pass


class Seen(NamedTuple):
    """A request that arrived at the proxy; `size` counts the body's bytes that were passed on."""

    method: str
    path: str
    size: int


class Fault(NamedTuple):
    """What happens to requests that match "METHOD PATH": answered `status`, or cut after `after` bytes of the body."""

    pattern: str
    status: int = 0
    after: int = 0
    times: int = 1
    headers: tuple[tuple[str, str], ...] = ()


class Proxy:
    """Stands before a registry; `seen` has every request, `faults` what goes wrong."""

    def __init__(self, registry: Registry) -> None:
        self.seen: list[Seen] = []
        self.faults: list[Fault] = []
        self.tokens: list[str] = []
        """The last one opens the gate; without one there is no gate."""
        self.asked: list[tuple[str, str]] = []
        """What the token server was asked: header, path and body."""
        self._left: dict[Fault, int] = {}
        self._lock = threading.Lock()
        upstream = registry.host
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: object) -> None:
                pass

            def pass_on(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                if proxy.tokens and self.answered_by_gate(size):
                    return
                fault = proxy.fault(f"{self.command} {self.path}")
                if fault and fault.status:
                    self.rfile.read(size)
                    proxy.note(self.command, self.path, 0)
                    self.answer(fault.status, dict(fault.headers), b"")
                    return
                with closing(http.client.HTTPConnection(upstream)) as connection:
                    self.forward(connection, size, fault)

            def answered_by_gate(self, size: int) -> bool:
                """Play the token server, and let nobody in without the token that counts."""
                if self.path.startswith("/token"):
                    asked = self.path + " " + self.rfile.read(size).decode()
                    proxy.asked.append((self.headers.get("Authorization", ""), asked))
                    body = json.dumps({"token": proxy.tokens[-1], "expires_in": 60}).encode()
                    self.answer(200, {"Content-Type": "application/json"}, body)
                elif self.headers.get("Authorization") != f"Bearer {proxy.tokens[-1]}":
                    self.rfile.read(size)
                    realm = f'Bearer realm="http://{proxy.host}/token",service="test",scope="registry:catalog:*"'
                    self.answer(401, {"WWW-Authenticate": realm}, b"")
                else:
                    return False
                return True

            def forward(self, connection: http.client.HTTPConnection, size: int, fault: Fault | None) -> None:
                connection.putrequest(self.command, self.path, skip_accept_encoding=True, skip_host=True)
                for name, value in self.headers.items():
                    connection.putheader(name, value)
                connection.endheaders()
                moved, limit = 0, min(fault.after, size) if fault else size
                while moved < limit and (piece := self.rfile.read(min(1 << 16, limit - moved))):
                    connection.send(piece)
                    moved += len(piece)
                proxy.note(self.command, self.path, moved)
                if fault:
                    end(connection)
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                response = connection.getresponse()
                self.answer(response.status, dict(response.getheaders()), response.read())

            def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response_only(status)
                if self.command != "HEAD":
                    headers = {**headers, "Content-Length": str(len(body))}
                for name, value in headers.items():
                    if name.lower() not in ("transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

        for method in ("GET", "HEAD", "POST", "PUT", "PATCH"):
            setattr(Handler, f"do_{method}", Handler.pass_on)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *arguments: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fault(self, request: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                left = self._left.setdefault(fault, fault.times)
                if left and re.search(fault.pattern, request):
                    self._left[fault] = left - 1
                    return fault
        return None

    def note(self, method: str, path: str, size: int) -> None:
        with self._lock:
            self.seen.append(Seen(method, path, size))

    def bodies(self, wanted: Callable[[Seen], bool] = lambda seen: "/blobs/uploads/" in seen.path) -> list[int]:
        """How many bytes each request carried, those without left out."""
        return [seen.size for seen in self.seen if seen.size and wanted(seen)]
