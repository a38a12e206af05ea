"""What becomes of a data store: compared as it was made and as it is wanted. Pure: objects in, a change out.

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/: what a StatefulSet claims can't be changed, but
the set can be made anew around its pod and its volume, which both stay (deletion with `orphan`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from nuages.app.objects import Object
from nuages.findings import Finding, Level, Place
from nuages.release.plan.shape import Field
from nuages.spec.units import bytes_of

_VERSION = re.compile(r":(\d+)")


class Way(StrEnum):
    """How a store becomes what is wanted."""

    SAME = "same"
    MAKE = "with the next deploy"
    """There is none yet."""
    RESTART = "restart"
    """Its pod is started anew: seconds in which nobody answers."""
    ROLL = "roll"
    """Its operator starts its instances anew, one after another; the one that is written to gives way to another."""
    GROW = "grow"
    """Its volume grows, while it runs."""
    ANEW = "anew"
    """It is made anew, with a volume; what it held in memory goes."""
    UPGRADE = "upgrade"
    """Another major version is filled from it into a volume of its own, and takes its place."""
    REFUSED = "refused"


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """One data store, and what would become of it."""

    service: str
    """Its key in the spec."""
    name: str
    """What its workload is called."""
    way: Way
    fields: tuple[Field, ...] = ()
    storage: str = ""
    """The size that its volume grows to; "" where it stays."""
    findings: tuple[Finding, ...] = ()


def stuck(service: str, wanted: Object, live: Object, claim: Object | None, expands: bool | None) -> list[Finding]:
    """Why a store can't become what is wanted; `claim` is its volume's, `expands` whether its class lets volumes grow
    (None: not known).
    """
    return [*_other(service, wanted, live), *_volume(service, wanted, live, claim, expands)]


def way(wanted: Object, live: Object, claim: Object | None, fields: tuple[Field, ...]) -> tuple[Way, str]:
    """How a store becomes what is wanted, and the size that its volume grows to."""
    if size(wanted) and not size(live):
        return Way.ANEW, ""
    grows = size(wanted) if size(wanted) and bytes_of(size(wanted)) > bytes_of(_has(live, claim)) else ""
    if fields:
        return Way.RESTART, grows
    return (Way.GROW if grows else Way.SAME), grows


def size(workload: Object) -> str:
    """What a workload claims for its data; "" where nothing is kept."""
    claims = workload["spec"].get("volumeClaimTemplates") or []
    return str(claims[0]["spec"]["resources"]["requests"]["storage"]) if claims else ""


def claimed(workload: Object) -> str:
    """What the volume's claim of its one pod is called."""
    (claim,) = workload["spec"].get("volumeClaimTemplates") or [{"metadata": {"name": "data"}}]
    return f"{claim['metadata']['name']}-{workload['metadata']['name']}-0"


def image(workload: Object) -> str:
    """The image of its server."""
    return str(workload["spec"]["template"]["spec"]["containers"][0]["image"])


def major(workload: Object) -> str:
    """The major version of its server: "17"."""
    return _named(image(workload))[1]


def _other(service: str, wanted: Object, live: Object) -> Iterator[Finding]:
    """Another program, or another major version, does not read the files of this one; a cache has none."""
    (had, has), (asked, wants) = (_named(image(one)) for one in (live, wanted))
    if (had, has) == (asked, wants) or not size(live):
        return
    at = Place(path=f"services.{service}.run.{'version' if had == asked else 'engine'}")
    if service == "postgres" and has != wants:
        hint = f"nuages services upgrade --to {wants}" if int(has) < int(wants) else f'version: "{has}"'
        yield Finding("release.E384", Level.ERROR, f"{has} does not become {wants} by a restart", at, hint)
    elif had != asked or int(wants) < int(has):
        said = f"{asked} {wants} does not read what {had} {has} has written"
        yield Finding("release.E384", Level.ERROR, said, at, f"{had} {has}, or another service beside it")


def _volume(
    service: str, wanted: Object, live: Object, claim: Object | None, expands: bool | None
) -> Iterator[Finding]:
    at = Place(path=f"services.{service}.run.storage")
    has, asked = _has(live, claim) if size(live) else "", size(wanted)
    if has and not asked:
        said = f"it keeps what it holds on a volume of {has}, and would forget it"
        yield Finding("release.E382", Level.ERROR, said, at, f"storage: {has}")
    elif has and bytes_of(asked) < bytes_of(has):
        said = f"a volume of {has} can't shrink to {asked}"
        yield Finding("release.E382", Level.ERROR, said, at, f"storage: {has}; or move the data to another one")
    elif has and bytes_of(asked) > bytes_of(has) and expands is False:
        said = f"the volume's storage class lets none grow (allowVolumeExpansion), so {has} stays {has}"
        hint = "a class that does; or a backup, a new environment with more, and a restore"
        yield Finding("release.E383", Level.ERROR, said, at, hint)


def _has(live: Object, claim: Object | None) -> str:
    """How large the volume is asked to be: its claim may have been grown already."""
    return str(claim["spec"]["resources"]["requests"]["storage"]) if claim else size(live)


def _named(image: str) -> tuple[str, str]:
    """The program and its major version."""
    version = _VERSION.search(image.rpartition("/")[2])
    return image.rpartition("/")[2].partition(":")[0], version[1] if version else "0"
