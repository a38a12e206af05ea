"""Files into a container that runs, and out of it: as a tar archive, packed and unpacked on both sides as it goes.

In a container by its own tar or, where it has none, by Python. A file that is written is whole or not there: it gets
its name at the end. What comes out of a pod is not believed: nothing is written outside of where it was asked for
(PEP 706, tarfile's filter `data`).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import shutil
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO, NamedTuple

from nuages.app.components import App
from nuages.errors import CommandFailed, UsageError
from nuages.kube.channels import ERRORS, OUTPUT
from nuages.kube.client import Cluster
from nuages.release import audit
from nuages.release.entrance import Place

CHUNK = 256 * 1024
ABSENT = 44
"""The exit code of the script where there is no such file."""

_PACKED = """\
[ -e "$1" ] || [ -L "$1" ] || exit 44
if [ -d "$1" ]; then d=$1 n=.; else d=$(dirname -- "$1") n=$(basename -- "$1"); fi
if command -v tar >/dev/null; then exec tar -cf - -C "$d" -- "$n"; fi
exec python3 -c 'import sys,tarfile;t=tarfile.open(fileobj=sys.stdout.buffer,mode="w|");\
t.add(sys.argv[1]+"/"+sys.argv[2],arcname=sys.argv[2]);t.close()' "$d" "$n"
"""
_UNPACKED = """\
to=$1 name=$2 part=$3
[ -d "$to" ] && to=${to%/}/$name
if [ -n "$part" ]; then d=$(dirname -- "$to"); else d=$to; fi
mkdir -p -- "$d" || exit 1
if command -v tar >/dev/null; then tar -xf - -C "$d" -o
else python3 -c 'import sys,tarfile;tarfile.open(fileobj=sys.stdin.buffer,mode="r|").extractall(sys.argv[1])' "$d"; fi
code=$?
[ -n "$part" ] || exit $code
if [ $code = 0 ]; then mv -f -- "$d/$part" "$to" && exit 0; code=1; fi
rm -f -- "$d/$part"; exit $code
"""

Say = Callable[[str], None]


class Far(NamedTuple):
    """A path in a container; relative to where its work is done."""

    where: Place
    path: str


class Copied(NamedTuple):
    """What was copied."""

    files: int
    size: int


async def put(app: App, source: Path, to: Far, cluster: Cluster, say: Say) -> Copied:
    """Copy a file or a folder into a container; into a folder that is there, under its own name. It is written down.

    Raises:
        UsageError: there is no such file.
        CommandFailed: it could not be written there; with what the container said.
    """
    name, folder = _there(source)
    part = "" if folder else f".nuages-{secrets.token_hex(6)}"
    told = ("cp", str(source), f"{to.where.pod}:{to.path}")
    async with audit.noted(app, told, cluster, release=to.where.release, pod=to.where.pod) as note:
        script = ("sh", "-c", _UNPACKED, "sh", to.path, name, part)
        entered = cluster.entered(app.namespace, to.where.pod, to.where.container, script, stdin=True, tty=False)
        async with entered as stream, _pipe() as (reads, writes):
            packs = asyncio.create_task(asyncio.to_thread(_pack, source, part or ".", writes))
            said = bytearray()

            async def send() -> None:
                sent = 0
                while data := await asyncio.to_thread(os.read, reads.fileno(), CHUNK):
                    await stream.send(data)
                    say(amount(sent := sent + len(data)))
                await stream.close_input()

            sends = asyncio.create_task(send())
            try:
                async for _, data in stream:
                    said += data
            finally:
                sends.cancel()
                reads.close()  # what is still being packed finds nobody who reads
                await asyncio.gather(sends, packs, return_exceptions=True)
        note.code = stream.exit_code
        copied = _result(packs, "cannot be read")
        _judge(stream.exit_code, bytes(said), to)
        return copied


async def get(app: App, source: Far, to: Path, cluster: Cluster, say: Say) -> Copied:
    """Copy a file or a folder out of a container; into a folder that is there, under its own name. It is written down.

    Raises:
        UsageError: there is no such file.
        CommandFailed: it could not be read, or not written here.
    """
    where = source.where
    told = ("cp", f"{where.pod}:{source.path}", str(to))
    async with audit.noted(app, told, cluster, release=where.release, pod=where.pod):
        return await _got(app, source, to, cluster, say)


async def _got(app: App, source: Far, to: Path, cluster: Cluster, say: Say) -> Copied:
    target, beside = _here(source, to)
    script = ("sh", "-c", _PACKED, "sh", source.path)
    where = source.where
    try:
        entered = cluster.entered(app.namespace, where.pod, where.container, script, stdin=False, tty=False)
        async with entered as stream, _pipe() as (reads, writes):
            unpacks = asyncio.create_task(asyncio.to_thread(_unpack, reads, beside))
            said, size = bytearray(), 0
            try:
                async for channel, data in stream:
                    if channel == ERRORS:
                        said += data
                    elif channel == OUTPUT:
                        await asyncio.to_thread(_all, writes.fileno(), data)
                        say(amount(size := size + len(data)))
            except BrokenPipeError:
                pass  # who unpacks has given up, and says why
            finally:
                writes.close()
                await asyncio.gather(unpacks, return_exceptions=True)
        _judge(stream.exit_code, bytes(said), source)
        copied = _result(unpacks, "cannot be written here")
        try:
            _arrive(beside, target)
        except OSError as error:
            raise CommandFailed(f"it cannot be written here: {error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return copied


def _there(source: Path) -> tuple[str, bool]:
    """The name of what is to be copied from here, and whether it is a folder.

    Raises:
        UsageError: it is not there.
    """
    if not source.exists():
        raise UsageError("there is no such file", place=str(source))
    return source.resolve().name, source.is_dir()


def _here(source: Far, to: Path) -> tuple[Path, Path]:
    """What it will be called here, and an empty folder beside that; within it, where it is a folder that is there.

    Raises:
        UsageError: there is no folder for it.
    """
    name = source.path.rstrip("/").rpartition("/")[2]
    target = to / name if to.is_dir() and name not in ("", ".", "..") else to
    folder = target if target.is_dir() else target.absolute().parent
    beside = folder / f".nuages-{secrets.token_hex(6)}"
    try:
        beside.mkdir()
    except OSError as error:
        raise UsageError(f"cannot be written to: {error.strerror}", place=str(folder)) from error
    return target, beside


def _judge(code: int | None, said: bytes, far: Far) -> None:
    """Go on where the far side has done its part.

    Raises:
        UsageError, CommandFailed: as `put` and `get`.
    """
    text = said.decode(errors="replace").strip()
    if code == 0:
        return
    if code == ABSENT:
        raise UsageError("there is no such file", place=f"{far.where.pod}:{far.path}")
    if code is None:
        raise CommandFailed("the connection was lost amid the copy; no file is half there", hint="copy it again")
    hint = ""
    if "read-only file system" in text.lower():
        hint = "what can be written to is /tmp, and the volumes of media and of nuages.yaml"
    raise CommandFailed(f"{far.where.pod} refused {far.path}", detail=text, hint=hint)


def _result(task: asyncio.Task[Copied], what: str) -> Copied:
    """What a side here has done.

    Raises:
        CommandFailed: it could not.
    """
    try:
        return task.result()
    except (tarfile.TarError, OSError) as error:
        raise CommandFailed(f"it {what}: {error}") from error


def _arrive(beside: Path, target: Path) -> None:
    """Let what was unpacked have its name; a folder that is there gets the files beside those it has."""
    found = list(beside.iterdir())
    if len(found) == 1 and not (beside / ".nuages-folder").exists() and not found[0].is_dir():
        found[0].replace(target)
        return
    (beside / ".nuages-folder").unlink(missing_ok=True)
    if target.is_dir():
        _merged(beside, target)
    else:
        beside.replace(target)


def _merged(come: Path, into: Path) -> None:
    """Give files their places in a folder that is there. A link below it is replaced, and never followed: it may have
    come from the pod as well, and each of two links within the folder may lead out of it by way of the other.
    """
    for one in come.iterdir():
        place = into / one.name
        if not one.is_dir() or one.is_symlink():
            one.replace(place)
        elif place.is_symlink():
            raise NotADirectoryError(
                errno.ENOTDIR, "is a link, and there is a folder of that name in the pod", str(place)
            )
        elif place.is_dir():
            _merged(one, place)
        else:
            one.replace(place)


def _pack(source: Path, name: str, writes: IO[bytes]) -> Copied:
    """Write an archive; a reader that went away ends it."""
    files = size = 0

    def counted(member: tarfile.TarInfo) -> tarfile.TarInfo:
        nonlocal files, size
        files, size = files + member.isfile(), size + member.size
        return member

    with contextlib.suppress(BrokenPipeError), writes, tarfile.open(fileobj=writes, mode="w|") as archive:
        archive.add(source.resolve(), arcname=name, filter=counted)
    return Copied(files, size)


def _unpack(reads: IO[bytes], to: Path) -> Copied:
    """Read an archive into an empty folder."""
    files = size = 0
    with reads, tarfile.open(fileobj=reads, mode="r|") as archive:
        for member in archive:
            if member.name == "." and member.isdir():
                (to / ".nuages-folder").touch()  # a folder was asked for, however few files it has
                continue
            archive.extract(member, to, filter="data")
            files, size = files + member.isfile(), size + member.size
        while reads.read(CHUNK):
            pass  # an archive is padded
    return Copied(files, size)


def _all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


@contextlib.asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[IO[bytes], IO[bytes]]]:
    reading, writing = os.pipe()
    reads, writes = os.fdopen(reading, "rb", buffering=0), os.fdopen(writing, "wb", buffering=0)
    try:
        yield reads, writes
    finally:
        for end in (reads, writes):
            with contextlib.suppress(OSError):
                end.close()


def amount(size: int) -> str:
    """As a person says it."""
    return f"{size / 1024**2:.1f} MiB" if size >= 1024**2 / 10 else f"{size / 1024:.1f} KiB"
