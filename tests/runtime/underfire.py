"""Workers that are killed while they work: a broker, some of the runtime's workers, and how often each task was done.

The broker is a real Redis or a real RabbitMQ; what was done is counted in a Redis, which nobody kills.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from nuages.host.command import environment as own_environment
from nuages.host.command import run
from nuages.host.places import cache
from nuages.image import base

SOURCE = Path(__file__).parents[2] / "src"
PACKAGES = ("django==5.2.19", "celery==5.7.0", "redis==8.1.0", "packaging", "setuptools")
BACK = 10
"""Seconds after which Redis' transport gives a task again that nobody has acknowledged (visibility_timeout)."""

MODULE = f"""
import os
import time

import redis
from celery import Celery

app = Celery("fire", broker=os.environ["CELERY_BROKER_URL"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    # Who gives back may be killed while he does, and holds the lock until then.
    broker_transport_options={{
        "visibility_timeout": {BACK}, "unacked_restore_throttle": 1, "unacked_mutex_expire": {BACK}
    }},
    broker_connection_retry_on_startup=True,
)
counts = redis.Redis.from_url(os.environ["COUNTS_URL"])


@app.task
def count(number):
    counts.hincrby("done", number)


def send(most):
    with app.producer_pool.acquire() as producer:
        for number in range(most):
            count.apply_async((number,), producer=producer)


def waiting():
    # In the queue and, of a Redis, noted as taken; RabbitMQ has back what dead workers had.
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        if connection.transport.driver_type == "redis":
            return channel.client.llen("celery") + channel.client.hlen("unacked")
        before = None
        while before != (now := channel.queue_declare("celery", passive=True).message_count):
            before = now
            time.sleep(1)
        return now
"""


class Seen(NamedTuple):
    """What became of the tasks."""

    tasks: int
    killed: int
    seconds: float
    times: Counter[int]
    """How many tasks were done so many times: once, twice."""
    waiting: int
    """How many messages the broker still has, in its queue or noted as taken: none, where the time was enough."""

    @property
    def lost(self) -> int:
        """Those that were not done, and wait nowhere."""
        return max(0, self.tasks - sum(self.times.values()) - self.waiting)

    @property
    def again(self) -> int:
        """How often one was done that had been done already."""
        return sum(count * (times - 1) for times, count in self.times.items())


def python() -> Path:
    """A Python with Celery, made once and kept."""
    venv = cache() / "test-environments" / f"fire-{sys.version_info.major}.{sys.version_info.minor}"
    found = venv / "bin/python"
    if not (venv / "made").exists():
        run(["uv", "venv", "--quiet", "--clear", "--python", sys.executable, venv])
        run(["uv", "pip", "install", "--quiet", "--python", found, *PACKAGES])
        (venv / "made").touch()
    return found


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of a real Redis, from the image that a cluster runs."""
    with free_port() as port:
        pass
    server = f"exec redis-server --port {port} --save '' --dir /tmp"
    with served("redis:8", server, port):
        yield f"redis://127.0.0.1:{port}"


@contextmanager
def rabbitmq_server() -> Iterator[str]:
    """The URL of a real RabbitMQ, from the image that a cluster runs; Erlang's own ports are on the loopback."""
    with free_port() as port, free_port() as names, free_port() as others:
        pass
    settings = f"listeners.tcp.default = 127.0.0.1:{port}\\n" + "".join(
        f"deprecated_features.permit.{feature} = true\\n" for feature in ("transient_nonexcl_queues", "global_qos")
    )
    variables = {
        "RABBITMQ_NODENAME": "fire@localhost",
        "RABBITMQ_CONFIG_FILE": "/tmp/rabbitmq.conf",
        "RABBITMQ_DIST_PORT": str(others),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "'-kernel inet_dist_use_interface {127,0,0,1}'",
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "HOME": "/var/lib/rabbitmq",
    }
    said = " ".join(f"{name}={value}" for name, value in variables.items())
    server = f"printf '{settings}' > /tmp/rabbitmq.conf && exec env {said} rabbitmq-server"
    with served("rabbitmq:4", server, port):
        yield f"amqp://guest:guest@127.0.0.1:{port}//"


