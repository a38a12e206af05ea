"""The ways in, when all that they lead to is there."""

from __future__ import annotations

from datetime import timedelta

from nuages.app.objects import Object
from nuages.errors import Forbidden, Gone, Rejected
from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Finished, Step, Waiting
from nuages.release.world import World

ISSUER = "cert-manager.io/cluster-issuer"
LATE = "release.W460"
"""The finding where a release is over before its certificate is there."""

ISSUED = timedelta(seconds=60)
"""How long a release waits for a certificate that is not there yet; then it says so, and goes on."""


async def exposure(release: Stored, world: World) -> Step:
    """Hosts, routes and certificates: behind the webs, so that no route leads to a pod that is not there yet."""
    objects = release.manifest.exposure
    step = await bring("exposure", objects, objects, release, world)
    passed = release.record.phase("exposure")
    if not isinstance(step, Finished) or passed is None:
        return step
    notes = [step.note]
    for secret in issued(objects):
        if not (missing := await _missing(secret, release, world)):
            continue
        if world.now() - passed.started < ISSUED:
            return Waiting(f"{secret}: {missing}", 2.0)
        notes.append(f"no certificate in {secret} yet: {missing}; browsers are warned until it comes ({LATE})")
    return Finished("; ".join(filter(None, notes)))


def issued(objects: list[Object]) -> list[str]:
    """The Secrets into which somebody else is to put a certificate, by what an Ingress asks for.

    https://cert-manager.io/docs/usage/ingress/
    """
    return [
        entry["secretName"]
        for item in objects
        if item["kind"] == "Ingress" and ISSUER in (item["metadata"].get("annotations") or {})
        for entry in item["spec"].get("tls", [])
    ]


async def _missing(secret: str, release: Stored, world: World) -> str:
    """Why there is no certificate, in the issuer's words; "" where there is one, or no right to look."""
    namespace = release.record.namespace
    try:
        found = await world.cluster.get("Secret", namespace, secret)
        if found and found.get("data", {}).get("tls.crt"):
            return ""
        wanted = await world.cluster.get("Certificate", namespace, secret)
    except Forbidden:
        return ""
    except (Gone, Rejected):  # the cluster has no such kind
        wanted = None
    conditions = (wanted or {}).get("status", {}).get("conditions") or []
    said = [one.get("message", "") for one in conditions if one["type"] in ("Ready", "Issuing")]
    return said[-1] if said else "nobody has begun to issue it"
