"""`nuages config`, as a person or a script calls it."""

from __future__ import annotations

import json
import subprocess
import sys

SPEC = """\
name: blog
image: registry.example.com/acme/blog
env: {DATABASE: "postgres://a:hunter22@db/x"}   # kept
web: {main: {replcas: 2}}
environments: {local: , production: {web: {main: {replicas: 3}}}}
"""


def nuages(folder, *arguments, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "nuages", "config", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def test_a_file_is_mended_shown_and_explained(tmp_path):
    file = tmp_path / "nuages.yaml"
    file.write_text(SPEC)
    assert "+web: {main: {replicas: 2}}" in nuages(tmp_path, "migrate", "--diff", code=5).stdout
    assert file.read_text() == SPEC
    assert "nuages.yaml:4:14: web.main.replcas  replicas for replcas" in nuages(tmp_path, "migrate").stdout
    assert file.read_text() == SPEC.replace("replcas", "replicas")
    got = nuages(tmp_path, "get", "web.main.replicas", "-e", "production")
    assert got.stdout == "3\n"
    assert got.stderr == "nuages.yaml:5:51 (environments.production)\n"
    assert "hunter22" not in nuages(tmp_path, "get").stdout
    told = json.loads(nuages(tmp_path, "get", "web.main.timing.grace", "--json").stdout)
    assert (told["schema"], told["source"]) == (1, "derived")
    assert "did you mean replicas?" in nuages(tmp_path, "get", "web.main.replcas", code=2).stderr
