from __future__ import annotations

import os
from pathlib import Path

import pytest

from nuages.errors import BuildFailed
from nuages.image import layers, tarballs

pytestmark = pytest.mark.unit


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """A project as it is staged."""
    folder = tmp_path / "stage"
    for name in ("manage.py", "blog/urls.py", "staticfiles/old.css", "media/a.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "manage.py").chmod(0o700)
    (folder / "blog" / "urls.py").chmod(0o600)
    return folder


FILES = ("blog/urls.py", "manage.py", "media/a.jpg", "staticfiles/old.css")


def paths(entries: list[tarballs.Entry]) -> list[str]:
    return sorted(entry.path for entry in entries)


def test_collected_files_and_uploads_of_the_developer_stay_out(stage: Path) -> None:
    entries = layers.project(stage, FILES, "app", without=("/app/staticfiles", "/app/media", None))
    assert paths(entries) == ["app", "app/blog", "app/blog/urls.py", "app/manage.py"]


@pytest.mark.parametrize("root", ["/app", "/app/", "/", "/app/blog/.."])
def test_a_project_whose_uploads_lie_in_its_own_folder_stays_whole(root: str, stage: Path) -> None:
    entries = layers.project(stage, FILES, "app", without=(root, None))
    assert {f"app/{name}" for name in FILES} <= set(paths(entries))


def test_a_checkout_s_umask_does_not_matter(stage: Path) -> None:
    modes = {entry.path: entry.mode for entry in layers.project(stage, FILES, "app", without=())}
    assert (modes["app/manage.py"], modes["app/blog/urls.py"], modes["app/blog"]) == (0o755, 0o644, 0o755)


def test_the_same_files_make_the_same_layer_whenever_they_were_written(stage: Path, tmp_path: Path) -> None:
    first = tarballs.layer(layers.project(stage, FILES, "app", without=()), tmp_path / "store")
    for name in FILES:
        os.utime(stage / name, (1, 1))
    assert tarballs.layer(layers.project(stage, FILES, "app", without=()), tmp_path / "store").digest == first.digest


def test_byte_code_goes_where_python_looks_for_it(tmp_path: Path) -> None:
    compiled = tmp_path / "app" / "blog"
    compiled.mkdir(parents=True)
    (compiled / "urls.cpython-313.pyc").write_bytes(b"")
    (compiled / "views.cpython-313.pyc").write_bytes(b"")
    assert paths(list(layers.bytecode(tmp_path, "app"))) == [
        "app/blog/__pycache__",
        "app/blog/__pycache__/urls.cpython-313.pyc",
        "app/blog/__pycache__/views.cpython-313.pyc",
    ]


def test_static_files_go_below_static_root_with_the_folders_above_it(tmp_path: Path) -> None:
    (tmp_path / "admin").mkdir()
    (tmp_path / "admin" / "base.css").write_text("")
    wanted = ["srv", "srv/www", "srv/www/static", "srv/www/static/admin", "srv/www/static/admin/base.css"]
    assert paths(layers.static(tmp_path, "/srv/www/static")) == wanted


def test_what_is_staged_is_a_copy_with_links_as_links(tmp_path: Path) -> None:
    source = tmp_path / "project"
    source.mkdir()
    (source / "a.txt").write_text("a")
    (source / "b.txt").symlink_to("a.txt")
    layers.stage(source, ("a.txt", "b.txt"), tmp_path / "stage")
    (source / "a.txt").write_text("changed")
    assert (tmp_path / "stage" / "a.txt").read_text() == "a"
    assert (tmp_path / "stage" / "b.txt").is_symlink()


def test_what_a_program_wrote_or_changed_is_told_and_leftovers_are_not(stage: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    layers.stage(stage, FILES, copy)
    (copy / "manage.py").write_text("changed, and longer")
    for name in ("locale/de.mo", "node_modules/x/i.js", "blog/__pycache__/urls.pyc"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("new")
    found = layers.written(copy, stage, FILES, {"node_modules", "__pycache__"})
    assert sorted(found) == ["locale/de.mo", "manage.py"]


def test_the_hook_lies_beside_the_runtime_where_python_looks_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "nuages_runtime"
    for name in ("__init__.py", "overlay/apply.py", "nuages.pth", "nuages.start"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    found = {entry.path for entry in layers.runtime(folder, "/venv/lib/python3.13/site-packages") if entry.source}
    below = "venv/lib/python3.13/site-packages"
    assert found == {
        f"{below}/nuages.pth",
        f"{below}/nuages.start",
        f"{below}/nuages_runtime/__init__.py",
        f"{below}/nuages_runtime/overlay/apply.py",
    }


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder of this machine that no image has anything of."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "shadow").write_text("root:hash")
    return folder


def test_a_folder_that_a_program_made_a_link_is_not_followed_out_of_the_project(stage: Path, machine: Path) -> None:
    (stage / "blog" / "urls.py").unlink()
    (stage / "blog").rmdir()
    (stage / "blog").symlink_to(machine)
    with pytest.raises(BuildFailed, match="the folder blog became a link"):
        layers.project(stage, ("blog/shadow", *FILES), "app", without=())


def test_collected_files_and_byte_code_are_not_read_through_links(tmp_path: Path, machine: Path) -> None:
    out = tmp_path / "out"
    (out / "bytecode" / "app").mkdir(parents=True)
    (out / "static").symlink_to(machine)
    (out / "bytecode" / "app" / "x.cpython-313.pyc").symlink_to(machine / "shadow")
    (out / "elsewhere").symlink_to(machine.parent)
    with pytest.raises(BuildFailed, match="the folder static became a link"):
        layers.static(out / "static", "/app/static")
    assert list(layers.bytecode(out / "bytecode", "app")) == []
    with pytest.raises(BuildFailed, match="the folder elsewhere became a link"):
        list(layers.bytecode(out / "elsewhere", "etc"))


def test_what_node_wrote_replaces_a_link_and_is_not_written_through_it(tmp_path: Path, machine: Path) -> None:
    front, stage = tmp_path / "front", tmp_path / "copy"
    (front / "assets").mkdir(parents=True)
    (front / "assets" / "shadow").write_text("new")
    (front / "one.js").write_text("new")
    stage.mkdir()
    (stage / "assets").symlink_to(machine)
    (stage / "one.js").symlink_to(machine / "shadow")
    layers.lay(front, stage)
    assert (machine / "shadow").read_text() == "root:hash"
    assert (stage / "assets" / "shadow").read_text() == (stage / "one.js").read_text() == "new"


def test_a_folder_is_made_in_the_project_only(stage: Path, machine: Path) -> None:
    (stage / "data").symlink_to(machine)
    for name in ("data/x", "../x", "var/x"):
        layers.make(stage, name)
    assert (stage / "var" / "x").is_dir()
    assert not (machine / "x").exists()
    assert not (stage.parent / "x").exists()


def test_what_a_program_removed_or_made_no_file_is_left_out(stage: Path) -> None:
    (stage / "manage.py").unlink()
    (stage / "media" / "a.jpg").unlink()
    os.mkfifo(stage / "media" / "a.jpg")  # reading it would never end
    assert paths(layers.project(stage, FILES[:3], "app", without=())) == ["app", "app/blog", "app/blog/urls.py"]
    assert list(layers.written(stage, stage, FILES, ())) == []


def test_a_static_root_with_dots_is_the_folder_that_it_means(stage: Path, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    assert paths(layers.static(tmp_path / "s", "/app/blog/../staticfiles")) == ["app", "app/staticfiles"]
    entries = layers.project(stage, FILES, "app", without=("/app/blog/../staticfiles",))
    assert "app/staticfiles/old.css" not in paths(entries)
