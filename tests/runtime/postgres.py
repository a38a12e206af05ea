"""A real PostgreSQL beside the tests, from the same image that a cluster runs."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nuages.host import ports
from nuages.host.command import environment, run
from nuages.image import base

PASSWORD = "p@ss/w#rd %"
"""Such as a person would choose; percent-encoded in a URL."""
ENCODED = "p%40ss%2Fw%23rd%20%25"
WHO = b"user\0blog\0database\0blog\0\0"
STARTUP = struct.pack("!II", len(WHO) + 8, 3 << 16) + WHO
"""The first message of a connection: https://www.postgresql.org/docs/17/protocol-message-formats.html"""


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """PostgreSQL with the database `blog` of the user `blog`, its data in an empty folder; yields host:port."""
    reference = base.in_storage("postgres:17")
    container = run(["buildah", "from", "--pull-never", reference]).strip()
    (port,) = ports.free()
    env = {"POSTGRES_USER": "blog", "POSTGRES_PASSWORD": PASSWORD, "POSTGRES_DB": "blog", "PGDATA": "/data/pg"}
    argv = [
        *("buildah", "run", "--isolation=chroot", "--network=host", f"--volume={folder}:/data"),
        *(f"--env={name}={value}" for name, value in env.items()),
        *(container, "--", "docker-entrypoint.sh", "postgres", "-p", str(port), "-c", "fsync=off"),
    ]
    folder.chmod(0o777)
    log = (folder / "log").open("w+")
    process = subprocess.Popen(argv, env=environment(), stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(port, process, folder / "log")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()
        run(["buildah", "rm", container])


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it takes whoever comes: its port opens when everything is made, a moment before it has started up."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(STARTUP)
            if connection.recv(1) == b"R":  # it asks for the password, or does without
                return
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())
