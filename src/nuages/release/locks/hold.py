"""The lock in a person's hand: nothing is released until it is given back, though no process stands behind it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from nuages.app.objects import Object
from nuages.errors import Gone, Locked, Refused
from nuages.kube.client import Cluster
from nuages.release.locks.holder import by_hand, user
from nuages.release.locks.lease import Claim, Life, Sight, claim
from nuages.release.locks.lock import Wish, acquired, freed

LONG = 2**31 - 1
"""Seconds that a person may hold it, 68 years: Kubernetes wants a number, and an older nuages keeps to it."""


async def hold(cluster: Cluster, namespace: str, name: str, wish: Wish, *, waiting: Callable[[str], None]) -> Claim:
    """Take the lock for a person; one who has it already changes what it says.

    Raises:
        Locked: somebody else has it.
        Refused: there is no such namespace.
    """
    try:
        lease = await cluster.get("Lease", namespace, name)
        if lease and lease["spec"].get("holderIdentity") == by_hand():
            says = {"nuages.dev/command": wish.command or None, "nuages.dev/message": wish.message or None}
            about = {"annotations": says, "resourceVersion": lease["metadata"]["resourceVersion"]}
            return claim(await cluster.patch_merge("Lease", namespace, name, {"metadata": about}))
        mine = wish._replace(holder=by_hand(), duration=LONG)
        return claim(await acquired(cluster, namespace, name, mine, waiting=waiting))
    except Gone as error:
        raise Refused(f"namespace {namespace} is not there yet", hint="the first nuages deploy makes it") from error


async def give_back(cluster: Cluster, namespace: str, name: str, *, force: bool) -> Claim | None:
    """Open the lock; answers who held it, None where nobody did.

    With `force` another's too, also that of a release under way: it finds its epoch over, and writes nothing more.

    Raises:
        Locked: it is another's.
    """
    lease = await cluster.get("Lease", namespace, name)
    if lease is None or not lease["spec"].get("holderIdentity"):
        return None
    says = claim(lease)
    if not force and not (says.by_hand and says.who == user()) and Sight().judge(lease) is not Life.NONE:
        what = "locked it" if says.by_hand else "is at work on it"
        raise Locked(
            f"{says.who} {what}, since {says.since}{says.what}",
            hint="nuages unlock --force takes it away from them all the same"
            + ("" if says.by_hand else "; what is under way stops at its next write"),
        )
    free: Object = freed(lease)
    # Whoever held it must not take it for their own again: the next epoch begins here.
    free["spec"]["leaseTransitions"] = lease["spec"].get("leaseTransitions", 0) + 1
    with contextlib.suppress(Gone):  # it was renewed or taken meanwhile: look again
        await cluster.replace(free)
        return says
    return await give_back(cluster, namespace, name, force=force)
