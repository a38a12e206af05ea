"""Public scanners of Kubernetes objects, as programs: kube-score and kubeconform from Go modules, checkov from PyPI.

Cold they take two to three minutes of two cores; they are kept in the cache, below a hash of what says their versions.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import yaml

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.app.objects import Object
from nuages.host.places import cache
from nuages.local.gotool import compiler
from nuages.local.info import read
from nuages.render.manifest import render
from nuages.render.release import Release
from nuages.render.text import yaml_of
from nuages.spec.load import load

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "tests" / "scanners"
CHECKOV = (MODULE / "checkov.txt").read_text().strip()
PAGE = ROOT / "docs" / "reference" / "scanners.md"

EXTENSIONS = {"HTTPRoute", "ScaledObject", "TriggerAuthentication", "Certificate"}
"""Kinds that not every cluster has."""

Found = tuple[str, str, str]
"""Scanner, check, and the object: Kind/name."""


def objects() -> dict[str, list[Object]]:
    """What every example renders in every environment, by `example-environment`."""
    found = {}
    for file in sorted((ROOT / "examples").glob("*.nuages.yaml")):
        spec = load(file)
        for environment in sorted(spec.environments.keys() - spec.templates.keys()):
            app = resolve(spec, environment)
            build = Build(
                reference=f"{app.image}@sha256:{'7' * 64}",
                wsgi="a.wsgi:application",
                asgi="a.asgi:application",
                settings="a.settings",
                media_root="/app/media",
                static_root="/app/static",
                static_url="/static/",
                static_tree="7" * 10,
                frontends=dict.fromkeys(app.frontends, f"sha256:{'7' * 64}"),
            )
            release = Release(number=1, template=1, build=build, secrets=f"{app.secret}-0" if app.secrets else None)
            found[f"{file.name.split('.')[0]}-{environment}"] = render(app, release).objects
    return found


def written(folder: Path) -> list[Path]:
    """A file for each of them."""
    files = []
    for name, made in objects().items():
        files.append(folder / f"{name}.yaml")
        files[-1].write_text(yaml_of(made))
    return files


def published() -> dict[tuple[str, str], str]:
    """The exceptions of docs/reference/scanners.md: scanner and check, and on what."""
    rows = re.findall(r"^\| (kube-score|checkov) \| `([^`]+)` \| ([^|]+) \|", PAGE.read_text(), re.MULTILINE)
    return {(scanner, check): on.strip() for scanner, check, on in rows}


def kube_score(files: list[Path]) -> set[Found]:
    """Every finding that is critical or a warning."""
    said = subprocess.run(
        [go("kube-score"), "score", "--output-format", "json", "--kubernetes-version", "v1.34", *files],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.stdout, said.stderr
    return {
        ("kube-score", check["check"]["id"], f"{each['type_meta']['kind']}/{each['object_meta']['name']}")
        for each in json.loads(said.stdout)
        for check in each["checks"]
        if not check["skipped"] and check["grade"] < 10
    }


def checkov(folder: Path) -> set[Found]:
    """Every failed check."""
    said = subprocess.run(
        [_checkov(), "--framework", "kubernetes", "--directory", folder, "--output", "json", "--quiet", "--compact"],
        capture_output=True, text=True, check=False, env=os.environ | {"LOG_LEVEL": "ERROR", "BC_SKIP_MAPPING": "TRUE"},
    )  # fmt: skip
    assert said.stdout, said.stderr
    report = json.loads(said.stdout)
    return {
        ("checkov", check["check_id"], "/".join(check["resource"].split(".")[::2]))
        for check in report["results"]["failed_checks"]
    }


def kubeconform(files: list[Path], schemas: Path, skip: set[str]) -> str:
    """What -strict says of them; "" where all is well."""
    said = subprocess.run(
        [
            go("kubeconform"), "-strict", "-summary", "-skip", ",".join(sorted(skip)),
            "-schema-location", f"{schemas}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json", *files,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if said.returncode == 0 else said.stdout + said.stderr


def openapi(kubeconfig: Path) -> str:
    """What an API server says of its kinds."""
    asked = [*read("test-api").kubectl, "--kubeconfig", kubeconfig, "get", "--raw", "/openapi/v2"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def schemas(document: Object, folder: Path) -> set[str]:
    """JSON Schemas of an API server's own kinds, strict, as kubeconform looks for them; the kinds."""
    definitions = {name: _strict(one) for name, one in document["definitions"].items()}
    kinds = set()
    for name, one in document["definitions"].items():
        for known in one.get("x-kubernetes-group-version-kind", []):
            group = known["group"].split(".")[0]
            suffix = f"-{group}-{known['version']}" if group else f"-{known['version']}"
            whole = {"$ref": f"#/definitions/{name}", "definitions": definitions}
            (folder / f"{known['kind'].lower()}{suffix}.json").write_bytes(msgspec.json.encode(whole))
            kinds.add(known["kind"])
    return kinds


def _strict(schema: Object) -> Object:
    """No field that is not in it; what is a number or a text is either."""
    if schema.get("format") == "int-or-string":
        return {"oneOf": [{"type": "string"}, {"type": "integer"}]}
    if schema.get("type") == "object" and "properties" in schema:
        return schema | {"additionalProperties": False}
    if "Quantity" in schema.get("description", "") and schema.get("type") == "string":
        return {"oneOf": [{"type": "string"}, {"type": "number"}]}
    return schema


def go(program: str) -> Path:
    """A program of the Go module beside this, built where it is not."""
    key = hashlib.sha256((MODULE / "go.mod").read_bytes() + (MODULE / "go.sum").read_bytes()).hexdigest()[:16]
    built = cache() / "scanners" / key / program
    if not built.exists():
        packages = [
            line.strip()
            for line in (MODULE / "go.mod").read_text().splitlines()
            if line.startswith("\tgithub.com") and "/cmd/" in line
        ]
        command = [compiler(MODULE, lambda _: None), "build", "-trimpath", "-o", f"{built.parent}/", *packages]
        subprocess.run(command, cwd=MODULE, check=True, env=os.environ | {"CGO_ENABLED": "0"})
    return built


def _checkov() -> Path:
    folder = cache() / "scanners" / CHECKOV.replace("==", "-")
    program = folder / "bin" / "checkov"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", CHECKOV], check=True)
    return program


def unnamed(files: list[Path]) -> Iterator[str]:
    """The kinds of all objects in files."""
    for file in files:
        yield from (one["kind"] for one in yaml.safe_load_all(file.read_text()))
