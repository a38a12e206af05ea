"""Pages of one release ask a pod of another for their static files: real servers, and the pod that keeps the files."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import shop
from environments import Environment
from test_serve import NEWEST, OLD, Answer, Site, served

from nuages.host import ports
from nuages.image.container import Volume

pytestmark = pytest.mark.runtime

TREE, OTHER = "0123456789abcdef", "fedcba9876543210"
KEPT = {
    "static/app.ba9876543210.css": "body { color: blue }\n",
    "static/app.css": "of another release\n",
    f"static/{OTHER}/app.css": "body { color: green }\n",
    f"static/{OTHER}/deep/app.js": "let x = 1\n" * 200_000,
}
WHITENOISE = "\nMIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware', *MIDDLEWARE]\nWHITENOISE_MAX_AGE = 7\n"


@contextmanager
def keeper(environment: Environment, folder: Path) -> Iterator[int]:
    """The pod that keeps the files; yields its port."""
    (port,) = ports.free()
    for name, text in KEPT.items():
        file = folder / "files" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    command = ["python", "-I", "-m", "nuages_runtime.statics", "serve", "/kept"]
    with environment.started(command, folder, {"NUAGES_PORT": str(port)}, [Volume(folder, "/kept")]) as process:
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            time.sleep(0.1)
        yield port


def soon(site: Site, path: str, status: int = 200, **headers: str) -> Answer:
    """An answer that another pod is asked for: where that one is late, as on a busy machine, it is none at first."""
    deadline = time.monotonic() + 60
    while (answer := site.get(path, **headers)).status != status and time.monotonic() < deadline:
        time.sleep(0.5)
    return answer


@pytest.mark.parametrize(
    ("name", "server", "interface", "own"),
    [
        (NEWEST, "gunicorn", "wsgi", ""),
        (NEWEST, "uvicorn", "asgi", ""),
        (NEWEST, "granian", "wsgi", WHITENOISE),
        (OLD, "gunicorn", "wsgi", WHITENOISE),
        (OLD, "uvicorn", "asgi", ""),
    ],
    ids=["gunicorn", "uvicorn", "granian, whitenoise", "old gunicorn, whitenoise", "old uvicorn"],
)
def test_a_page_of_any_release_finds_its_files(
    environments: Callable[[str], Environment], tmp_path: Path, name: str, server: str, interface: str, own: str
) -> None:
    environment = environments(name)
    with keeper(environment, tmp_path / "kept") as port:
        env = {"NUAGES_STATIC": f"http://127.0.0.1:{port}", "NUAGES_STATIC_TREE": TREE}
        with served(environment, tmp_path / "web", server, interface, more=own, **env) as site:
            # Of this release: below the hash of all its files for ever, at the plain address as ever.
            mine = site.get(f"/static/{TREE}/app.css")
            assert (mine.status, mine.text) == (200, "body { color: orange }\n")
            assert "immutable" in mine.headers["cache-control"]
            plain = site.get("/static/app.css")
            assert (plain.status, plain.text) == (200, mine.text)
            assert "immutable" not in plain.headers["cache-control"]
            assert site.get(f"/static/{TREE}/none.css").status == 404

            # Of another one: found by a name that tells its content, and by no other.
            for path, text in KEPT.items():
                answer = soon(site, f"/{path}")
                assert answer.text == (text if path != "static/app.css" else plain.text)
                assert "immutable" in answer.headers["cache-control"] or path == "static/app.css"
            part = soon(site, "/static/app.ba9876543210.css", 206, Range="bytes=0-3")
            assert (part.status, part.text) == (206, "body")
            assert site.get("/static/app.000000000000.css").status == 404
            assert site.get(f"/static/{OTHER}/none.css").status == 404
            assert site.get("/").status == 200


def test_where_nobody_keeps_files_a_page_waits_for_a_moment_only(
    environments: Callable[[str], Environment], tmp_path: Path
) -> None:
    env = {"NUAGES_STATIC": f"http://127.0.0.1:{ports.free()[0]}", "NUAGES_STATIC_TREE": ""}
    with served(environments(NEWEST), tmp_path, "gunicorn", "wsgi", **env) as site:
        began = time.monotonic()
        for number in range(60):
            assert site.get(f"/static/app.{number:012}.css").status == 404
        assert time.monotonic() - began < 60, "each would wait for a second"
        assert site.get("/static/app.1f418065fc2c.css").status == 200


def test_an_image_tells_the_hash_of_its_static_files(
    environments: Callable[[str], Environment], tmp_path: Path
) -> None:
    told = []
    for folder, text in (("one", ""), ("other", "a {}")):
        project = shop.write(tmp_path / folder)
        (project / "collected" / "more.css").write_text(text)
        out = tmp_path / f"{folder}-out"
        out.mkdir()
        command = ["python", "-m", "nuages_runtime.facts", "--static", "/out"]
        env = {"DJANGO_SETTINGS_MODULE": "shop.settings", "NUAGES_OVERLAY": "static"}
        ended = environments(NEWEST).run(command, project, env, [Volume(out, "/out", writable=True)])
        assert ended.code == 0, ended.err
        told.append(json.loads(ended.out))
    one, other = told
    assert one["static_tree"] != other["static_tree"]
    assert len(one["static_tree"]) == len(TREE)
    assert one["static_hashed"] is False
