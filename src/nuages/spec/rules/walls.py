"""Rules of walls and of what is written beside what nuages would write."""

from __future__ import annotations

import ipaddress
import posixpath
from collections.abc import Iterator

from nuages.spec.model import EnvironmentSpec
from nuages.spec.validate import Mistake


def broken(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Every rule that is broken."""
    yield from _files(spec)
    yield from _within(spec)
    yield from _tolerations(spec)
    yield from _namespaces(spec)
    yield from _containers(spec)
    yield from _egress(spec)
    yield from _names(spec)


def _files(spec: EnvironmentSpec) -> Iterator[Mistake]:
    for path, source in spec.files.items():
        at = ("files", path)
        if posixpath.normpath(path) != path:
            yield Mistake("spec.E248", at, f"{path} is a path that nothing has", "without //, . and ..", at_key=True)
        if source.key and source.file:
            yield Mistake("spec.E248", (*at, "key"), "means nothing with file", "leave one of them out", at_key=True)
        for written in filter(None, (source.file,)):
            if ".." in written.split("/"):
                hint = "a path in the project, without .."
                yield Mistake("spec.E215", (*at, "file"), f"{written} leads out of the project", hint)
    for index, written in enumerate(spec.objects):
        if ".." in written.split("/"):
            hint = "a path in the project, without .."
            yield Mistake("spec.E215", ("objects", index), f"{written} leads out of the project", hint)


def _within(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """A file is no folder: no container starts where one is to lie below another."""
    for path in spec.files:
        if above := next((one for one in spec.files if path.startswith(f"{one}/")), None):
            hint = "a folder for both, or another path"
            yield Mistake("spec.E248", ("files", path), f"{above} is a file, and no folder", hint, at_key=True)


def _tolerations(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/: any taint has any value."""
    for index, one in enumerate(spec.placement.tolerations):
        if one.value is not None and one.key is None:
            at = ("placement", "tolerations", index, "value")
            yield Mistake("spec.E271", at, "is the value of no key", "key: dedicated beside it", at_key=True)


def _namespaces(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces"""
    if spec.namespace in ("kube-system", "kube-public", "kube-node-lease"):
        message = f"{spec.namespace} is the cluster's own, and what walls an app in would wall that in"
        yield Mistake("spec.E272", ("namespace",), message, f"{spec.name}-production, or leave it out")


def _containers(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """The containers of a pod have names of their own."""
    ours = {"web", "worker", "beat"}
    for section, names in (("sidecars", spec.sidecars), ("init", spec.init)):
        for name in names:
            if name in ours or (section == "init" and name in spec.sidecars):
                message = "is the name of another container of the pod"
                yield Mistake("spec.E248", (section, name), message, "another name", at_key=True)


def _egress(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """What a policy takes: https://kubernetes.io/docs/concepts/services-networking/network-policies/"""
    seen: dict[tuple[str, int], int] = {}
    for index, one in enumerate(spec.network.egress or []):
        at = ("network", "egress", index)
        named = (one.host or one.range or "").lower()
        if one.range:
            try:
                named = str(ipaddress.ip_network(one.range, strict=False))
            except ValueError:
                yield Mistake("spec.E249", (*at, "range"), f"{one.range} is no range of addresses", "203.0.113.0/24")
        first = seen.setdefault((named, one.port), index)
        if named and first != index:
            message = f"{named}, port {one.port}, is network.egress.{first} already"
            yield Mistake("spec.E249", at, message, "leave one of them out")


def _names(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Who answers names is somebody, and where a policy can find them."""
    for index, one in enumerate(spec.network.dns or []):
        at = ("network", "dns", index)
        if (one.namespace is None) == (one.range is None):
            hint = "namespace: openshift-dns, or range: 169.254.20.10/32"
            yield Mistake("spec.E255", at, "is not one place", hint)
        elif one.range:
            try:
                ipaddress.ip_network(one.range, strict=False)
            except ValueError:
                message = f"{one.range} is no range of addresses"
                yield Mistake("spec.E255", (*at, "range"), message, "169.254.20.10/32")
