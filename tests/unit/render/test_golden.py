"""What is rendered for the blog, to the byte: a change here is reviewed like code.

UPDATE_GOLDEN=1 writes the files anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nuages.render.manifest import render
from nuages.render.text import yaml_of

from .blog import ENVIRONMENTS, blog, release

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_blog_is_rendered_as_a_careful_engineer_would_write_it(environment: str) -> None:
    golden = GOLDEN / f"{environment}.yaml"
    rendered = yaml_of(render(blog(environment), release()).objects) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(rendered)
    assert rendered == golden.read_text()
