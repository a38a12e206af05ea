"""Who waits for a lock: one Lease each, in the order in which they came; whoever stops to renew it is passed over.

A queue in the lock's own Lease would be written by all of them at once, and against the holder's renewals. A ticket of
one's own is written by one's own only, and the API server's clock gives the order (to the second; the lock itself
decides between two of one second).
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from types import TracebackType
from typing import Self

from nuages.app.objects import Object
from nuages.errors import Forbidden, Gone, NuagesError, Unreachable
from nuages.kube.client import Cluster
from nuages.release.locks.holder import me
from nuages.release.locks.lease import DURATION, RENEW, Life, Sight, duties, now

LOCK = "nuages.dev/waits-for"
"""The label that names the lock a ticket is for."""


class Place:
    """A place in the queue, once it is taken; `async with`, so that it is given back whatever happens."""

    def __init__(self, cluster: Cluster, namespace: str, lock: str, command: str) -> None:
        """Not in the queue yet."""
        self._cluster, self._namespace, self._lock, self._command = cluster, namespace, lock, command
        self._ticket: Object | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper and self._ticket:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            await asyncio.shield(self._leave(self._ticket))

    async def take(self) -> None:
        """Stand at the end of the queue; once is enough."""
        if self._ticket is None:
            labels = {"app.kubernetes.io/managed-by": "nuages", LOCK: self._lock}
            annotations = {"nuages.dev/command": self._command} if self._command else {}
            name = f"{self._lock}-wait-{uuid.uuid4().hex[:8]}"
            about = {"name": name, "namespace": self._namespace, "labels": labels, "annotations": annotations}
            ticket = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": about}
            try:
                self._ticket = await self._cluster.create({**ticket, "spec": duties(me(), DURATION)})
            except (Gone, Unreachable):
                # Nobody else has this name: where it is there, the answer was lost, or the request sent twice.
                self._ticket = await self._cluster.get("Lease", self._namespace, name)
                if self._ticket is None:
                    raise
            self._keeper = asyncio.create_task(self._keep(self._ticket))

    async def before(self, sight: Sight) -> list[Object]:
        """The tickets of those who came before us and are not known to be dead; of all, while we have none.

        Without the right to list Leases there is no queue: then whoever looks first when the lock is free has it.
        """
        try:
            tickets = (await self._cluster.list("Lease", self._namespace, labels={LOCK: self._lock})).items
        except Forbidden:
            return []
        mine = _order(self._ticket) if self._ticket else None
        ahead = sorted((one for one in tickets if mine is None or _order(one) < mine), key=_order)
        alive = [one for one in ahead if sight.judge(one) is not Life.NONE]
        for dead in [one for one in ahead if one not in alive]:
            await self._leave(dead)
        return alive

    async def _keep(self, ticket: Object) -> None:
        """Say again and again that we still wait."""
        metadata = ticket["metadata"]
        while True:
            await asyncio.sleep(RENEW)
            with contextlib.suppress(NuagesError):
                patch = {"spec": {"renewTime": now()}}
                await self._cluster.patch_merge("Lease", metadata["namespace"], metadata["name"], patch)

    async def _leave(self, ticket: Object) -> None:
        """Take a ticket out of the queue: our own, or that of one who died."""
        metadata = ticket["metadata"]
        with contextlib.suppress(NuagesError):
            await self._cluster.delete("Lease", metadata["namespace"], metadata["name"], uid=metadata["uid"])


def _order(ticket: Object) -> tuple[str, str]:
    return ticket["metadata"]["creationTimestamp"], ticket["metadata"]["name"]
