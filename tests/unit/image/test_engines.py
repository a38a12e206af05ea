"""Which engine builds, what it is told, and what becomes of what it writes."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nuages.errors import CommandFailed, MissingTool, NuagesError, UsageError
from nuages.image import blobs, engine_archives, engines, oci, tarballs
from nuages.image.engine import Volume
from nuages.image.engine_buildah import Buildah
from nuages.image.engine_clients import Client, Docker, Podman

pytestmark = pytest.mark.unit

# What each program of this machine does: notes its arguments, and answers as the real one does where it works.
WORKS = """#!/bin/sh
echo "$0 $*" >> "$NOTES"
case "$*" in
*uid_map*) printf '0 1000 1\\n1 100000 65536\\n' ;;
*SecurityOptions*) echo '["name=seccomp,profile=default"]' ;;
esac
"""
BROKEN = """#!/bin/sh
echo 'Error: it is not what it was' >&2
exit 125
"""


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine with no engine and no apt-get; its programs note what they are told."""
    (tmp_path / "bin").mkdir()
    for program in ("sh", "cat"):
        (tmp_path / "bin" / program).symlink_to(f"/bin/{program}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("nuages.host.programs.SBIN", "")
    monkeypatch.setattr("nuages.host.command.SBIN", "")
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    monkeypatch.delenv(engines.VARIABLE, raising=False)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    (tmp_path / "notes").touch()
    engines.forget()
    yield tmp_path / "notes"
    engines.forget()


def install(notes: Path, *names: str, program: str = WORKS) -> None:
    for name in names:
        file = notes.parent / "bin" / name
        file.write_text(program)
        file.chmod(0o755)


def told(notes: Path) -> list[str]:
    """The last command as it was called, without what differs each time."""
    words = notes.read_text().splitlines()[-1].split()
    kept = [word for word in words if not word.startswith(("--name=nuages-", "--ulimit="))]
    return [Path(kept[0]).name, *kept[1:]]


@pytest.mark.parametrize(
    ("there", "broken", "named", "expected"),
    [
        (("buildah", "podman", "docker"), (), "", "buildah"),
        (("podman", "docker"), (), "", "podman"),
        (("docker",), (), "", "docker"),
        (("docker",), ("podman",), "", "docker"),
        (("buildah", "podman", "docker"), (), "docker", "docker"),
        (("buildah", "podman"), (), "podman", "podman"),
    ],
)
def test_buildah_comes_before_podman_before_docker_unless_one_is_named(
    notes: Path,
    monkeypatch: pytest.MonkeyPatch,
    there: tuple[str, ...],
    broken: tuple[str, ...],
    named: str,
    expected: str,
) -> None:
    install(notes, *there)
    install(notes, *broken, program=BROKEN)
    monkeypatch.setenv(engines.VARIABLE, named)
    assert engines.chosen().name == expected


@pytest.mark.parametrize(
    ("there", "broken", "named", "error", "words"),
    [
        ((), (), "", MissingTool, "buildah: not installed; podman: not installed; docker: not installed"),
        ((), ("podman",), "", MissingTool, "podman: it is not what it was"),
        (("buildah",), (), "podman", MissingTool, "NUAGES_ENGINE is podman, which can't be used here: not installed"),
        ((), ("docker",), "docker", MissingTool, "it is not what it was"),
        (("buildah",), (), "rocket", UsageError, "NUAGES_ENGINE is rocket"),
    ],
)
def test_an_engine_that_is_missing_or_broken_is_one_line_that_names_the_ways(
    notes: Path,
    monkeypatch: pytest.MonkeyPatch,
    there: tuple[str, ...],
    broken: tuple[str, ...],
    named: str,
    error: type[NuagesError],
    words: str,
) -> None:
    install(notes, *there)
    install(notes, *broken, program=BROKEN)
    monkeypatch.setenv(engines.VARIABLE, named)
    with pytest.raises(error) as raised:
        engines.chosen()
    assert words in raised.value.message
    assert "\n" not in raised.value.message
    assert all(name in raised.value.hint for name in ("buildah", "podman", "docker"))


def test_a_daemon_on_another_machine_sees_no_folder_of_this_one(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(notes, "docker")
    monkeypatch.setenv("DOCKER_HOST", "ssh://build.example.com")
    with pytest.raises(MissingTool, match="does not see the folders of this machine"):
        engines.chosen()


@pytest.mark.parametrize(
    ("kind", "uid", "writable", "offline", "expected"),
    [
        (Podman, 0, True, False, ["--rm", "--network=host"]),
        (Podman, 1000, True, False, ["--rm", "--network=host", "--user=0:0"]),
        (Podman, 1000, False, False, ["--rm", "--network=host"]),
        (Podman, 0, False, True, ["--rm", "--network=none"]),
        (Docker, 0, True, False, ["--userns=host", "--rm", "--network=host"]),
        (Docker, 1000, True, False, ["--userns=host", "--rm", "--network=host", "--user=1000:1000", "--env=HOME=/tmp"]),
        (Docker, 1000, False, True, ["--userns=host", "--rm", "--network=none"]),
    ],
)
def test_what_a_container_writes_belongs_to_who_builds(
    notes: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[Client],
    uid: int,
    writable: bool,
    offline: bool,
    expected: list[str],
) -> None:
    install(notes, "podman", "docker")
    for asked in ("geteuid", "getuid", "getgid"):
        monkeypatch.setattr(os, asked, lambda: uid)
    volume = Volume(Path("/here"), "/there", writable)
    kind().run("blog", ["sh", "-c", "true"], lambda _: None, volumes=[volume], offline=offline)
    assert told(notes) == [
        *(kind.name, "run", "--pull=never", "--sig-proxy=false", "--security-opt=label=disable"),
        # HOME comes with the variables, before the folders.
        *expected,
        f"--volume={volume}",
        *("--entrypoint=sh", "localhost/nuages/working:blog", "-c", "true"),
    ]


def test_buildah_runs_a_program_in_its_working_container(notes: Path) -> None:
    install(notes, "buildah")
    volumes = [Volume(Path("/here"), "/there")]
    Buildah().run("blog", ["sh", "-c", "true"], lambda _: None, volumes=volumes, env={"A": "b"})
    assert told(notes) == [
        *("buildah", "run", "--isolation=chroot", "--network=host", "--volume=/here:/there:ro", "--env=A=b"),
        *("blog", "--", "sh", "-c", "true"),
    ]


@pytest.mark.parametrize("kind", [Buildah, Podman])
def test_a_dockerfile_is_built_alike_by_buildah_and_podman(notes: Path, kind: type[Buildah | Podman]) -> None:
    install(notes, "buildah", "podman")
    kind().build(Path("Dockerfile"), Path(), "x:1", lambda _: None, runtime=Path("/r"), volumes=[])
    assert told(notes) == [
        *(kind.name, "build", "--layers", "--isolation=chroot", "--network=host", "--format=oci", "--pull=false"),
        *("--timestamp=0", "--tag=x:1", "--file=Dockerfile", "--build-context=runtime=/r", "."),
    ]


@pytest.mark.parametrize("kind", [Podman, Docker])
def test_a_program_that_fails_says_so_and_an_engine_that_fails_says_that(notes: Path, kind: type[Client]) -> None:
    said = {
        "podman": "Error: runc: runc create failed: no rights",
        "docker": "docker: Error response from daemon: no rights",
    }
    install(notes, "podman", "docker", program=f"#!/bin/sh\necho '{said[kind.name]}' >&2\nexit 125\n")
    with pytest.raises(MissingTool, match=f"{kind.name} can't start a container: .*no rights"):
        kind().run("blog", ["true"], lambda _: None)
    install(notes, "podman", "docker", program="#!/bin/sh\necho 'Error: no such package' >&2\nexit 1\n")
    with pytest.raises(CommandFailed) as raised:
        kind().run("blog", ["true"], lambda _: None)
    assert raised.value.detail == "Error: no such package"


def test_docker_without_buildx_says_so(notes: Path) -> None:
    install(notes, "docker", program="#!/bin/sh\necho 'unknown command: docker buildx' >&2\nexit 1\n")
    with pytest.raises(MissingTool, match="buildx, which is not installed"):
        Docker().build(Path("Dockerfile"), Path(), "x:1", lambda _: None, runtime=Path("/r"), volumes=[])


def tarred(to: Path, members: dict[str, bytes], mtime: int) -> blobs.Blob:
    with tarfile.open(to, "w") as tar:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size, header.mtime, header.uname, header.mode = len(content), mtime, "ada", 0o4755
            tar.addfile(header, io.BytesIO(content))
    return blobs.Blob(to, 0, to.stat().st_size)


def test_a_layer_is_the_same_whenever_and_by_whomever_it_was_made(tmp_path: Path) -> None:
    one = tarballs.layer_of_tar(tarred(tmp_path / "1", {"b": b"1", "a": b"2", ".dockerenv": b""}, 5), tmp_path)
    other = tarballs.layer_of_tar(tarred(tmp_path / "2", {"a": b"2", "b": b"1", "etc/hosts": b"x"}, 7), tmp_path)
    made = engine_archives.settled(one, tmp_path, "packages")
    assert made.digest == engine_archives.settled(other, tmp_path, "packages").digest
    with tarfile.open(made.blob.path) as tar:
        assert [(member.name, member.mode, member.mtime) for member in tar] == [("a", 0o4755, 0), ("b", 0o4755, 0)]


def test_what_docker_loads_and_saves_is_the_same_image(tmp_path: Path) -> None:
    layer = tarballs.layer_of_tar(tarred(tmp_path / "layer", {"a": b"1"}, 0), tmp_path)
    image = oci.scratch([layer], {"Cmd": ["sh"]})
    saved = engine_archives.for_docker(image, "localhost/x:1", tmp_path / "saved.tar")
    with tarfile.open(saved) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        assert json.load(manifest)[0]["RepoTags"] == ["localhost/x:1"]
    read = engine_archives.of_docker(saved, tmp_path)
    assert read.layers[0].digest == layer.digest
    assert read.id == image.id
