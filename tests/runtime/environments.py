"""Real interpreters with real packages: one virtual environment per (Django, Python), made by uv inside the image's own
Python and kept in the cache, so that a fresh machine needs nothing but nuages.

    environment.run(["python", "manage.py", "check"], folder, env={...})        a program, in /app = folder
    with environment.started(["python", "-m", "nuages_runtime.serve"], folder, env={...}) as process: ...

The network is this machine's: what listens on 127.0.0.1:PORT inside is reached there. nuages_runtime is this
checkout's, put in site-packages as an image has it; its hook does nothing as long as NUAGES_OVERLAY is not set.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from nuages.host import files
from nuages.host.command import environment as own_environment
from nuages.host.lock import locked
from nuages.host.places import cache
from nuages.image import container, dependencies, engines, network, system
from nuages.image.container import Volume
from nuages.progress import silent

RUNTIME = Path(__file__).parents[2] / "src" / "nuages_runtime"
# Counted up when the way of making them changes.
RECIPE = 1
# What buildah adds to the output of a program that failed.
_BUILDAH = re.compile(r"^(subprocess exited with status \d+|Error: exit status \d+)\n?", re.MULTILINE)
COMMON = (
    "celery==5.7.0",
    "channels==4.3.2",
    "django-configurations==2.5.1",
    "django-environ==0.14.0",
    "django-split-settings==1.3.2",
    "dynaconf==3.3.5",
    "granian==2.8.7",
    "prometheus-client==0.26.0",
    "psycopg[binary,pool]==3.3.9",
    "pydantic-settings==2.16.3",
    "python-decouple==3.8",
    "redis==8.1.0",
    "uvicorn==0.54.0",
    "whitenoise==6.12.0",
)
# Newest of each, and beside the oldest Django a server that knows no control socket.
MATRIX = {
    "django4.2-python3.11": ("3.11", ("django==4.2.30", "gunicorn==23.0.0", *COMMON)),
    "django5.2-python3.11": ("3.11", ("django==5.2.19", "gunicorn==27.0.1", *COMMON)),
    "django5.2-python3.13": ("3.13", ("django==5.2.19", "gunicorn==27.0.1", *COMMON)),
    "django6.0-python3.13": ("3.13", ("django==6.0.10", "gunicorn==27.0.1", *COMMON)),
    "django6.1-python3.13": ("3.13", ("django==6.1.3", "gunicorn==27.0.1", *COMMON)),
}
# Not in the matrix, as only serving and workers are tried with them: the oldest servers, and Celery, that locks
# still have; and Celery with what its Redis transport imports and does not ask for; and tasks that are rows.
BESIDE = {
    "django4.2-python3.11-old": (
        "3.11",
        (
            *("django==4.2.30", "gunicorn==20.1.0", "setuptools<81", "uvicorn==0.23.2", "granian==1.7.6"),
            *("celery==5.4.0", "redis==8.1.0", "packaging", "whitenoise==6.2.0", "prometheus-client==0.20.0"),
        ),
    ),
    "django6.1-python3.13-celery": (
        "3.13",
        ("django==6.1.3", "celery==5.7.0", "redis==8.1.0", "packaging", "gevent==26.9.0"),
    ),
    "django6.1-python3.13-tasks": ("3.13", ("django==6.1.3", "django-tasks-db==0.13.0")),
}


class Ended(NamedTuple):
    """How a program inside ended."""

    code: int
    out: str
    err: str


class Environment(NamedTuple):
    """A Python with a Django and what goes with it."""

    name: str
    container: str
    """buildah's working container that it runs in."""
    venv: Path

    @property
    def django(self) -> tuple[int, int]:
        """(4, 2)"""
        major, _, minor = self.name.partition("-")[0].removeprefix("django").partition(".")
        return int(major), int(minor)

    def run(
        self,
        program: Sequence[str],
        folder: Path,
        env: Mapping[str, str] | None = None,
        volumes: Sequence[Volume] = (),
        timeout: float = 300,
    ) -> Ended:
        """Run a program in /app, which is `folder`, to its end."""
        done = subprocess.run(
            self._argv(program, folder, env, volumes),
            env=own_environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ended(done.returncode, done.stdout, _BUILDAH.sub("", done.stderr))

    @contextmanager
    def started(
        self,
        program: Sequence[str],
        folder: Path,
        env: Mapping[str, str] | None = None,
        volumes: Sequence[Volume] = (),
    ) -> Iterator[subprocess.Popen[str]]:
        """A program that runs beside the body, stdout and stderr together in its `stdout`; buildah hands SIGTERM on to
        it. What is left of its process group after the body is killed.
        """
        process = subprocess.Popen(
            self._argv(program, folder, env, volumes),
            env=own_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=10)
            # Also after an end in time: buildah ends with its child, whatever that child has started.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def _argv(
        self, program: Sequence[str], folder: Path, env: Mapping[str, str] | None, volumes: Sequence[Volume]
    ) -> list[str]:
        packages = next(self.venv.glob("lib/python3.*/site-packages")).relative_to(self.venv)
        mounted = [
            Volume(self.venv, dependencies.VENV),
            Volume(folder, "/app", writable=True),
            Volume(RUNTIME, f"{dependencies.VENV}/{packages}/nuages_runtime"),
            *volumes,
        ]
        seen = {
            "PATH": f"{dependencies.VENV}/bin:/usr/local/bin:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "HOME": "/tmp",
            **(env or {}),
        }
        return [
            *("buildah", "run", "--isolation=chroot", "--network=host", "--workingdir=/app"),
            *(f"--volume={volume}" for volume in mounted),
            *(f"--env={name}={value}" for name, value in seen.items()),
            # Through a shell: buildah would look a program up in the PATH of the image.
            *(self.container, "--", "sh", "-c", 'exec "$@"', "sh", *program),
        ]


