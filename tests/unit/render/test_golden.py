"""What is rendered for the blog and the examples, to the byte: a change here is reviewed like code.

UPDATE_GOLDEN=1 writes the files anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from nuages.render.manifest import render
from nuages.render.static_bucket import address
from nuages.render.text import yaml_of

from .blog import ENVIRONMENTS, EXAMPLE_ENVIRONMENTS, blog, example, release

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).with_name("golden")


def same(name: str, rendered: str) -> None:
    golden = GOLDEN / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(rendered)
    assert rendered == golden.read_text()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_blog_is_rendered_as_a_careful_engineer_would_write_it(environment: str) -> None:
    same(environment, yaml_of(render(blog(environment), release()).objects) + "\n")


@pytest.mark.parametrize("named", EXAMPLE_ENVIRONMENTS)
def test_the_examples_are_rendered_as_they_were_reviewed(named: str) -> None:
    app = example(named)
    build = msgspec.structs.replace(
        release(asgi=True).build,
        static_root="/app/static",
        static_url=address(app) or "/static/",
        static_tree="0123456789abcdef",
        frontends=dict.fromkeys(app.frontends, f"sha256:{'7' * 64}"),
    )
    same(named, yaml_of(render(app, release(build=build)).objects) + "\n")
