"""What stands in the place of a person where nuages itself runs a command."""

from __future__ import annotations

import pytest

from nuages.kube.channels import ERRORS, OUTPUT
from nuages.release.session import PART, Pipe

pytestmark = pytest.mark.unit


async def test_what_it_is_given_is_typed_in_parts_and_in_order() -> None:
    given = bytes(range(256)) * (PART // 128)
    parts = [part async for part in Pipe(given).typed()]
    assert b"".join(parts) == given
    assert all(len(part) <= PART for part in parts)
    assert [part async for part in Pipe().typed()] == []


def test_output_and_errors_are_kept_apart() -> None:
    pipe = Pipe()
    for channel, data in ((OUTPUT, b"1,"), (ERRORS, b"no su"), (OUTPUT, b"2"), (ERRORS, b"ch table\n")):
        pipe.show(channel, data)
    assert (pipe.output, pipe.errors) == (b"1,2", "no such table")
