"""Who keeps the static files of several releases, to the byte; one image with hashed names, one without."""

from __future__ import annotations

import msgspec
import pytest

from nuages.app.build import Build
from nuages.render.manifest import render
from nuages.render.text import yaml_of

from .blog import blog, release
from .test_golden import same

pytestmark = pytest.mark.unit


def image(digit: str, *, hashed: bool) -> Build:
    return msgspec.structs.replace(
        release().build,
        reference=f"registry.example.com/acme/blog@sha256:{digit * 64}",
        static_root="/app/staticfiles",
        static_url="/static/",
        static_tree=digit * 16,
        static_hashed=hashed,
    )


def test_the_files_of_two_releases_are_kept_by_two_small_pods() -> None:
    new, old = image("2", hashed=False), image("1", hashed=True)
    kept = tuple(files for files in (new.statics, old.statics) if files)
    made = render(blog(), release(2, build=new, statics=kept))
    same("static", yaml_of(made.static) + "\n")