@contextmanager
def free_port() -> Iterator[int]:
    """One that nothing listens on; others that are asked for meanwhile are other ones."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        yield free.getsockname()[1]


@contextmanager
def served(image: str, script: str, port: int) -> Iterator[None]:
    """A server of an image's, once its port answers, and gone afterwards."""
    container = run(["buildah", "from", "--pull-never", base.in_storage(image)]).strip()
    process = subprocess.Popen(
        ["buildah", "run", "--isolation=chroot", "--network=host", container, "--", "sh", "-c", script],
        env=own_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        for _ in range(600):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            assert process.poll() is None, f"{image} ended by itself"
            time.sleep(0.1)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        run(["buildah", "rm", container])


class Fire:
    """Some workers on one broker."""

    def __init__(self, folder: Path, redis: str, broker: str = "", *, overlay: str = "celery") -> None:
        """Write the project; the broker is a database of the Redis where none is named."""
        (folder / "fire.py").write_text(MODULE)
        self._python, self._folder, self._redis = python(), folder, redis
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{SOURCE}:{folder}",
            "CELERY_BROKER_URL": broker or f"{redis}/1",
            "COUNTS_URL": f"{redis}/3",
            "NUAGES_OVERLAY": overlay,
            "NUAGES_CELERY_APP": "fire",
            "NUAGES_CELERY_CONCURRENCY": "2",
            "NUAGES_GRACEFUL_TIMEOUT": "30",
        }

    def asked(self, code: str) -> str:
        """What some code of the project's prints."""
        return run([self._python, "-c", code], env=self._env, cwd=self._folder)

    def worker(self) -> subprocess.Popen[bytes]:
        """One that works; its processes are a group of their own, as those of a container are."""
        return subprocess.Popen(
            [self._python, "-m", "nuages_runtime.worker"], env=self._env, cwd=self._folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def done(self) -> int:
        """How many tasks were done at least once."""
        place, _, _ = self._redis.removeprefix("redis://").partition("/")
        host, _, port = place.partition(":")
        with (
            socket.create_connection((host, int(port)), timeout=10) as connection,
            connection.makefile("rb") as answers,
        ):
            connection.sendall(b"SELECT 3\r\nHLEN done\r\n")
            answers.readline()
            return int(answers.readline()[1:])

    def burn(
        self, tasks: int, *, workers: int, every: float, limit: float, said: Callable[[str], None] | None = None
    ) -> Seen:
        """Send all tasks, then kill one worker after the other, until all are done or the time is over."""
        self.asked(f"import fire; fire.send({tasks})")
        began = time.monotonic()
        alive = [self.worker() for _ in range(workers)]
        killed = 0
        try:
            while (done := self.done()) < tasks and time.monotonic() - began < limit:
                time.sleep(every)
                done = self.done()
                if said:
                    said(f"{time.monotonic() - began:.0f} s: {done} done, {killed} workers killed")
                turn = killed % workers
                # What waits for Redis to give it again needs a worker that lives: the last of them are left alone.
                if done < tasks * 0.995:
                    kill(alive[turn])
                    alive[turn] = self.worker()
                    killed += 1
            seconds = time.monotonic() - began
        finally:
            for each in alive:
                kill(each)
        values = self.asked("import fire; print(' '.join(v.decode() for v in fire.counts.hvals('done')))").split()
        waiting = int(self.asked("import fire; print(fire.waiting())"))
        return Seen(tasks, killed, seconds, Counter(map(int, values)), waiting)


def kill(process: subprocess.Popen[bytes]) -> None:
    """As a node's kernel does that has no memory left: all of it, at once."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
