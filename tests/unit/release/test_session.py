"""The launcher's last word among what the command writes, however it is cut up on its way."""

import pytest

from nuages.release.session import Ending

pytestmark = pytest.mark.unit
WORD = b"\x06abcd:7;"


@pytest.mark.parametrize(
    ("written", "shown", "code"),
    [
        (b"hello" + WORD, b"hello", 7),
        (WORD, b"", 7),
        (b"\x06abcd" + WORD, b"\x06abcd", 7),
        (b"\x06\x06\x06" + WORD, b"\x06\x06\x06", 7),
        (b"no end \x06abc", b"no end \x06abc", None),
        (b"another's \x06abce:7;", b"another's \x06abce:7;", None),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_it_is_found_in_parts_of_any_size_and_nothing_else_is_lost(written, shown, code, size):
    ending = Ending("abcd")
    passed = b"".join(ending.passed(written[at : at + size]) for at in range(0, len(written), size))
    assert (passed + ending.rest(), ending.code) == (shown, code)
