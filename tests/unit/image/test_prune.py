from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nuages.image import prune

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0


def made(path: Path, content: object = "", *, days: float = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    os.utime(path, (NOW - days * prune.DAY,) * 2)
    return path


def layer(name: str) -> dict[str, object]:
    return {"digest": f"sha256:{name}", "diff_id": "", "size": 1}


def test_an_app_s_newest_archives_stay_and_those_of_other_apps_too(tmp_path: Path) -> None:
    mine = [made(tmp_path / f"blog-{number:012}.tar", days=number) for number in range(5)]
    other = made(tmp_path / f"blog-admin-{0:012}.tar", days=99)
    prune.archives(tmp_path, "blog")
    assert [path.exists() for path in mine] == [True, True, True, False, False]
    assert other.exists()


def test_what_was_long_not_used_goes_with_the_layers_that_only_it_names(tmp_path: Path) -> None:
    made(tmp_path / "projects" / "new.json", {"layers": [layer("a"), layer("b")]}, days=1)
    old = made(tmp_path / "projects" / "old.json", {"layers": [layer("b"), layer("c")]}, days=15)
    made(tmp_path / "dependencies-1" / "layer.json", layer("d"), days=1)
    gone = made(tmp_path / "dependencies-2" / "layer.json", layer("e"), days=15).parent
    for name in "abcde":
        made(tmp_path / "layers" / name, days=10)
    prune.unused(tmp_path, NOW)
    assert not old.exists()
    assert not gone.exists()
    assert sorted(path.name for path in (tmp_path / "layers").iterdir()) == ["a", "b", "d"]


def test_a_layer_of_today_stays_for_the_build_that_is_about_to_name_it(tmp_path: Path) -> None:
    fresh = made(tmp_path / "layers" / "f", days=0.5)
    prune.unused(tmp_path, NOW)
    assert fresh.exists()
