"""`nuages check` and `nuages render`, as a person or a pipe runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.unit

GOOD = """\
name: blog
image: registry.example.com/acme/blog
services: {postgres: {run: }}
databases: {default: postgres}
secrets: {SECRET_KEY: {generate: true}}
environments: {local: , production: {web: {main: {replicas: 40}}}}
"""


def nuages(*arguments: str, spec: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "nuages.yaml").write_text(spec)
    code = "from nuages.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_spec_with_five_mistakes_prints_five_findings_and_exits_with_three(tmp_path: Path) -> None:
    spec = """\
name: Blog
image: registry.example.com/acme/blog:latest
web: {main: {replcas: 3, requestTimeout: 30}}
databases: {default: postgres}
"""
    ended = nuages("check", spec=spec, folder=tmp_path)
    assert ended.returncode == 3
    places = ("nuages.yaml:1:7", "nuages.yaml:2:8", "nuages.yaml:3:14", "nuages.yaml:3:42", "nuages.yaml:4:22")
    assert [place for place in places if place in ended.stderr] == list(places)
    assert "5 findings, nothing was touched." in ended.stderr


def test_what_an_environment_makes_of_a_spec_is_checked_at_its_place(tmp_path: Path) -> None:
    ended = nuages("check", spec=GOOD, folder=tmp_path)
    assert ended.returncode == 3
    assert "app.E101" in ended.stderr
    assert nuages("check", "-e", "local", spec=GOOD, folder=tmp_path).returncode == 0


def test_findings_are_printed_as_json_one_a_line(tmp_path: Path) -> None:
    ended = nuages("check", "--json", "-e", "production", spec=GOOD, folder=tmp_path)
    assert ended.returncode == 3
    (finding,) = [json.loads(line) for line in ended.stdout.splitlines()]
    assert finding["id"] == "app.E101"
    assert finding["place"]["path"] == "services.postgres.run.resources.memory"


def test_an_unknown_environment_is_a_usage_error(tmp_path: Path) -> None:
    ended = nuages("check", "-e", "produktion", spec=GOOD, folder=tmp_path)
    assert ended.returncode == 2
    assert "did you mean production?" in ended.stderr


def test_render_prints_yaml_in_the_order_of_applying(tmp_path: Path) -> None:
    ended = nuages("render", spec=GOOD, folder=tmp_path)
    assert ended.returncode == 0
    kinds = [item["kind"] for item in yaml.safe_load_all(ended.stdout)]
    assert kinds[0] == "Namespace"
    assert kinds.index("StatefulSet") < kinds.index("Job") < kinds.index("Deployment")
    assert "not-built" in ended.stdout


def test_render_names_the_image_it_is_given_and_only_by_digest(tmp_path: Path) -> None:
    image = f"registry.example.com/acme/blog@sha256:{'a' * 64}"
    assert image in nuages("render", "--image", image, spec=GOOD, folder=tmp_path).stdout
    refused = nuages("render", "--image", "registry.example.com/acme/blog:1", spec=GOOD, folder=tmp_path)
    assert refused.returncode == 2


def test_render_refuses_what_a_release_would_refuse(tmp_path: Path) -> None:
    assert nuages("render", "-e", "production", spec=GOOD, folder=tmp_path).returncode == 3
