"""What is written down of who ran what holds no password: who may look may read it."""

from __future__ import annotations

import pytest

from nuages.release.audit import public

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "command",
    [
        ("python", "manage.py", "import", "--password", "hunter2horse"),
        ("python", "manage.py", "import", "--api-token=hunter2horse"),
        ("psql", "-c", "ALTER ROLE blog PASSWORD 'hunter2horse'"),
        ("curl", "https://blog:hunter2horse@api.example.com/"),
    ],
)
def test_a_password_is_left_out(command):
    kept = public(command)
    assert "hunter2horse" not in " ".join(kept)
    assert kept[0] == command[0] and len(kept) == len(command)
    assert public(kept) == kept


@pytest.mark.parametrize(
    "command", [("python", "manage.py", "migrate", "--noinput"), ("psql", "-U", "postgres"), ("scale", "web=5"), ()]
)
def test_all_else_stays_as_it_was_typed(command):
    assert public(command) == command
