"""An environment lives in one cluster: which one is written down on first use, and no flag leads elsewhere.

A cluster's identity is its certificate authority, which every kubeconfig carries and nobody needs a right to read.
The file is meant to be committed: so a colleague's kubeconfig, too, leads to the same cluster or nowhere.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from nuages.app.components import App
from nuages.errors import Refused, UsageError, WrongCluster
from nuages.findings import Finding, Level, Place
from nuages.host.files import replace
from nuages.kube.client import Cluster
from nuages.kube.config import load

FILE = Path(".nuages") / "clusters.json"
APART = "release.E486"


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


def together(source: App, app: App, cluster: Cluster, project: Path) -> None:
    """Make sure that what is to be copied from lives in the cluster of what gets it, as far as anybody has said where.

    One of the same name in another cluster may hold another database. Where nothing is written down yet, the cluster
    behind the context that the source names counts, whatever it is called for the other one.

    Raises:
        Refused: they live in two.
        UsageError: it is not written down, and the kubeconfig here has no such context.
    """
    if not source.cluster:
        return
    bound = _read(project / FILE).get(_key(source))
    if (bound.identity if bound else load(context=source.cluster).identity) == cluster.identity:
        return
    said = f"{source.environment} lives in cluster {source.cluster}, and {app.environment} in {cluster.context}"
    place = Place(path=f"environments.{source.environment}.cluster")
    hint = "data is copied within one cluster; from another one: nuages state export, import"
    raise Refused("nothing was copied", findings=[Finding(APART, Level.ERROR, said, place, hint)])


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
