"""Requests per CPU-second: the blog's first page, and an empty answer, by nuages' serving, by others, and by nobody.

The floor is the WSGI callable called in a loop in one process: no server can be cheaper than nothing.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Samples, ratio, rounds, say
from nuages.host.places import cache

ROOT = Path(__file__).parents[1]
SERVERS = ("gunicorn==27.0.1", "granian==2.8.7", "prometheus-client==0.26.0")
CLIENTS = 4
EMPTY = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]
"""
# What a server makes of a request, without the server; CPU time of this process alone.
FLOOR = """
import importlib, io, json, sys, time
application = importlib.import_module(sys.argv[1]).application
def once():
    environ = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
        "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }
    answer = application(environ, lambda status, headers, exc_info=None: None)
    b"".join(answer)
    getattr(answer, "close", lambda: None)()
for line in sys.stdin:
    count = int(line)
    before = time.process_time()
    for _ in range(count):
        once()
    print(json.dumps(count / (time.process_time() - before)), flush=True)
"""


class Page(NamedTuple):
    """What is asked for: the module with the WSGI callable, and how often a round asks."""

    name: str
    module: str
    requests: int


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks servers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--requests", type=int, default=300, help="pages a round; of empty answers twenty times as many"
    )
    parser.add_argument("--database", help="DATABASE_URL of an empty PostgreSQL; left out: SQLite")
    parser.add_argument("--python", default="3.13", help="as `uv venv --python` takes it")
    options = parser.parse_args(argv)

    python = environment(options.python)
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "blog"
        env = blog(folder, python, options.database)
        for page in (
            Page("a rendered page", "blog.wsgi", options.requests),
            Page("an empty answer", "empty", 20 * options.requests),
        ):
            measure(page, folder, python, env, options.rounds)


def environment(python: str) -> Path:
    """A virtual environment with what the blog needs and the servers, kept; its Python."""
    folder = cache() / "benchmarks" / f"servers-{Path(python).name}"  # a path is one as well
    found = folder / "bin" / "python"
    if not found.exists():
        say(f"make {folder}")
        run("uv", "venv", "--quiet", "--clear", "--python", python, folder)
    wanted = ("--requirement", ROOT / "examples" / "blog" / "requirements.txt", *SERVERS)
    run("uv", "pip", "install", "--quiet", "--python", found, *wanted)
    return found


def blog(folder: Path, python: Path, database: str | None) -> dict[str, str]:
    """A copy of the example with its demonstration data, in production form; its environment."""
    shutil.copytree(ROOT / "examples" / "blog", folder)
    (folder / "empty.py").write_text(EMPTY)
    env = os.environ | {
        "DATABASE_URL": database or f"sqlite:///{folder / 'benchmark.sqlite3'}",
        "SECRET_KEY": "only for a benchmark",
        "ALLOWED_HOSTS": "localhost",
        "DJANGO_SETTINGS_MODULE": "blog.settings",
        "PYTHONPATH": f"{folder}:{ROOT / 'src'}",
    }
    for command in (
        ("migrate", "--verbosity=0"),
        ("loaddata", "--verbosity=0", "demo"),
        ("collectstatic", "--noinput"),
    ):
        run(python, "manage.py", *command, cwd=folder, env=env)
    return env


