from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import shop
from environments import Environment
from test_serve import members

from nuages.host import ports
from nuages.host.command import environment as own_environment
from nuages.host.command import run
from nuages.image import base

pytestmark = pytest.mark.runtime

NEWEST, OLD = "django6.1-python3.13-celery", "django4.2-python3.11-old"
# As a web process does it in the midst of a request.
SEND = (
    "from nuages_runtime import logs, wsgi; import shop.celery as shop; wsgi.application; logs.request_id.set('r-1'); "
)


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    """The URL of a real Redis, from the image that a cluster runs."""
    container = run(["buildah", "from", "--pull-never", base.in_storage("redis:8")]).strip()
    (port,) = ports.free()
    server = ("redis-server", "--port", str(port), "--save", "", "--dir", "/tmp")
    process = subprocess.Popen(
        ["buildah", "run", "--isolation=chroot", "--network=host", container, "--", *server],
        env=own_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while True:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield f"redis://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        run(["buildah", "rm", container])


class Worker:
    def __init__(self, environment: Environment, folder: Path, env: dict[str, str], process: subprocess.Popen[str]):
        self.process, self.log = process, list[str]()
        self._environment, self._folder, self._env = environment, folder, env
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log.append(line.rstrip("\n"))

    def send(self, call: str) -> str:
        ended = self._environment.run(["python", "-c", SEND + call], self._folder, self._env)
        assert ended.code == 0, ended.err
        return ended.out.strip()

    def said(self, text: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not any(text in line for line in self.log):
            assert time.monotonic() < deadline, "\n".join(self.log[-20:])
            time.sleep(0.1)

    def end(self) -> None:
        os.kill(members(self.process.pid)[0], signal.SIGTERM)
        self.process.wait(120)
        self._reader.join(60)

    def lives(self) -> None:
        """Wait until it answers the kubelet's question: what it says of itself it says a moment before."""
        alive = ["python", "-I", "-m", "nuages_runtime.alive", "60", "running"]
        deadline = time.monotonic() + 120
        while (probe := self._environment.run(alive, self._folder)).code:
            assert time.monotonic() < deadline, probe.err


@contextmanager
def working(
    environment: Environment, folder: Path, redis: str, module: str = "worker", **more: str
) -> Iterator[Worker]:
    env = {
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "NUAGES_WSGI": "shop.wsgi:application",
        "NUAGES_CELERY_APP": "shop",
        "NUAGES_CELERY_CONCURRENCY": "2",
        "NUAGES_GRACEFUL_TIMEOUT": "20",
        "CELERY_BROKER_URL": f"{redis}/1",
        "CELERY_RESULT_BACKEND": f"{redis}/2",
        **more,
    }
    if not (folder / "shop").is_dir():
        shop.write(folder)
    with environment.started(["python", "-m", f"nuages_runtime.{module}"], folder, env) as process:
        yield Worker(environment, folder, env, process)


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
@pytest.mark.parametrize("name", [OLD, NEWEST])
def test_a_worker_works_logs_and_ends_after_its_task(
    environments: Callable[[str], Environment], tmp_path: Path, redis: str, name: str, pool: str
) -> None:
    environment = environments(name)
    with working(environment, tmp_path, redis, NUAGES_CELERY_POOL=pool) as worker:
        worker.said(" ready.")
        worker.lives()
        assert worker.send("print(shop.add.delay(2, 3).get(timeout=60))") == "5"
        worker.send("shop.app.send_task('shop.of_a_newer_release')")
        worker.said("goes back to the queue")
        worker.send("shop.sleep.delay(2)")
        worker.said("shop.celery.sleep")
        worker.end()
    lines = [json.loads(line) for line in worker.log if line.startswith("{")]
    [added] = [line for line in lines if line["message"] == "adding 2 and 3"]
    assert added["task"] == "shop.celery.add"
    assert added["task_id"]
    assert added["request_id"] == "r-1"
    assert any("shop.celery.sleep" in line["message"] and "succeeded" in line["message"] for line in lines), worker.log


@pytest.mark.parametrize("module", ["worker", "beat", "dbtasks"])
def test_what_is_asked_to_end_while_it_loads_the_project_ends_at_once(
    environments: Callable[[str], Environment], tmp_path: Path, redis: str, module: str
) -> None:
    shop.write(tmp_path)
    with (tmp_path / "shop" / "settings.py").open("a") as settings:
        # A project that takes its time: for as long as the test asks it to end.
        settings.write("\nimport time\nprint('loading', flush=True)\ntime.sleep(600)\n")
    with working(environments(NEWEST), tmp_path, redis, module=module) as worker:
        worker.said("loading")
        own = members(worker.process.pid)[0]
        status = dict(line.split(":", 1) for line in Path(f"/proc/{own}/status").read_text().splitlines())
        # Process 1 of a container gets no other signals.
        assert int(status["SigCgt"], 16) & (1 << (signal.SIGTERM - 1))
        worker.end()


def test_tasks_of_a_gevent_pool_wait_side_by_side(
    environments: Callable[[str], Environment], tmp_path: Path, redis: str
) -> None:
    with working(environments(NEWEST), tmp_path, redis, NUAGES_CELERY_POOL="gevent") as worker:
        worker.said(" ready.")
        waited = worker.send(
            "import time; began = time.time(); several = [shop.sleep.delay(5) for _ in range(5)]; "
            "[each.get(timeout=60) for each in several]; print(time.time() - began)"
        )
        assert 5 <= float(waited) < 25, "one after the other"
        worker.lives()
        worker.end()


@pytest.mark.parametrize("pool", ["prefork", "gevent", "solo"])
def test_a_task_that_takes_too_long_is_not_lost_at_the_end(
    environments: Callable[[str], Environment], tmp_path: Path, redis: str, pool: str
) -> None:
    grace = {"NUAGES_GRACEFUL_TIMEOUT": "3", "NUAGES_SOFT_SHUTDOWN": "2"}
    at = f"import redis; at = redis.Redis.from_url('{redis}/1'); "
    kept = f"{at}print(at.llen('celery'), at.hlen('unacked'))"
    # What workers of other tests left is theirs.
    assert environments(NEWEST).run(["python", "-c", f"{at}at.flushdb()"], tmp_path).code == 0
    with working(environments(NEWEST), tmp_path, redis, NUAGES_CELERY_POOL=pool, **grace) as worker:
        worker.said(" ready.")
        worker.send("shop.sleep.delay(60)")
        worker.said("shop.celery.sleep")
        own = members(worker.process.pid)[0]
        os.kill(own, signal.SIGTERM)
        try:
            # The others wait for their task, which is not to end meanwhile.
            worker.process.wait(60 if pool == "prefork" else 20)
        except subprocess.TimeoutExpired:
            os.kill(own, signal.SIGKILL)  # as the kubelet does
            worker.process.wait(60)
        queued, unacknowledged = environments(NEWEST).run(["python", "-c", kept], tmp_path).out.split()
        assert (queued, unacknowledged) == (("1", "0") if pool == "prefork" else ("0", "1"))


def test_beat_sends_and_keeps_its_schedule(
    environments: Callable[[str], Environment], tmp_path: Path, redis: str
) -> None:
    environment = environments(NEWEST)
    shop.write(tmp_path)
    with (tmp_path / "shop" / "celery.py").open("a") as module:
        module.write("\n\napp.conf.beat_schedule = {'a': {'task': 'shop.celery.add', 'schedule': 1, 'args': (1, 2)}}\n")
    with working(environment, tmp_path, redis, "beat", NUAGES_BEAT_SCHEDULE="/app/schedule") as beat:
        beat.said("Sending due task a")
        beat.lives()
        beat.end()
    assert list(tmp_path.glob("schedule*"))
