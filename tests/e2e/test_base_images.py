"""The base images keep the official contract as a pod would run them: some other user, no rights, root read-only.

Each runs by runc in namespaces of its own, without a cluster: seconds, and what a pod's securityContext does is set
here.
"""

from __future__ import annotations

import gzip
import http.server
import json
import os
import select
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from nuages.image import base, interpreters, layout, oci, official, tarballs

pytestmark = pytest.mark.e2e

# Other than 127.0.0.1, which a fresh Postgres trusts and an unconfigured Redis lets in.
ADDRESS = "10.99.0.1"
PATIENCE = 300  # seconds; only what is broken takes them


def empty_folders(bundle: Path, paths: Sequence[str]) -> dict[str, Path]:
    """What a kubelet makes of emptyDir volumes: everybody may write."""
    made = {path: bundle / path.strip("/").replace("/", "-") for path in paths}
    for folder in made.values():
        folder.mkdir(parents=True)
        folder.chmod(0o2777)
    return made


class Container:
    """A container of an image, started as Kubernetes would under Pod Security `restricted` with a read-only root."""

    def __init__(
        self,
        bundle: Path,
        rootfs: Path,
        settings: dict,
        *,
        user: int,
        env: dict[str, str] | None = None,
        volumes: dict[str, Path] | None = None,
        writable: Sequence[str] = ("/tmp",),
        args: Sequence[str] = (),
    ) -> None:
        self.name = f"nuages-test-{uuid.uuid4().hex[:8]}"
        self.output = ""
        command = list(args) or settings.get("Cmd") or []
        mounts = [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755", "size=64k"]},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["mode=1777"]},
            *(
                {"destination": path, "type": "bind", "source": str(source), "options": ["rbind", "rw"]}
                for path, source in {**empty_folders(bundle, writable), **(volumes or {})}.items()
            ),
        ]
        config = {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": user, "gid": user, "additionalGids": [user]},
                "args": [*(settings.get("Entrypoint") or []), *command],
                "env": [*settings["Env"], *(f"{name}={value}" for name, value in (env or {}).items())],
                "cwd": settings.get("WorkingDir") or "/",
                "capabilities": {},
                "noNewPrivileges": True,
            },
            "root": {"path": str(rootfs), "readonly": True},
            "mounts": mounts,
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts", "network")]},
        }
        (bundle / "config.json").write_text(json.dumps(config))
        self._process = subprocess.Popen(
            ["runc", "run", "--bundle", str(bundle), self.name],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def wait_for(self, text: str, seconds: float = PATIENCE, *, after: str = "") -> None:
        """Read its output until a text comes; one that may come twice, `after` another."""
        end = time.monotonic() + seconds
        stream = self._process.stdout
        while text not in (self.output.partition(after)[2] if after else self.output):
            ready, _, _ = select.select([stream], [], [], max(end - time.monotonic(), 0))
            chunk = os.read(stream.fileno(), 65536) if ready else b""
            assert chunk, f"{text!r} did not come:\n{self.output}"
            self.output += chunk.decode()

    def ended(self) -> int:
        """Wait for its end: its exit code."""
        out, _ = self._process.communicate(timeout=PATIENCE)
        self.output += out.decode()
        return self._process.returncode

    def address(self) -> None:
        """Give it an address that is not the loopback's own."""
        state = subprocess.run(["runc", "state", self.name], capture_output=True, check=True)
        pid = str(json.loads(state.stdout)["pid"])
        subprocess.run(["nsenter", "-t", pid, "-n", "ip", "address", "add", f"{ADDRESS}/32", "dev", "lo"], check=True)

    def run(self, *command: str, env: dict[str, str] | None = None, check: bool = True) -> str:
        """Run a program in it, as its user: what it printed."""
        variables = [part for name, value in (env or {}).items() for part in ("--env", f"{name}={value}")]
        done = subprocess.run(
            ["runc", "exec", *variables, self.name, *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def stop(self, signal: str = "KILL") -> None:
        """End it by a signal, and wait for that."""
        if subprocess.run(["runc", "kill", self.name, signal], capture_output=True, check=False).returncode:
            self._process.terminate()
        guard = threading.Timer(PATIENCE / 2, self._process.kill)
        guard.start()
        self.ended()
        guard.cancel()
        subprocess.run(["runc", "delete", "--force", self.name], capture_output=True, check=False)


Start = Callable[..., Container]


@pytest.fixture(scope="module")
def unpacked() -> Iterator[Callable[[str], tuple[Path, dict]]]:
    """The root folder and the settings of a base image, by name."""
    made: dict[str, tuple[str, Path, dict]] = {}

    def buildah(*arguments: str) -> str:
        return subprocess.run(["buildah", *arguments], capture_output=True, text=True, check=True).stdout.strip()

    def unpack(name: str) -> tuple[Path, dict]:
        if name not in made:
            container = buildah("from", "--pull-never", base.in_storage(name))
            settings = layout.read(base.archive(name)).settings
            made[name] = (container, Path(buildah("mount", container)), settings)
        return made[name][1:]

    yield unpack
    for container, _, _ in made.values():
        buildah("umount", container)
        buildah("rm", container)


@pytest.fixture
def start(unpacked, tmp_path: Path) -> Iterator[Start]:
    """`start(image, user=..., ...)`: a container, ended with the test."""
    running: list[Container] = []

    def run(image: str, **settings: object) -> Container:
        rootfs, image_settings = unpacked(image)
        container = Container(tmp_path / f"bundle-{len(running)}", rootfs, image_settings, **settings)
        running.append(container)
        return container

    yield run
    for container in running:
        container.stop()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume as a kubelet gives it to a pod with fsGroup: of root, writable for a group only."""
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


DATA = "/var/lib/postgresql/data"
LISTENS = "listening on IPv4 address"
"""What the server that initialises does not."""
READY = "ready to accept connections"


def for_group(folder: Path, group: int) -> Path:
    os.chown(folder, 0, group)
    folder.chmod(0o2775)
    return folder


def postgres(start: Start, volume: Path, *, user: int = 999, files: Path | None = None, **env: str) -> Container:
    volumes = {DATA: for_group(volume, user)}
    if files is not None:
        volumes["/docker-entrypoint-initdb.d"] = files
    env = {"POSTGRES_USER": "blog", "POSTGRES_PASSWORD": "right-one", "PGDATA": f"{DATA}/pgdata"} | env
    return start("postgres:17", user=user, env=env, volumes=volumes, writable=("/tmp", "/var/run/postgresql"))


def query(container: Container, sql: str, password: str = "right-one", *, check: bool = True) -> str:
    command = ("psql", "-h", ADDRESS, "-U", "blog", "-d", "blog", "-At", "-c", sql)
    return container.run(*command, env={"PGPASSWORD": password}, check=check).strip()


def test_postgres_makes_user_and_database_refuses_a_wrong_password_and_keeps_its_data(start, volume, tmp_path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "1-schema.sql").write_text("CREATE TABLE note (text text);")
    (files / "2-rows.sql.gz").write_bytes(gzip.compress(b"INSERT INTO note VALUES ('from sql.gz');"))
    (files / "3-more.sh").write_text(
        "psql -U $POSTGRES_USER -d $POSTGRES_DB -c \"INSERT INTO note VALUES ('from sh')\""
    )
    first = postgres(start, volume, files=files, POSTGRES_INITDB_ARGS="--data-checksums")
    first.wait_for(READY, after=LISTENS)
    first.address()
    assert query(first, "SELECT current_user, current_database()") == "blog|blog"
    assert query(first, "SELECT text FROM note ORDER BY 1") == "from sh\nfrom sql.gz"
    assert query(first, "SHOW password_encryption") == "scram-sha-256"
    assert query(first, "SHOW data_checksums") == "on"
    assert query(first, "SELECT datcollate FROM pg_database WHERE datname = 'blog'") == "en_US.utf8"
    assert "password authentication failed" in query(first, "SELECT 1", "wrong-one", check=False)
    assert "right-one" not in first.output
    first.stop("INT")
    assert "database system is shut down" in first.output

    second = postgres(start, volume, POSTGRES_PASSWORD="ignored-now")
    second.wait_for(READY, after=LISTENS)
    second.address()
    assert query(second, "SELECT count(*) FROM note") == "2"
    assert "initialised" not in second.output


def test_postgres_killed_while_it_is_initialised_starts_anew(start, volume, tmp_path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "hang.sh").write_text("echo hanging; sleep infinity")
    first = postgres(start, volume, files=files)
    first.wait_for("hanging")
    first.stop("KILL")
    (files / "hang.sh").write_text("psql -U $POSTGRES_USER -d $POSTGRES_DB -c 'CREATE TABLE whole ()'")
    second = postgres(start, volume, files=files)
    second.wait_for(READY, after=LISTENS)
    second.address()
    assert query(second, "SELECT count(*) FROM whole") == "0"
    assert not (volume / "pgdata" / ".new").exists()


def test_postgres_runs_as_a_user_that_only_kubernetes_knows_and_reads_its_password_from_a_file(
    start, volume, tmp_path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "password").write_text("right-one\n")
    env = {"POSTGRES_USER": "blog", "POSTGRES_PASSWORD_FILE": "/secret/password", "PGDATA": f"{DATA}/pgdata"}
    volumes = {DATA: for_group(volume, 12345), "/secret": secret}
    container = start("postgres:17", user=12345, env=env, volumes=volumes, writable=("/tmp", "/var/run/postgresql"))
    container.wait_for(READY, after=LISTENS)
    container.address()
    assert query(container, "SELECT 1") == "1"


def test_postgres_without_a_password_says_so_and_touches_nothing(start, volume) -> None:
    container = postgres(start, volume, POSTGRES_PASSWORD="")
    assert container.ended() == 1
    assert "POSTGRES_PASSWORD is not set" in container.output
    assert not any((volume / "pgdata").iterdir())


def test_postgres_never_writes_over_files_that_are_not_its_own(start, volume) -> None:
    (volume / "pgdata").mkdir()
    (volume / "pgdata" / "precious").write_text("keep me")
    os.chown(volume / "pgdata", 999, 999)
    container = postgres(start, volume)
    assert container.ended() == 1
    assert "holds files but no database" in container.output
    assert [path.name for path in (volume / "pgdata").iterdir()] == ["precious"]


def test_redis_answers_other_pods_and_writes_where_it_may(start, volume) -> None:
    volumes = {"/data": for_group(volume, 999)}
    container = start("redis:8", user=999, volumes=volumes, args=["redis-server", "--appendonly", "yes"])
    container.wait_for("Ready to accept connections")
    container.address()
    assert container.run("redis-cli", "-h", ADDRESS, "ping").strip() == "PONG"
    assert (volume / "appendonlydir").is_dir()


def test_nginx_serves_what_a_template_says_on_a_port_that_any_user_may_open(start, tmp_path) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "default.conf.template").write_text(
        "server { listen ${PORT}; location / { return 200 'host $host'; } }"
    )
    container = start(
        "nginx:1.26",
        user=101,
        env={"PORT": "8080"},
        volumes={"/etc/nginx/templates": templates},
        writable=("/tmp", "/run", "/var/cache/nginx", "/etc/nginx/conf.d"),
    )
    container.wait_for("start worker process")
    ask = "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET / HTTP/1.0\\r\\nHost: blog.test\\r\\n\\r\\n' >&3; cat <&3"
    assert container.run("bash", "-c", ask).endswith("host blog.test")


def test_rabbitmq_lets_its_user_in_and_nobody_else(start, volume) -> None:
    data = {"/var/lib/rabbitmq": for_group(volume, 999)}
    env = {"RABBITMQ_DEFAULT_USER": "blog", "RABBITMQ_DEFAULT_PASS": "right-one", "RABBITMQ_DEFAULT_VHOST": "posts"}
    container = start("rabbitmq:4", user=999, volumes=data, env=env)
    container.wait_for("Server startup complete")
    login = 'element(1, rabbit_access_control:check_user_pass_login(<<"blog">>, <<"{}">>))'
    asked = f"{{{login.format('right-one')}, {login.format('wrong-one')}, rabbit_vhost:list_names()}}."
    assert '{ok,refused,[<<"posts">>]}' in container.run("rabbitmqctl", "eval", asked)


def test_memcached_answers(start) -> None:
    container = start("memcached:1.6", user=11211, args=["-vv", "-m", "16"])
    container.wait_for("server listening")
    ask = "exec 3<>/dev/tcp/127.0.0.1/11211; printf 'version\\r\\nquit\\r\\n' >&3; cat <&3"
    assert "VERSION 1.6" in container.run("bash", "-c", ask)


def test_python_has_what_the_official_image_has(start) -> None:
    program = (
        "import ctypes, lzma, os, platform, sqlite3, ssl, sys, sysconfig, zoneinfo; zoneinfo.ZoneInfo('Europe/Berlin');"
        "assert os.path.exists(sysconfig.get_path('include') + '/Python.h');"
        "assert ssl.create_default_context().get_ca_certs();"
        "assert os.environ['PYTHON_VERSION'] == platform.python_version();"
        "print(sys.version_info[:2])"
    )
    container = start("python:3.13-slim", user=1000, args=["python", "-c", program])
    assert container.ended() == 0, container.output
    assert "(3, 13)" in container.output


def test_a_python_that_debian_does_not_have_is_whole(start) -> None:
    if not interpreters.candidates("3.12") and not base._kept(base.full_name("python:3.12-slim")):
        pytest.skip("no Python 3.12 to make an image of on this machine")
    program = (
        "import bz2, ctypes, lzma, readline, sqlite3, ssl, sys, sysconfig, uuid, venv, zoneinfo; "
        "assert sys.version_info[:2] == (3, 12) and sys.prefix == '/usr/local', sys.prefix; "
        "assert sysconfig.get_config_var('prefix') == '/usr/local'; "
        "assert ssl.create_default_context().get_ca_certs(), 'certificates'; "
        "zoneinfo.ZoneInfo('Europe/Zurich'); venv.create('/tmp/v', with_pip=True); print('whole')"
    )
    container = start("python:3.12-slim", user=1000, args=["python", "-c", program])
    assert container.ended() == 0, container.output
    assert "whole" in container.output


@pytest.mark.parametrize(
    "name", ["python:3.13-slim", "postgres:17", "redis:8", "nginx:1.26", "memcached:1.6", "rabbitmq:4"]
)
def test_no_image_holds_a_private_key_or_a_program_that_makes_one_another_user(unpacked, name: str) -> None:
    rootfs, _ = unpacked(name)
    found = [path for path in rootfs.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path for path in found if path.stat().st_mode & 0o6000] == []
    assert [path for path in found if path.suffix == ".key" or "private" in path.parts] == []
    assert not (rootfs / "etc/shadow-").exists()


class Registry(http.server.BaseHTTPRequestHandler):
    """A registry to read from, with one image under any name."""

    image: oci.Image

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.wfile.write(self.answer())

    def answer(self) -> bytes:
        blobs = {layer.digest: layer.blob.path.read_bytes() for layer in self.image.layers}
        blobs |= {self.image.id: self.image.config, self.image.digest: self.image.manifest}
        digest = self.path.rpartition("/")[2]
        body = self.image.manifest if "/manifests/" in self.path else blobs.get(digest, b"{}")
        self.send_response(200)
        self.send_header("Content-Type", oci.MANIFEST if "/manifests/" in self.path else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return body

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def test_a_registry_that_answers_is_preferred_and_its_image_kept(tmp_path, monkeypatch) -> None:
    layer = tarballs.layer([tarballs.Entry("hello", 0o644, b"hello")], tmp_path)
    Registry.image = oci.scratch([layer], {"Cmd": ["/hello"]})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    name = f"docker.io/library/nuages-test-{uuid.uuid4().hex[:8]}:1"
    mirrors = '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "127.0.0.1:%d"\ninsecure = true\n'
    (tmp_path / "registries.conf").write_text(mirrors % server.server_port)
    monkeypatch.setattr(official, "PATIENCE", PATIENCE)  # what is asked here is not how soon it is given up
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(tmp_path / "registries.conf"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    try:
        pulled = base.ensure(name)
        assert pulled.official
        assert layout.references(pulled.archive) == [name]
        assert layout.read(pulled.archive).settings == {"Cmd": ["/hello"]}
    finally:
        server.shutdown()
        server.server_close()
        subprocess.run(["buildah", "rmi", name], capture_output=True, check=False)
    assert base.ensure(name) == pulled
