"""What a command line leads to, kept from one command to the next: which app, in which namespace of which cluster.

To find it out, a spec is read, checked and resolved (100 ms). It follows from files alone, so it is kept in the cache
with what tells that these are the same: the spec, the bindings beside it, the kubeconfig, the clusters of this machine.
No secret is in it.
"""

from __future__ import annotations

import os
from binascii import crc32

TYPE_CHECKING = False  # typing costs 4 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from nuages.app.components import App
    from nuages.kube.client import Cluster

_SHAPE = 3  # of what is kept
_KEPT = 100  # answers, the newest


def recall(file: str, environment: str, context: str) -> dict[str, Any] | None:
    """What was kept for these words of a command line; None where it may have changed."""
    question, sources = _question(file, environment, context), _sources(file)
    import json

    from nuages.cli import cached

    try:
        told = json.loads(cached.read(_place(question))[0])
    except (OSError, ValueError):
        return None
    same = isinstance(told, dict) and told.get("question") == question and told.get("sources") == sources
    return told if same else None


def keep(app: App, file: Path, asked: str | None, cluster: Cluster) -> None:
    """Keep what a command line led to, where it is not known; where it can't be, it is found out anew each time."""
    if recall(str(file), app.environment, asked or "") is not None:
        return
    import json

    from nuages.cli import cached
    from nuages.local.info import ingress_port
    from nuages.release.named import names_of, parts
    from nuages.release.site import site

    tls = app.expose.tls if app.expose else None
    question = _question(str(file), app.environment, asked or "")
    told = {
        "question": question,
        "sources": _sources(str(file)),
        "site": site(app)._asdict(),
        "parts": parts(app),
        "names": {name: sorted(meant) for name, meant in names_of(app).items()},
        "kubeconfig": str(cluster.kubeconfig or ""),
        "context": cluster.context,
        "port": ingress_port(cluster.context, tls=bool(tls and tls.none is None)),
    }
    place = _place(question)
    try:
        cached.write(place, json.dumps(told))
        with os.scandir(os.path.dirname(place)) as folder:  # noqa: PTH120
            for old in sorted(folder, key=lambda entry: entry.stat().st_mtime)[:-_KEPT]:
                os.unlink(old)  # noqa: PTH108
    except OSError:
        return


def _question(file: str, environment: str, context: str) -> list[str]:
    import nuages

    spec = os.path.abspath(file)  # noqa: PTH100 - pathlib costs 10 ms
    return [str(_SHAPE), nuages.__version__, spec, environment, context, os.environ.get("KUBECONFIG", "")]


def _place(question: list[str]) -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - as host/places.py
    return os.path.join(base, "nuages", "sites", f"{crc32(repr(question).encode()):08x}")  # noqa: PTH118


def _sources(file: str) -> dict[str, str]:
    """The files from which it follows, and what tells that each is the same."""
    spec = os.path.abspath(file)  # noqa: PTH100
    kubeconfig = os.environ.get("KUBECONFIG") or os.path.expanduser("~/.kube/config")  # noqa: PTH111
    found = [spec, os.path.join(os.path.dirname(spec), ".nuages", "clusters.json"), *kubeconfig.split(os.pathsep)]  # noqa: PTH118, PTH120
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111 - as local/places.py
    clusters = os.path.join("/var/lib" if os.geteuid() == 0 else state, "nuages", "clusters")  # noqa: PTH118
    try:
        names = os.listdir(clusters)  # noqa: PTH208
    except OSError:
        names = []
    found += [os.path.join(clusters, name, "cluster.json") for name in names]  # noqa: PTH118
    return {path: _stamp(path) for path in found if path}


def _stamp(path: str) -> str:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return ""
    return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"
