"""Where an image comes from is said without a name, a token or a time in it."""

from __future__ import annotations

import json
import subprocess

import pytest

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.image.provenance import public, source, statement
from nuages.spec.load import parse

SPEC = "name: blog\nimage: registry.example.com/acme/blog\nbuild: {packages: [libmagic1]}\nenvironments: {local: {}}\n"
DIGEST = "a" * 64


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("git@github.com:acme/blog.git", "https://github.com/acme/blog"),
        ("https://github.com/acme/blog", "https://github.com/acme/blog"),
        ("https://ada:token@git.example.com/acme/blog.git", "https://git.example.com/acme/blog"),
        ("ssh://git@git.example.com:2222/acme/blog.git", "https://git.example.com/acme/blog"),
        ("/srv/git/blog.git", ""),
        ("../blog", ""),
        ("", ""),
    ],
)
def test_a_remote_is_shown_as_anybody_may_read_it(remote: str, url: str) -> None:
    assert public(remote) == url


def test_a_folder_outside_of_git_has_no_source(tmp_path) -> None:
    assert source(tmp_path) == ""


def test_the_remote_origin_is_the_source(tmp_path) -> None:
    for argv in (["init", "-q"], ["remote", "add", "origin", "https://x:secret@git.example.com/acme/blog.git"]):
        subprocess.run(["git", "-C", tmp_path, *argv], check=True)
    assert source(tmp_path) == "https://git.example.com/acme/blog"


def test_a_statement_names_image_revision_lock_and_base() -> None:
    app = resolve(parse(SPEC.encode(), "nuages.yaml"), "local")
    build = Build(
        reference=f"registry.example.com/acme/blog@sha256:{DIGEST}",
        wsgi="blog.wsgi:application",
        settings="blog.settings",
        revision="c" * 40 + "-dirty",
    )
    said = statement(app, build, {"uv.lock": "b" * 64}, "https://git.example.com/acme/blog")
    document = json.loads(said)
    assert document["subject"] == [{"name": "registry.example.com/acme/blog", "digest": {"sha256": DIGEST}}]
    definition = document["predicate"]["buildDefinition"]
    assert definition["resolvedDependencies"] == [
        {"uri": f"git+https://git.example.com/acme/blog@{'c' * 40}", "digest": {"gitCommit": "c" * 40}},
        {"uri": "uv.lock", "digest": {"sha256": "b" * 64}},
    ]
    assert definition["internalParameters"] == {"modified": True}
    assert statement(app, build, {"uv.lock": "b" * 64}, "https://git.example.com/acme/blog") == said