def ensure(name: str) -> Environment:
    """The environment of that name in MATRIX, made where it is not in the cache yet (half a minute each)."""
    python, wanted = (MATRIX | BESIDE)[name]
    below = system.ensure(python, [], silent)
    working = _working(below)
    key = hashlib.sha256("\n".join([below.image.digest, *wanted, str(RECIPE)]).encode()).hexdigest()[:16]
    folder = cache() / "test-environments" / f"{name}-{key}"
    with locked(folder.with_suffix(".lock"), silent, "the same environment"):
        if not (folder / "complete").is_file():
            _make(folder, working, wanted)
        packages = next((folder / "venv").glob("lib/python3.*/site-packages"))
        for hook in RUNTIME.glob("nuages.*"):
            # Another run may start a Python with it at this moment.
            if not (packages / hook.name).is_file() or (packages / hook.name).read_bytes() != hook.read_bytes():
                files.replace(packages / hook.name, hook.read_text())
    return Environment(name, working, folder / "venv")


def _working(below: system.System) -> str:
    """A working container of the tests' own: `buildah run` takes away the mount points that it made, also those that a
    build beside it is about to use.
    """
    engine = engines.chosen(silent)
    name = f"{engine.prefix}tests-{below.image.digest.removeprefix('sha256:')[:16]}"
    with locked(system.home() / f"{name}.lock", silent, "other tests"):
        (system.home() / f"{name}.lock").touch()
        if not engine.known(name):
            engine.make(name, below.archive, below.reference, lambda _: None)
    return name


def _make(folder: Path, working: str, packages: Sequence[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    work, downloads = folder / "work", cache() / "builds" / "uv"
    for made in (folder / "venv", work, downloads):
        made.mkdir(parents=True, exist_ok=True)
    exported = network.variables(os.environ)
    (work / "recipe").write_text(
        "set -eu\n"
        + "".join(f"export {name}={shlex.quote(value)}\n" for name, value in exported.items())
        + "uv venv --quiet --allow-existing --python python3 /venv\n"
        + f"uv pip install --quiet --python /venv/bin/python {shlex.join(packages)}\n"
        + "/venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv/lib || true\n"
        # Where this checkout's runtime is mounted; the hook is put beside it.
        + 'for packages in /venv/lib/python3.*/site-packages; do mkdir "$packages/nuages_runtime"; done\n'
    )
    volumes = [
        Volume(folder / "venv", dependencies.VENV, writable=True),
        Volume(downloads, "/run/nuages/cache", writable=True),
        Volume(work, "/run/nuages/work"),
        Volume(dependencies.installer(), "/usr/local/bin/uv"),
    ]
    if certificates := network.trusted(os.environ):
        volumes.append(Volume(certificates, network.CERTIFICATES))
    env = {"UV_CACHE_DIR": "/run/nuages/cache", "UV_LINK_MODE": "copy", "UV_NO_PROGRESS": "1", "UV_NO_CONFIG": "1"}
    container.inside(working, ["sh", "/run/nuages/work/recipe"], lambda _: None, volumes=volumes, env=env)
    shutil.rmtree(work)
    (folder / "complete").touch()
