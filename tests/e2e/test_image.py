"""The blog's image, really built and really run: what is in it, when it is built again, how it migrates and serves."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from nuages.app.build import FACTS_LABEL
from nuages.app.components import App, resolve
from nuages.errors import BuildFailed
from nuages.image import base, facts, layout, system
from nuages.image.build import Built, build
from nuages.progress import silent
from nuages.spec.load import load

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"SECRET_KEY": "only-here", "ALLOWED_HOSTS": "*", "NUAGES_RELEASE": "7", "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def app() -> App:
    return resolve(load(ROOT / "examples" / "plain.nuages.yaml"), "local")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the blog, with what a developer has lying around."""
    folder = tmp_path / "blog"
    shutil.copytree(ROOT / "examples" / "blog", folder, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
    (folder / ".env").write_text("SECRET_KEY=the-real-one")
    (folder / "db.sqlite3").touch()
    return folder


def names(built: Built) -> list[str]:
    """Every path in the image's own layers, those of the base left out."""
    image = layout.read(built.archive, built.build.reference)
    found = []
    for layer in image.layers:
        if layer.digest in {kept.digest for kept in layout.read(base.archive("python:3.13-slim")).layers}:
            continue
        with layer.blob.path.open("rb") as stream:
            stream.seek(layer.blob.offset)
            with tarfile.open(fileobj=stream, mode="r|gz") as tar:
                found += [member.name for member in tar]
    return found


def test_the_image_has_the_project_its_static_files_and_no_secret(project: Path, app: App) -> None:
    found = names(build(project, app, silent))
    assert {"app/manage.py", "app/blog/__pycache__/urls.cpython-313.pyc", "app/staticfiles/staticfiles.json"} <= set(
        found
    )
    assert "venv/lib/python3.13/site-packages/nuages_runtime/serve.py" in found
    assert not [name for name in found if name.startswith("app/") and name.endswith((".env", ".sqlite3", ".git"))]


def test_the_image_says_what_it_is(project: Path, app: App) -> None:
    built = build(project, app, silent)
    image = layout.read(built.archive, built.build.reference)
    assert built.build.reference == f"{app.image}@{image.digest}"
    assert facts.read(built.build.reference, image.settings["Labels"][FACTS_LABEL]) == built.build
    assert (image.settings["User"], image.settings["WorkingDir"]) == ("1000:1000", "/app")
    assert built.build.wsgi == "blog.wsgi:application"
    assert (built.build.static_root, built.build.media_root) == ("/app/staticfiles", "/app/media")
    assert {"posts", "auth", "admin"} <= built.build.migrations.keys()


def test_an_unchanged_project_is_not_built_again(project: Path, app: App) -> None:
    first = build(project, app, silent)
    written = first.archive.stat().st_mtime_ns
    assert build(project, app, silent).build == first.build
    assert first.archive.stat().st_mtime_ns == written


def test_a_change_of_code_changes_the_project_s_layer_only(project: Path, app: App) -> None:
    before = layout.read(build(project, app, silent).archive)
    (project / "blog" / "urls.py").write_text((project / "blog" / "urls.py").read_text() + "\n# changed\n")
    after = layout.read(build(project, app, silent).archive)
    assert before.digest != after.digest
    assert [layer.digest for layer in before.layers[:-1]] == [layer.digest for layer in after.layers[:-1]]


def test_another_machine_with_the_same_base_gets_the_same_digest(
    project: Path, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = build(project, app, silent)
    images, downloads = system.home().parent / "images", system.home() / "uv"
    (tmp_path / "cache" / "nuages" / "builds").mkdir(parents=True)
    (tmp_path / "cache" / "nuages" / "images").symlink_to(images)
    (tmp_path / "cache" / "nuages" / "builds" / "uv").symlink_to(downloads)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert build(project, app, silent).build == here.build


def test_a_version_that_does_not_exist_is_named(project: Path, app: App) -> None:
    (project / "requirements.txt").write_text("django==99.0\n")
    with pytest.raises(BuildFailed) as failed:
        build(project, app, silent)
    assert "django==99.0" in failed.value.detail
    assert failed.value.hint


def test_settings_that_do_not_load_end_the_build_with_their_own_traceback(project: Path, app: App) -> None:
    settings = project / "blog" / "settings.py"
    settings.write_text(settings.read_text() + "\nimport stripe_that_nobody_installed\n")
    with pytest.raises(BuildFailed) as failed:
        build(project, app, silent)
    assert failed.value.detail == "ModuleNotFoundError: No module named 'stripe_that_nobody_installed'"
    assert failed.value.place.startswith("blog/settings.py:")
    assert "requirements" in failed.value.hint


# Who else is connected: until nobody is, for a server notices late that somebody has left.
ALONE = """
import time, psycopg
others = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
with psycopg.connect("{database}", autocommit=True) as connection:
    for _ in range(300):
        left = connection.execute(others).fetchall()
        if not left:
            break
        time.sleep(0.2)
print("others are connected" if left else "alone")
"""

# Running it: buildah runs the image as its own user with the machine's network, so ports are chosen free.


def buildah(*arguments: str) -> str:
    return subprocess.run(["buildah", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def free_port() -> int:
    """One that nobody has: below those that the kernel gives to connections, which may be made until it is listened on,
    and those of a cluster's nodes.
    """
    while True:
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", random.randrange(20_000, 30_000)))
            return int(listener.getsockname()[1])


def inside(container: str, *program: str, user: str = "", env: dict[str, str]) -> subprocess.Popen[str]:
    """Start a program in a container."""
    options = [f"--env={name}={value}" for name, value in env.items()] + ([f"--user={user}"] if user else [])
    return subprocess.Popen(
        ["buildah", "run", "--isolation=chroot", "--network=host", *options, container, "--", *program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def end(process: subprocess.Popen[str]) -> str:
    """Ask a program and all that it started to end; what it printed."""
    os.killpg(process.pid, signal.SIGTERM)
    return process.communicate(timeout=300)[0]


Container = Callable[[Built], str]


@pytest.fixture
def container() -> Iterator[Container]:
    """`container(built)`: a working container of an image; image and container are gone after the test."""
    made: list[tuple[str, str]] = []

    def start(built: Built) -> str:
        image = layout.references(built.archive)[1]  # by its tag: buildah can't pull an archive under a digest
        buildah("pull", "--quiet", f"oci-archive:{built.archive}:{image}")
        made.append((buildah("from", "--pull-never", image), image))
        return made[-1][0]

    yield start
    for name, image in made:
        buildah("rm", name)
        buildah("rmi", image)


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a fresh Postgres, from the image that pods get."""
    port = free_port()
    image = base.in_storage("postgres:17")
    entrypoint = layout.read(base.archive("postgres:17")).settings["Entrypoint"]
    name = buildah("from", "--pull-never", image)
    env = {"POSTGRES_USER": "blog", "POSTGRES_PASSWORD": "right", "POSTGRES_DB": "blog", "PGDATA": "/tmp/pgdata"}
    server = inside(
        name, *entrypoint, "postgres", "-p", str(port), "-k", "/tmp", user="999", env={**env, "PGPORT": str(port)}
    )
    yield f"postgres://blog:right@127.0.0.1:{port}/blog"
    end(server)
    buildah("rm", name)


def migrate(container: str, database: str, **env: str) -> subprocess.Popen[str]:
    return inside(
        container, "python", "-m", "nuages_runtime.migrate", env={**ENVIRONMENT, "DATABASE_URL": database, **env}
    )


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def wait_for(url: str) -> None:
    """Until a server listens: it says so by answering."""
    deadline = time.monotonic() + 300
    while True:
        try:
            get(url)
        except OSError:
            assert time.monotonic() < deadline, f"{url} never answered"
            time.sleep(0.1)
        else:
            return


def test_migrations_run_once_and_pods_start_when_they_are_applied(
    project: Path, app: App, container: Container, database: str
) -> None:
    name = container(build(project, app, silent))
    port = free_port()
    serving = {**ENVIRONMENT, "DATABASE_URL": database, "NUAGES_PORT": str(port)}
    server = inside(name, "python", "-m", "nuages_runtime.serve", env=serving)
    try:
        wait_for(f"http://127.0.0.1:{port}/-/live")
        assert get(f"http://127.0.0.1:{port}/-/ready") == (200, b'{"release": "7"}')
        assert get(f"http://127.0.0.1:{port}/-/startup")[0] == 503

        several = [migrate(name, database) for _ in range(3)]
        outputs = [process.communicate(timeout=300)[0] for process in several]
        assert [process.returncode for process in several] == [0, 0, 0], outputs
        assert "".join(outputs).count("Applying posts.0001_initial") == 1
        assert all(output.splitlines()[-1] == "nuages: migrations are applied" for output in outputs)

        assert get(f"http://127.0.0.1:{port}/-/startup") == (200, b'{"release": "7"}')
        counted = inside(name, "python", "-c", ALONE.format(database=database), env=ENVIRONMENT)
        assert counted.communicate(timeout=300)[0].strip() == "alone", "the start-up probe keeps no connection"
        assert get(f"http://127.0.0.1:{port}/")[0] == 200
    finally:
        log = end(server)
    assert '"message": "GET / 200"' in log
    assert "GET /-/" not in log


def test_startup_says_which_migrations_are_missing(
    project: Path, app: App, container: Container, database: str
) -> None:
    name = container(build(project, app, silent))
    port = free_port()
    assert "nuages: migrations are applied" in migrate(name, database).communicate(timeout=300)[0]
    (project / "posts" / "migrations" / "9999_later.py").write_text(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [('posts', '{latest(project)}')]\n"
    )
    newer = container(build(project, app, silent))
    env = {**ENVIRONMENT, "DATABASE_URL": database, "NUAGES_PORT": str(port)}
    server = inside(newer, "python", "-m", "nuages_runtime.serve", env=env)
    try:
        wait_for(f"http://127.0.0.1:{port}/-/live")
        status, body = get(f"http://127.0.0.1:{port}/-/startup")
    finally:
        end(server)
    assert (status, json.loads(body)) == (503, {"missing": ["posts.9999_later"]})


def test_a_failed_migration_is_named_in_the_last_line(
    project: Path, app: App, container: Container, database: str
) -> None:
    (project / "posts" / "migrations" / "9999_broken.py").write_text(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [('posts', '{latest(project)}')]\n"
        "    operations = [migrations.RunSQL('ALTER TABLE nowhere ADD x int')]\n"
    )
    failed = migrate(container(build(project, app, silent)), database)
    output = failed.communicate(timeout=300)[0]
    # buildah adds a line of its own about the exit code.
    last = [line for line in output.splitlines() if line.startswith("nuages: ")][-1]
    assert "exited with status 1" in output
    assert "Traceback" in output
    assert "posts.9999_broken" in last
    assert 'relation "nowhere" does not exist' in last
    assert "ALTER TABLE nowhere ADD x int" in last


def test_a_database_that_never_answers_ends_in_one_clear_line(project: Path, app: App, container: Container) -> None:
    nowhere = f"postgres://blog:right@127.0.0.1:{free_port()}/blog"
    output = migrate(container(build(project, app, silent)), nowhere, NUAGES_DATABASE_WAIT="2").communicate(
        timeout=300
    )[0]
    assert "exited with status 3" in output
    assert "nuages: no connection to the database within 2 s" in output
    assert "Traceback" not in output
    assert "right" not in output


def latest(project: Path) -> str:
    return max(path.stem for path in (project / "posts" / "migrations").glob("0*.py"))
