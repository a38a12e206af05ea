"""What two environments of one cluster can't both have: a namespace, a host with its paths, a port of the nodes.

Only where both say which cluster they belong to: without, each goes wherever whoever deploys it is connected to. What
other apps have there is asked of the cluster, before a release (release/claimed.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from nuages.spec.document import Path
from nuages.spec.model import EnvironmentSpec
from nuages.spec.validate import Mistake


class _Claim(NamedTuple):
    """One thing that an environment would have for itself."""

    code: str
    path: Path
    what: str
    door: tuple[str | None, ...]
    """Of a host: which controller, and which path; two of them may share the name."""


def broken(environments: Mapping[str, EnvironmentSpec]) -> Iterator[tuple[str, Mistake]]:
    """Each mistake with the environment that has it: the later one of two."""
    taken: dict[tuple[str, str, tuple[str | None, ...]], str] = {}
    for name, spec in environments.items():
        if spec.cluster is None or spec.template:
            continue
        told: set[Path] = set()
        for claim in _claims(spec, name):
            other = taken.setdefault((spec.cluster, claim.what, claim.door), name)
            if other != name and claim.path not in told:
                told.add(claim.path)
                message = f"{claim.what} is that of {other}, in the same cluster"
                yield name, Mistake(claim.code, claim.path, message, "one of its own, or another cluster")


def _claims(spec: EnvironmentSpec, name: str) -> Iterator[_Claim]:
    """What it would have for itself, and where that stands."""
    yield _Claim("spec.E275", ("namespace",), f"namespace {spec.namespace or f'{spec.name}-{name}'}", ())
    if (expose := spec.expose) is None:
        return
    if expose.node_port:
        yield _Claim("spec.E276", ("expose", "nodePort"), f"port {expose.node_port}", ())
    if expose.kind not in ("ingress", "gateway"):
        return
    routes = [route for web in spec.web.values() for route in (["/"] if web.routes is None else web.routes)]
    routes += [route for front in spec.frontends.values() for route in front.routes]
    for field, hosts, paths in (("hosts", expose.hosts, routes), ("redirects", expose.redirects, ["/"])):
        for index, host in enumerate(hosts):
            for route in paths:
                door = (expose.kind, expose.class_, route.rstrip("/"))
                yield _Claim("spec.E276", ("expose", field, index), host, door)
