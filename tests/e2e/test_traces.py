"""A change of code asks the project only where its answer may differ, and the image is that of a build from nothing."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import pytest
from caches import forget

from nuages.app.components import App, resolve
from nuages.image import facts
from nuages.image.build import build
from nuages.progress import silent
from nuages.spec.load import load

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def app() -> App:
    return resolve(load(ROOT / "examples" / "plain.nuages.yaml"), "local")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "blog"
    shutil.copytree(ROOT / "examples" / "blog", folder, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
    # Of a project with tasks all of its application is loaded to tell them, its views too.
    (folder / "blog" / "__init__.py").write_text("")
    (folder / "blog" / "celery.py").unlink()
    # A name that no build has seen, so that no answer of one before is kept.
    (folder / "posts" / f"only_{uuid.uuid4().hex}.py").touch()
    return folder


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Grows by one each time the project is asked."""
    seen: list[str] = []
    ask = facts.ask
    monkeypatch.setattr(facts, "ask", lambda *given, **named: (seen.append("asked"), ask(*given, **named))[1])
    return seen


def edit(path: Path, line: str) -> None:
    path.write_text(f"{path.read_text()}{line}\n")


def test_a_view_asks_nothing_and_gives_the_image_of_a_build_from_nothing(
    project: Path, app: App, asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(project, app, silent)
    asked.clear()
    edit(project / "posts" / "views.py", "def more(request): return {'a', 'b', 'c', request}")
    quick = build(project, app, silent)
    assert asked == []
    forget(("projects", "answers"), tmp_path / "cache", monkeypatch)  # as where this project was never built
    slow = build(project, app, silent)
    assert asked == ["asked"]
    assert slow.build.reference == quick.build.reference


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("blog/settings.py", "STATIC_URL = '/assets/'"),
        ("posts/models.py", "# a field might have come"),
        ("posts/static/posts/blog.css", "/* wider */"),
        ("posts/migrations/0002_comments.py", "# another operation"),
    ],
)
def test_what_decides_the_answer_asks_anew(name: str, line: str, project: Path, app: App, asked) -> None:
    build(project, app, silent)
    asked.clear()
    edit(project / name, line)
    build(project, app, silent)
    assert asked == ["asked"]


def test_a_new_file_asks_anew(project: Path, app: App, asked) -> None:
    build(project, app, silent)
    asked.clear()
    (project / "posts" / "static" / "posts" / "new.css").write_text("a {}")
    build(project, app, silent)
    assert asked == ["asked"]
