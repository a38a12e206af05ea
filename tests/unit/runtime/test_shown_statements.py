from __future__ import annotations

import pytest

from nuages_runtime.migrations.events import shown


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("CREATE ROLE r PASSWORD 'a''b' LOGIN", "CREATE ROLE r PASSWORD '***' LOGIN"),
        ("OPTIONS (user 'u', password 'x')", "OPTIONS (user 'u', password '***')"),
        ("CONNECTION 'host=h password=x dbname=d'", "CONNECTION 'host=h password=*** dbname=d'"),
        ("SELECT dblink('postgres://u:x@h/d')", "SELECT dblink('postgres://u:***@h/d')"),
        ('ALTER TABLE "t" ADD COLUMN "password" text', 'ALTER TABLE "t" ADD COLUMN "password" text'),
    ],
)
def test_a_statement_is_shown_without_secrets(sql: str, told: str) -> None:
    assert shown(sql) == told
