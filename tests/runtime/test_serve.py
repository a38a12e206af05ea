from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import shop
from environments import Environment

from nuages.host import ports

pytestmark = pytest.mark.runtime

COUNTED = (
    'nuages_http_requests_total{method="GET",status="200",view="page"} 1.0',
    'nuages_http_requests_total{method="GET",status="206",view="media"} 1.0',
    'nuages_http_request_duration_seconds_count{method="GET",view="broken"} 1.0',
)
HOST = "shop.example.com"
NEWEST = "django6.1-python3.13"
OLD = "django4.2-python3.11-old"


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers = answer.status, {name.lower(): value for name, value in answer.getheaders()}
        self.text = answer.read().decode()


class Site:
    """A served project: `get` asks it, `log` has what it said, once it has ended."""

    def __init__(self, process: subprocess.Popen[str], port: int, metrics: int) -> None:
        self.process, self.port, self.metrics = process, port, metrics
        self.log: list[str] = []
        # Read as it comes: a pipe that is full would hold the server up.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log.append(line.rstrip("\n"))

    def get(self, path: str, port: int | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        asked = {"Host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers={**asked, "Connection": "close"})
        try:
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def end(self) -> None:
        self.terminate()
        self.wait()

    def terminate(self) -> None:
        """SIGTERM to the server itself, as the kubelet sends it; buildah would not wait for its end."""
        os.kill(members(self.process.pid)[0], signal.SIGTERM)

    def wait(self) -> None:
        self.process.wait(120)
        self._reader.join(60)


def members(group: int) -> list[int]:
    """The processes of a group that are Python, each behind its parent: a younger one may have a smaller number."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        _, parent, own, *_ = rest.split()
        if int(own) == group and name.startswith(("python", "gunicorn", "granian")):
            parents[int(stat.parent.name)] = int(parent)

    def depth(pid: int) -> int:
        return 1 + depth(parents[pid]) if pid in parents else 0

    return sorted(parents, key=depth)


@contextmanager
def served(
    environment: Environment, folder: Path, server: str, interface: str, *, more: str = "", **variables: str
) -> Iterator[Site]:
    """The shop, served; `more` is added to its settings, and what is named to its environment."""
    port, metrics = ports.free(2)
    env = {
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "NUAGES_WSGI": "shop.wsgi:application",
        "NUAGES_ASGI": "shop.asgi:application",
        "NUAGES_SERVER": server,
        "NUAGES_INTERFACE": interface,
        "NUAGES_PORT": str(port),
        "NUAGES_METRICS_PORT": str(metrics),
        "NUAGES_OVERLAY": "static,logging",
        "NUAGES_RELEASE": "7",
        "NUAGES_PROXY": "https",
        **variables,
    }
    project = shop.write(folder)
    with (project / "shop" / "settings.py").open("a") as settings:
        settings.write(more)
    with environment.started(["python", "-m", "nuages_runtime.serve"], project, env) as process:
        site = Site(process, port, metrics)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            try:
                site.get("/-/live")
            except OSError:
                time.sleep(0.1)
            else:
                break
        else:
            process.kill()
            site.wait()
            pytest.fail("\n".join(site.log))
        yield site


@pytest.mark.parametrize(("server", "interface"), [("gunicorn", "wsgi"), ("granian", "wsgi"), ("uvicorn", "asgi")])
def test_a_project_is_served_whole(environment: Environment, tmp_path: Path, server: str, interface: str) -> None:
    with served(environment, tmp_path, server, interface) as site:
        everything(site)


@pytest.mark.parametrize(("server", "interface"), [("gunicorn", "asgi"), ("granian", "asgi")])
def test_a_project_is_served_whole_by_servers_that_know_both(
    environments: Callable[[str], Environment], tmp_path: Path, server: str, interface: str
) -> None:
    with served(environments(NEWEST), tmp_path, server, interface) as site:
        everything(site)


@pytest.mark.parametrize(("server", "interface"), [("gunicorn", "wsgi"), ("granian", "wsgi"), ("uvicorn", "asgi")])
def test_a_project_is_served_whole_by_old_versions(
    environments: Callable[[str], Environment], tmp_path: Path, server: str, interface: str
) -> None:
    with served(environments(OLD), tmp_path, server, interface) as site:
        everything(site)


def everything(site: Site) -> None:
    """One start of a server for all that is asked of it: starting is what takes the time."""
    # Probes, whatever the Host header.
    for probe in ("live", "ready", "startup"):
        answer = site.get(f"/-/{probe}", Host="10.0.0.1")
        assert (answer.status, json.loads(answer.text)) == (200, {"release": "7"})
    assert site.get("/", Host="10.0.0.1").status == 400

    # Request ids, and the proxy's word for https.
    page = site.get("/", X_Request_ID="from-proxy", X_Forwarded_Proto="https")
    assert (page.status, page.text) == (200, "a page, https, from-proxy")
    assert page.headers["x-request-id"] == "from-proxy"
    assert site.get("/broken/").status == 500

    # Static files: compressed by nobody here, hashed ones for ever, the others with an ETag.
    style = site.get("/static/app.css")
    assert (style.status, style.text) == (200, "body { color: orange }\n")
    assert style.headers["cache-control"] == "max-age=60, public"
    assert site.get("/static/app.css", If_None_Match=style.headers["etag"]).status == 304
    assert "immutable" in site.get("/static/app.1f418065fc2c.css").headers["cache-control"]
    assert site.get("/static/none.css").status == 404

    # Uploads.
    assert site.get("/media/cat.txt").text.startswith("a cat")
    part = site.get("/media/cat.txt", Range="bytes=2-4")
    assert (part.status, part.text) == (206, "cat")
    upload = site.get("/media/page.html")
    assert (upload.headers["content-disposition"], upload.headers["x-content-type-options"]) == (
        "attachment",
        "nosniff",
    )
    for path in ("/media/../secret.txt", "/media/%2e%2e/secret.txt", "/media//etc/passwd", "/media/.hidden", "/media/"):
        assert site.get(path).status in {400, 404}, path

    # Metrics, on their own port alone.
    deadline = time.monotonic() + 60
    while True:  # a request is counted when its answer is sent
        told = site.get("/metrics", port=site.metrics).text
        if all(line in told for line in COUNTED):
            break
        assert time.monotonic() < deadline, told
    assert site.get("/metrics").status == 404

    site.end()
    lines = [json.loads(line) for line in site.log if line.startswith("{")]
    access = [line for line in lines if line["logger"] == "nuages.access"]
    assert [line["status"] for line in access if line.get("request_id") == "from-proxy"] == [200]
    assert not [line for line in access if line["path"].startswith("/-/")]
    [page] = [line for line in lines if line["logger"] == "shop" and line["request_id"] == "from-proxy"]
    assert page["message"] == "a page is made"
    [broken] = [line for line in lines if "it is broken" in line.get("exception", "")]
    assert broken["exception"].startswith("Traceback")


@pytest.mark.parametrize(
    ("server", "interface", "workers"),
    [
        ("granian", "wsgi", "2"),
        ("granian", "asgi", "1"),
        ("uvicorn", "asgi", "1"),
        ("gunicorn", "wsgi", "2"),
        ("gunicorn", "asgi", "1"),
    ],
)
def test_no_request_is_lost_when_a_pod_ends(
    environments: Callable[[str], Environment], tmp_path: Path, server: str, interface: str, workers: str
) -> None:
    with served(environments(NEWEST), tmp_path, server, interface, NUAGES_WORKERS=workers) as site:
        lost: list[str] = []
        answered: list[tuple[int, float]] = []
        clients = [threading.Thread(target=client, args=(site, number, lost, answered)) for number in range(8)]
        for each in clients:
            each.start()
        deadline = time.monotonic() + 60
        while len({number for number, _ in answered}) < len(clients):
            assert time.monotonic() < deadline, lost
            time.sleep(0.05)
        term = time.monotonic()
        site.terminate()
        for each in clients:
            each.join(150)
        site.wait()
    assert not lost, site.log[-20:]
    assert [moment for _, moment in answered if moment > term], "some were answered after SIGTERM"


def client(site: Site, number: int, lost: list[str], answered: list[tuple[int, float]]) -> None:
    """On a kept connection until the server closes it with an answer: then the next one would go to another pod."""
    deadline = time.monotonic() + 120
    with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)) as connection:
        while time.monotonic() < deadline:
            try:
                connection.request("GET", "/slow/" if number % 4 == 0 else "/", headers={"Host": HOST})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                lost.append(repr(error))
                return
            if answer.status != 200:
                lost.append(str(answer.status))
            answered.append((number, time.monotonic()))
            if answer.will_close:
                return
            time.sleep(0.02)
    lost.append("the connection was never closed")


@pytest.mark.parametrize(("server", "interface"), [("granian", "wsgi"), ("gunicorn", "wsgi"), ("uvicorn", "asgi")])
def test_several_processes_are_counted_together(
    environments: Callable[[str], Environment], tmp_path: Path, server: str, interface: str
) -> None:
    with served(environments(NEWEST), tmp_path, server, interface, NUAGES_WORKERS="2") as site:
        # A probe was all there was so far.
        assert site.get("/metrics", port=site.metrics).status == 200
        for _ in range(40):
            assert site.get("/").status == 200
        counted(site, 40)
        # Who comes in the place of a process counts on where it stopped.
        os.kill(members(site.process.pid)[-1], signal.SIGKILL)
        answered = 0
        deadline = time.monotonic() + 60
        while answered < 10 and time.monotonic() < deadline:
            with suppress(OSError, http.client.HTTPException):
                answered += site.get("/").status == 200
        counted(site, 50)


def counted(site: Site, pages: int) -> None:
    """That each process answers for all, at the latest when the last request's end is counted."""
    for _ in range(4):
        deadline = time.monotonic() + 60
        while True:
            told = site.get("/metrics", port=site.metrics).text
            [count] = re.findall(r'nuages_http_requests_total\{method="GET",status="200",view="page"\} (\S+)', told)
            if float(count) == pages and "nuages_http_requests_in_flight 0.0" in told:
                break
            assert time.monotonic() < deadline, told


def test_a_server_that_is_missing_is_said_in_one_line(environment: Environment, tmp_path: Path) -> None:
    ended = environment.run(["python", "-m", "nuages_runtime.serve"], tmp_path, {"NUAGES_SERVER": "hypercorn"})
    assert (ended.code, ended.err.strip()) == (1, "nuages: hypercorn is no server of gunicorn, uvicorn, granian")