def competitors(page: Page, python: Path) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Name -> command line with {port}, and what it needs in its environment."""
    program = str(python.parent)
    target = f"{page.module}:application"
    nuages = {"NUAGES_WSGI": target, "NUAGES_PORT": "{port}", "NUAGES_THREADS": "4", "NUAGES_METRICS_PORT": "{other}"}
    serve = [str(python), "-m", "nuages_runtime.serve"]
    gunicorn = [f"{program}/gunicorn", "--bind=127.0.0.1:{port}"]
    granian = [f"{program}/granian", "--interface=wsgi", "--port={port}"]
    return {
        "nuages (granian)": (serve, {**nuages, "NUAGES_SERVER": "granian"}),
        "nuages (gunicorn)": (serve, {**nuages, "NUAGES_SERVER": "gunicorn"}),
        "gunicorn, default": ([*gunicorn, target], {}),
        "gunicorn, tuned": ([*gunicorn, "--threads=4", "--keep-alive=75", "--worker-tmp-dir=/dev/shm", target], {}),
        "granian, default": ([*granian, target], {}),
        "granian, tuned": ([*granian, "--blocking-threads=1", "--http=1", "--no-ws", target], {}),
    }


def measure(page: Page, folder: Path, python: Path, env: Mapping[str, str], count: int) -> None:
    """Start them all, ask them in turns, print."""
    with ExitStack() as stack:
        running: dict[str, Server | Floor] = {}
        for name, (argv, more) in competitors(page, python).items():
            running[name] = stack.enter_context(started(argv, folder, env | more))
        running["floor"] = stack.enter_context(floor(page, folder, python, env))
        for each in running.values():
            each.ask(page.requests // 3)  # code that specializes, templates that are loaded
        samples: Samples = {name: [] for name in running}
        for number, name in rounds(count, list(running)):
            samples[name].append(running[name].ask(page.requests))
            say(f"{page.name}, round {number}: {name} {samples[name][-1]:.0f}")
    print(f"\n{page.name}: requests per CPU-second")
    width = max(map(len, samples))
    print(f"{'':<{width}}  {'median':>8}  {'min':>8}  {'max':>8}  rounds")
    for name, taken in samples.items():
        ordered = sorted(taken)
        numbers = "  ".join(f"{value:>8.0f}" for value in (ordered[len(ordered) // 2], ordered[0], ordered[-1]))
        print(f"{name:<{width}}  {numbers}  {len(taken):>6}")
    ratio(samples, "nuages (granian)", "gunicorn, default", "at least 1.20 on the page")
    ratio(samples, "nuages (granian)", "floor", "at least 0.95 on the page")


class Server:
    """A process group that answers on a port of 127.0.0.1."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def ask(self, requests: int) -> float:
        """Requests per second of the CPU time that the group took for them."""
        each = max(1, requests // CLIENTS)
        failures: list[str] = []
        clients = [threading.Thread(target=self._client, args=(each, failures)) for _ in range(CLIENTS)]
        before = cpu_seconds(self.process.pid)
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        took = cpu_seconds(self.process.pid) - before
        if failures:
            sys.exit(f"{self.process.args!r}: {len(failures)} requests failed: {failures[0]}")
        return each * CLIENTS / took

    def _client(self, requests: int, failures: list[str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        for _ in range(requests):
            try:
                connection.request("GET", "/", headers={"Host": "localhost"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                failures.append(repr(error))
                connection.close()
                continue
            if answer.status != 200:
                failures.append(str(answer.status))
        connection.close()


class Floor:
    """A process that calls the callable as often as it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, requests: int) -> float:
        """As Server.ask, by its own clock."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{requests}\n")
        self.process.stdin.flush()
        return float(json.loads(self.process.stdout.readline()))


@contextmanager
def started(argv: Sequence[str], folder: Path, env: Mapping[str, str]) -> Iterator[Server]:
    """Run it on free ports until the end of the body; its output goes nowhere, as fast for all."""
    ports = {"port": str(free_port()), "other": str(free_port())}
    process = subprocess.Popen(
        [part.format(**ports) for part in argv],
        cwd=folder,
        env={name: value.format(**ports) if name.startswith("NUAGES_") else value for name, value in env.items()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(int(ports["port"]), process)
        yield Server(process, int(ports["port"]))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def floor(page: Page, folder: Path, python: Path, env: Mapping[str, str]) -> Iterator[Floor]:
    """The loop, waiting to be told how often."""
    process = subprocess.Popen(
        [str(python), "-c", FLOOR, page.module],
        cwd=folder,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Floor(process)
    finally:
        process.kill()
        process.communicate()


def cpu_seconds(group: int) -> float:
    """User and system time of all processes of a group, in steps of 10 ms (proc(5), stat: fields 5, 14, 15)."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until it listens; a server that ends instead ends the benchmark."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"{process.args!r} does not listen")


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(*argv: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    """To its end; one that fails ends the benchmark with what it said."""
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"`{' '.join(map(str, argv))}` failed\n{done.stdout}{done.stderr}")
