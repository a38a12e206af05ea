"""What comes out of a pod is not believed: nothing is written outside of the folder that was asked for."""

from __future__ import annotations

import contextlib
import io
import tarfile

import pytest

from nuages.errors import CommandFailed
from nuages.kube.channels import OUTPUT
from nuages.release import copying
from nuages.release.entrance import Place

pytestmark = pytest.mark.unit


class Stream:
    """What a pod sends."""

    exit_code = 0

    def __init__(self, data: bytes) -> None:
        self.data = data

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None

    async def __aiter__(self):
        yield OUTPUT, self.data


def archive(files: dict[str, str | bytes]) -> bytes:
    """A folder: text is where a link leads to, bytes are a file."""
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w") as made:
        top = tarfile.TarInfo(".")
        top.type, top.mode = tarfile.DIRTYPE, 0o755
        made.addfile(top)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                made.addfile(member)
            else:
                member.size = len(content)
                made.addfile(member, io.BytesIO(content))
    return text.getvalue()


@pytest.fixture
def noted(monkeypatch):
    """What was written down."""
    told = []

    @contextlib.asynccontextmanager
    async def noted(_, command, __, *, release, pod):
        told.append((command, release, pod))
        yield

    monkeypatch.setattr(copying.audit, "noted", noted)
    return told


@pytest.fixture
def get(tmp_path, noted):
    """`await get(files)`: copies a folder with these files out of a pod into one called `here`."""

    class App:
        namespace = "blog"

    async def got(files):
        class Cluster:
            def entered(self, *_, **__):
                return Stream(archive(files))

        far = copying.Far(Place("blog-web-1", "web", 1, True), ".")
        return await copying.get(App(), far, tmp_path / "here", Cluster(), lambda _: None)

    return got


async def test_who_took_files_out_of_a_pod_is_written_down(get, noted, tmp_path):
    await get({"x": b""})
    assert noted == [(("cp", "blog-web-1:.", str(tmp_path / "here")), 1, "blog-web-1")]


async def test_a_folder_that_is_there_gets_the_files_beside_its_own(get, tmp_path):
    await get({"a/one": b"1", "two": b"2"})
    (tmp_path / "here" / "own").write_text("own")
    assert (await get({"a/one": b"other", "a/three": b"3"})).files == 2
    found = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"here/a/one": "other", "here/a/three": "3", "here/two": "2", "here/own": "own"}


async def test_links_of_several_copies_lead_nowhere_together(get, tmp_path):
    await get({"c": ".", "x": b""})
    with pytest.raises(CommandFailed, match="is a link"):
        await get({"c/g/d": "../../outside"})
    assert not (tmp_path / "here" / "g").exists()


async def test_a_link_that_is_there_is_replaced_and_not_written_through(get, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("as it was")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(outside)
    await get({"link": b"of the pod"})
    assert outside.read_text() == "as it was"
    assert (tmp_path / "here" / "link").read_text() == "of the pod"


async def test_a_file_whose_name_is_a_folder_here_is_said_in_a_line(get, tmp_path):
    (tmp_path / "here" / "one").mkdir(parents=True)
    with pytest.raises(CommandFailed, match="cannot be written here"):
        await get({"one": b"1"})
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["one"]
