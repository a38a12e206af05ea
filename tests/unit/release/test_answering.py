"""What an answer through a Service says of the release behind it."""

from __future__ import annotations

import pytest

from nuages.release.answering import UNREACHED, release

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b'{"release": "12"}', "12"),
        (200, b"{}", "None"),
        (200, b"<html>log in</html>", "something else"),
        (200, b'["ok"]', "something else"),
        (200, b"", "something else"),
        (503, b'{"kind": "Status", "code": 503}', UNREACHED),
        (503, b'{"migrations": ["blog.0002"]}', "nothing but 503"),
    ],
)
def test_what_came_back_is_told(status, body, said):
    assert release(status, body) == said
