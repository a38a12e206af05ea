"""Giving a cluster's kubeconfig to people: as a file of its own, or among their contexts, touching no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from nuages.app.objects import Object
from nuages.errors import Refused
from nuages.host import files


def export(source: Path, to: Path) -> None:
    """Write the cluster's kubeconfig to a file of its own.

    Raises:
        Refused: the file exists and reaches something else.
    """
    content: Object = yaml.safe_load(source.read_text())
    if to.exists() and to.stat().st_size and not _only(yaml.safe_load(to.read_text()), content["current-context"]):
        raise Refused(f"{to} has other contexts, and would lose them", hint="use --merge, or another file")
    write(to, content)


def user_file() -> Path:
    """Where kubectl reads from: the first file of KUBECONFIG, otherwise ~/.kube/config."""
    named = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return Path(named[0]) if named else Path.home() / ".kube/config"


def merge(source: Path, into: Path) -> None:
    """Add the cluster's context to a kubeconfig that has others; which context is the current one does not change.

    Raises:
        Refused: a context, cluster or user of that name is there and belongs to another server, or another program is
            changing the file.
    """
    ours: Object = yaml.safe_load(source.read_text())
    with _locked(into):
        theirs: Object = (yaml.safe_load(into.read_text()) if into.exists() else None) or {}
        write(into, merged(theirs, ours))


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold kubectl's own lock on a kubeconfig: a file beside it that exists (lockFile in client-go's clientcmd)."""
    lock = file.with_name(file.name + ".lock")
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.touch(mode=0o600, exist_ok=False)
    except FileExistsError as error:
        raise Refused(f"another program is changing {file}", hint=f"try again; where none is, remove {lock}") from error
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def merged(theirs: Object, ours: Object) -> Object:
    """Their kubeconfig with our one context added, or renewed where it is ours already. Pure."""
    name, cluster = ours["clusters"][0]["name"], ours["clusters"][0]["cluster"]
    for one in theirs.get("clusters") or []:
        if one["name"] == name and one["cluster"].get("server") != cluster["server"]:
            raise Refused(
                f"the kubeconfig has a cluster {name} already, at {one['cluster'].get('server')}",
                hint="rename or delete it there, or write to a file of its own with --output",
            )
    for kind in ("contexts", "users"):
        known = {one["name"] for one in theirs.get("clusters") or []}
        if name not in known and any(one["name"] == name for one in theirs.get(kind) or []):
            raise Refused(f"the kubeconfig has {kind[:-1]} {name} already", hint="rename or delete it there")
    result = {"apiVersion": "v1", "kind": "Config", **theirs}
    for kind in ("clusters", "users", "contexts"):
        others = [one for one in theirs.get(kind) or [] if one["name"] != name]
        result[kind] = [*others, *ours[kind]]
    result.setdefault("current-context", name)
    return result


def _only(content: Object | None, name: str) -> bool:
    return {one["name"] for one in (content or {}).get("contexts") or []} <= {name}


def write(to: Path, content: Object) -> None:
    """Replace the file in one step, readable for its owner only: it holds a key."""
    files.replace(to, yaml.safe_dump(content, sort_keys=False), mode=0o600)
