"""The documentation as a site: it is built without a warning, and every page of it is there."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from nuages.host import places

pytestmark = pytest.mark.editor

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def mkdocs() -> Path:
    """mkdocs as docs/requirements.lock pins it, in an environment of its own that is kept."""
    lock = ROOT / "docs/requirements.lock"
    folder = places.cache() / "editor" / f"docs-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock]
        subprocess.run(pip, check=True)
        (folder / "ready").touch()
    return folder / "bin" / "mkdocs"


def test_the_site_is_built_without_a_warning_and_has_every_page(mkdocs: Path, tmp_path: Path) -> None:
    pages = sorted((ROOT / "docs").rglob("*.md"))
    done = subprocess.run(
        [mkdocs, "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for page in pages:
        made = page.relative_to(ROOT / "docs").with_suffix("")
        path = made.parent if made.name in ("index", "README") else made
        assert (tmp_path / "site" / path / "index.html").is_file(), page
    found = json.loads((tmp_path / "site/search/search_index.json").read_text())["docs"]
    assert any("nuages rollback" in entry["title"] for entry in found)
