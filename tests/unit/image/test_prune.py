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


def test_every_cache_of_builds_forgets_what_was_long_not_used(tmp_path: Path) -> None:
    home = tmp_path / "builds"
    kept = [
        made(home / "answers" / "new.json", {"static": layer("a")}, days=1),
        made(home / "own-blog" / "1" / "index.json", days=1),
        made(tmp_path / "sbom" / "new.json", days=1),
        made(home / "layers" / "a", days=9),
    ]
    gone = [
        made(home / "answers" / "old.json", {"static": layer("b")}, days=15),
        made(home / "own-blog" / "2" / "index.json", days=15).parent,
        made(tmp_path / "sbom" / "old.json", days=15),
        made(home / "layers" / "b", days=9),
    ]
    prune.unused(home, NOW)
    assert [path.exists() for path in kept] == [True] * 4
    assert [path.exists() for path in gone] == [False] * 4


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"layers": [{}]}', '{"layers": null}'])
def test_half_a_file_of_an_interrupted_build_ends_no_later_one(torn: str, tmp_path: Path) -> None:
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / "torn.json").write_text(torn)
    fresh = made(tmp_path / "layers" / "a")
    prune.unused(tmp_path, NOW)
    assert fresh.exists()
