"""An environment lives in one cluster: which one is written down on first use, and no flag leads elsewhere.

A cluster's identity is its certificate authority, which every kubeconfig carries and nobody needs a right to read.
The file is meant to be committed: so a colleague's kubeconfig, too, leads to the same cluster or nowhere.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from nuages.app.components import App
from nuages.errors import UsageError, WrongCluster
from nuages.host.files import replace
from nuages.kube.client import Cluster

FILE = Path(".nuages") / "clusters.json"


class Bound(msgspec.Struct, frozen=True):
    """Where an environment lives."""

    context: str
    identity: str


def context(app: App, asked: str | None) -> str | None:
    """The kubeconfig context to use; None where the environment leaves it open.

    Raises:
        WrongCluster: another context was asked for than the spec names.
    """
    if app.cluster and asked and asked != app.cluster:
        raise WrongCluster(
            f"environment {app.environment} lives in cluster {app.cluster}, not in {asked}",
            place=f"environments.{app.environment}.cluster",
            hint="leave --context out, or deploy another environment",
        )
    return app.cluster or asked


def bind(app: App, cluster: Cluster, project: Path) -> None:
    """Write down where an environment lives that names its cluster, as a deploy does; a binding never changes."""
    path = project / FILE
    bindings = _read(path)
    if app.cluster and _key(app) not in bindings:
        bindings[_key(app)] = Bound(app.cluster, cluster.identity)
        path.parent.mkdir(exist_ok=True)
        replace(path, msgspec.json.format(msgspec.json.encode(bindings)).decode() + "\n")


def check(app: App, cluster: Cluster, project: Path) -> None:
    """Make sure that this is the cluster where an environment lives, as far as that is written down.

    Raises:
        WrongCluster: a cluster of the same name, but another one.
    """
    path = project / FILE
    bound = _read(path).get(_key(app))
    if app.cluster and bound and bound.identity != cluster.identity:
        raise WrongCluster(
            f"{app.cluster} is another cluster than the one where environment {app.environment} lives",
            place=str(path),
            hint=f"check your kubeconfig; where the environment really moved, remove its line from {FILE}",
        )


def _key(app: App) -> str:
    """Under which name it is written down: environments that are made from a template live where the template does."""
    return app.template or app.environment


def _read(path: Path) -> dict[str, Bound]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Bound])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        raise UsageError(f"not readable: {error}", place=str(path), hint="restore it from version control") from error
