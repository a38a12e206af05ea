"""Front ends beside `nuages dev`: what their servers write."""

from __future__ import annotations

import sys

import pytest

from nuages.release.dev import frontends

pytestmark = pytest.mark.unit


async def test_a_line_is_shown_however_long_it_is(tmp_path):
    shown = []

    class Here:
        def show(self, data):
            shown.append(data)

    line = (sys.executable, "-c", "print('x' * 200_000); print('after')")
    assert await frontends._run("spa", line, tmp_path, "http://localhost:8000", Here()) == 0
    assert [len(data) for data in shown] == [200_007, 12]
    assert shown[1] == b"spa | after\n"
