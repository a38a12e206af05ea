"""What no backup has is told to whoever declares one."""

from __future__ import annotations

import pytest

from nuages.app.components import resolve
from nuages.checks.keeping import check
from nuages.spec.load import parse

pytestmark = pytest.mark.unit
BACKUP = "backup: {cron: '0 2 * * *', keep: 2, to: {volume: 1Gi}}"
VOLUME, BUCKET = "volume: {size: 1Gi}", 'bucket: {url: "s3://media", secret: media}'


@pytest.mark.parametrize(
    ("media", "backup", "expected"),
    [(VOLUME, BACKUP, ["media.volume"]), (BUCKET, BACKUP, []), (VOLUME, "storage: 1Gi", [])],
)
def test_uploads_on_a_volume_are_in_no_backup(media: str, backup: str, expected: list[str]) -> None:
    text = f"""
name: blog
image: registry.example.com/blog
services: {{postgres: {{run: {{{backup}}}}}}}
databases: {{default: postgres}}
media: {{{media}}}
environments: {{local: {{}}}}
"""
    assert [one.place.path for one in check(resolve(parse(text.encode(), "nuages.yaml"), "local"))] == expected
