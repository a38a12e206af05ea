"""What several threads compress is one ordinary gzip stream, and the same one each time."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from nuages.image import packing, tarballs

pytestmark = pytest.mark.unit


def packed(data: bytes, *, threads: int = 2, at_once: int = 1 << 18) -> bytes:
    out: list[bytes] = []
    with packing.Gzip(out.append, threads) as compressed:
        for start in range(0, len(data), at_once):
            compressed.write(data[start : start + at_once])
    return b"".join(out)


@pytest.mark.parametrize("size", [0, 1, packing.PIECE - 1, packing.PIECE, packing.PIECE + 1, 3 * packing.PIECE])
def test_what_was_written_is_read_back(size: int) -> None:
    data = os.urandom(size)
    assert gzip.decompress(packed(data)) == data


def test_neither_the_threads_nor_the_way_of_writing_change_a_byte() -> None:
    data = b"".join(f"line {number}\n".encode() for number in range(400_000))
    assert packed(data, threads=1) == packed(data, threads=3) == packed(data, at_once=70_001)


def test_it_is_as_small_as_by_one_thread() -> None:
    data = b"".join(path.read_bytes() for path in sorted(Path(os.__file__).parent.glob("*.py")))
    assert len(packed(data)) < 1.01 * len(gzip.compress(data, 6))


def test_a_reader_of_a_stream_that_takes_one_member_sees_all_of_it(tmp_path: Path) -> None:
    content = os.urandom(2 * packing.PIECE)
    layer = tarballs.layer([tarballs.Entry("one", 0o644, content), tarballs.Entry("two", 0o644, b"2")], tmp_path)
    with tarfile.open(fileobj=io.BytesIO(layer.blob.path.read_bytes()), mode="r|gz") as tar:
        assert {member.name: member.size for member in tar} == {"one": len(content), "two": 1}


def test_what_fails_while_it_is_written_ends_no_stream() -> None:
    out: list[bytes] = []
    with pytest.raises(OSError, match="disk full"), packing.Gzip(out.append) as compressed:
        compressed.write(b"x" * 5 * packing.PIECE)
        raise OSError("disk full")
    with pytest.raises(EOFError):
        gzip.decompress(b"".join(out))
