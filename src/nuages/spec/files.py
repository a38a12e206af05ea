"""What a spec says is in files beside it: read with it, so that everything after is values."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path as FilePath

import yaml

from nuages.spec.document import Path
from nuages.spec.model import EnvironmentSpec
from nuages.spec.validate import Mistake

_PODS = {
    "Pod": ("spec",),
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), ("spec", "template", "spec")),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
"""The kinds that make pods, and where those are described."""

MOST = 900 * 1024
"""What fits into one ConfigMap beside its metadata (1 MiB), in bytes."""


def named(spec: EnvironmentSpec) -> Iterator[tuple[Path, str]]:
    """Every path of the spec that names a file, and the file."""
    for path, source in spec.files.items():
        if source.file:
            yield ("files", path, "file"), source.file
    for index, file in enumerate(spec.objects):
        yield ("objects", index), file


def inlined(spec: EnvironmentSpec, folder: FilePath) -> tuple[dict[str, str], list[Mistake]]:
    """What is in the files, by their names, and what is wrong with them."""
    found: dict[str, str] = {}
    wrong: list[Mistake] = []
    for path, file in named(spec):
        if posixpath.normpath(file).startswith(".."):
            continue  # spec.E215 has said so
        try:
            found[file] = (folder / file).read_text(encoding="utf-8")
        except FileNotFoundError:
            wrong.append(
                Mistake("spec.E246", path, f"no {file} beside nuages.yaml", "a path from nuages.yaml's folder")
            )
        except (OSError, UnicodeDecodeError):
            hint = "put what is not text into a Secret or a ConfigMap, and name that"
            wrong.append(Mistake("spec.E246", path, f"{file} is not a file with text in it", hint))
    size = sum(len(found.get(source.file or "", "").encode()) for source in spec.files.values())
    if size > MOST:
        message = f"{size // 1024} KiB of files together; what they go into holds {MOST // 1024}"
        wrong.append(Mistake("spec.E246", ("files",), message, "larger ones belong into the image, or on a volume"))
    for index, file in enumerate(spec.objects):
        if file in found and (message := _not_objects(found[file])):
            hint = "one YAML document for each object"
            wrong.append(Mistake("spec.E247", ("objects", index), f"{file}: {message}", hint))
    return found, wrong


def _not_objects(text: str) -> str:
    """Why a text is no list of Kubernetes objects; "" where it is."""
    try:
        documents = [one for one in yaml.safe_load_all(text) if one is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return f"not YAML{f', line {mark.line + 1}' if mark else ''}"
    for number, one in enumerate(documents, 1):
        if not isinstance(one, dict) or not isinstance(one.get("metadata"), dict):
            return f"document {number} is no object"
        if not all(isinstance(part, str) and part for part in (one.get("apiVersion"), one.get("kind"))):
            return f"document {number} has no apiVersion or no kind"
        if not isinstance(one["metadata"].get("name"), str):
            return f"document {number} has no name"
        if one["kind"] in _PODS and not _containers(one, _PODS[one["kind"]]):
            return f"document {number} is a {one['kind']} without containers"
    return "" if documents else "nothing in it"


def _containers(item: dict[str, object], path: tuple[str, ...]) -> bool:
    found: object = item
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return isinstance(found, dict) and isinstance(found.get("containers"), list) and bool(found["containers"])
