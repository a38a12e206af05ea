"""Images as files: what is written can be read back, and the same input gives the same bytes."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from nuages.errors import ImageInvalid
from nuages.image import blobs, layout, oci, tarballs
from nuages.image.tarballs import Entry

pytestmark = pytest.mark.unit

ENTRIES = [
    Entry("bin/tool", 0o755, b"program"),
    Entry("etc"),
    Entry("etc/tool.conf", 0o644, b"a=1", uid=7),
    Entry("sh", target="bin/tool"),
]


def unpacked(layer: oci.Layer) -> dict[str, tarfile.TarInfo]:
    with layer.blob.path.open("rb") as file:
        file.seek(layer.blob.offset)
        data = gzip.decompress(file.read(layer.blob.size))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: member for member in tar}


@pytest.fixture
def small(tmp_path: Path) -> oci.Image:
    layer = tarballs.layer(ENTRIES, tmp_path / "store", "a tool")
    return oci.scratch([layer], {"Entrypoint": ["/bin/tool"], "Cmd": ["serve"], "Env": ["PATH=/bin", "MODE=slow"]})


def test_a_layer_has_the_same_bytes_whatever_the_order_and_the_time(tmp_path: Path) -> None:
    one = tarballs.layer(ENTRIES, tmp_path / "one")
    other = tarballs.layer(reversed(ENTRIES), tmp_path / "other")
    assert (one.digest, one.diff_id) == (other.digest, other.diff_id)
    assert one.blob.path.read_bytes() == other.blob.path.read_bytes()


def test_a_layer_keeps_modes_owners_links_and_folders_and_no_time(tmp_path: Path) -> None:
    members = unpacked(tarballs.layer(ENTRIES, tmp_path))
    assert list(members) == ["bin/tool", "etc", "etc/tool.conf", "sh"]
    assert members["bin/tool"].mode == 0o755
    assert members["etc"].isdir()
    assert members["etc/tool.conf"].uid == 7
    assert members["sh"].linkname == "bin/tool"
    assert {member.mtime for member in members.values()} == {0}


def test_two_entries_of_one_path_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageInvalid, match="two entries of one layer are called etc"):
        tarballs.layer([Entry("etc"), Entry("etc", 0o644, b"")], tmp_path)


def test_a_tree_has_modes_that_no_umask_changes_and_leaves_out_what_is_not_wanted(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "blog" / "cache").mkdir(parents=True)
    (project / "manage.py").write_text("run")
    (project / "manage.py").chmod(0o700)
    (project / "blog" / "models.py").write_text("m")
    (project / "blog" / "models.py").chmod(0o600)
    (project / "blog" / "cache" / "x").write_text("x")
    (project / "link").symlink_to("manage.py")
    found = {
        entry.path: entry
        for entry in tarballs.tree(project, "app", uid=1, gid=2, wanted=lambda path: path != "blog/cache")
    }
    assert sorted(found) == ["app/blog", "app/blog/models.py", "app/link", "app/manage.py"]
    assert found["app/manage.py"].mode == 0o755
    assert found["app/blog/models.py"].mode == 0o644
    assert found["app/link"].target == "manage.py"
    assert {(entry.uid, entry.gid) for entry in found.values()} == {(1, 2)}


def test_an_archive_read_back_is_the_same_image_under_all_its_names(tmp_path: Path, small: oci.Image) -> None:
    archive = layout.archive(small, ["example.com/tool:1", "example.com/tool:latest"], tmp_path / "tool.tar")
    again = layout.read(archive)
    assert again.digest == small.digest
    assert again.id == small.id
    assert layout.references(archive) == ["example.com/tool:1", "example.com/tool:latest"]
    assert layout.read(archive, "example.com/tool:1").digest == small.digest
    copy = layout.archive(again, ["example.com/tool:1", "example.com/tool:latest"], tmp_path / "copy.tar")
    assert copy.read_bytes() == archive.read_bytes()


def test_the_digest_is_that_of_the_manifest_in_the_archive(tmp_path: Path, small: oci.Image) -> None:
    archive = layout.archive(small, ["tool:1"], tmp_path / "tool.tar")
    with tarfile.open(archive) as tar:
        index = json.load(tar.extractfile("index.json") or io.BytesIO())
        assert index["manifests"][0]["digest"] == small.digest
        assert f"blobs/sha256/{small.digest.removeprefix('sha256:')}" in tar.getnames()


def test_an_unpacked_layout_is_read_like_an_archive(tmp_path: Path, small: oci.Image) -> None:
    with tarfile.open(layout.archive(small, ["tool:1"], tmp_path / "tool.tar")) as tar:
        tar.extractall(tmp_path / "layout", filter="data")
    assert layout.read(tmp_path / "layout") == small._replace(layers=layout.read(tmp_path / "layout").layers)


def test_appending_adds_layers_on_top_and_merges_env_and_labels_by_name(tmp_path: Path, small: oci.Image) -> None:
    more = tarballs.layer([Entry("app", 0o644, b"x")], tmp_path, "the app")
    grown = oci.append(small, [more], settings={"User": "1000"}, env={"MODE": "fast", "PORT": "1"}, labels={"a": "b"})
    assert [layer.diff_id for layer in grown.layers] == [small.layers[0].diff_id, more.diff_id]
    assert grown.settings == {
        "Entrypoint": ["/bin/tool"],
        "Cmd": ["serve"],
        "User": "1000",
        "Env": ["PATH=/bin", "MODE=fast", "PORT=1"],
        "Labels": {"a": "b"},
    }
    config = json.loads(grown.config)
    assert config["rootfs"]["diff_ids"] == [layer.diff_id for layer in grown.layers]
    assert [entry["created_by"] for entry in config["history"]] == ["a tool", "the app"]
    assert grown.digest != small.digest


def test_a_new_entrypoint_drops_the_arguments_of_the_old_one(small: oci.Image) -> None:
    assert "Cmd" not in oci.append(small, settings={"Entrypoint": ["/other"]}).settings
    assert oci.append(small, settings={"Entrypoint": ["/other"], "Cmd": ["x"]}).settings["Cmd"] == ["x"]


def test_a_tar_of_another_program_becomes_a_layer_with_the_same_content(tmp_path: Path) -> None:
    raw = tmp_path / "raw.tar"
    with tarfile.open(raw, "w") as tar:
        tar.addfile(tarfile.TarInfo("hello"))
    layer = tarballs.layer_of_tar(blobs.Blob(raw, 0, raw.stat().st_size), tmp_path / "store")
    assert list(unpacked(layer)) == ["hello"]


def test_several_images_without_a_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageInvalid, match="no OCI archive"):
        layout.read(tmp_path / "missing.tar")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ImageInvalid, match=r"no index\.json"):
        layout.read(empty)


def test_an_image_that_is_not_there_is_named(tmp_path: Path, small: oci.Image) -> None:
    archive = layout.archive(small, ["tool:1"], tmp_path / "tool.tar")
    with pytest.raises(ImageInvalid, match="0 images called tool:2"):
        layout.read(archive, "tool:2")


def test_a_damaged_layer_never_becomes_an_archive(tmp_path: Path, small: oci.Image) -> None:
    blob = small.layers[0].blob.path
    blob.write_bytes(b"\0" * blob.stat().st_size)
    with pytest.raises(ImageInvalid, match="damaged"):
        layout.archive(small, ["tool:1"], tmp_path / "tool.tar")
    assert not list(tmp_path.glob("*tool.tar*"))


def test_a_layer_of_the_same_content_is_not_compressed_again(tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_bytes(b"one")
    entries = [Entry("file", 0o644, source=source)]
    first = tarballs.layer(entries, tmp_path / "store", "first")
    first.blob.path.write_bytes(b"marked")
    assert tarballs.layer(entries, tmp_path / "store", "again").blob.path.read_bytes() == b"marked"
    source.write_bytes(b"two")
    assert tarballs.layer(entries, tmp_path / "store").digest != first.digest
    source.write_bytes(b"one")
    first.blob.path.unlink()
    assert tarballs.layer(entries, tmp_path / "store").blob.path.read_bytes() != b"marked"
