"""A live local view of some kinds of one namespace: the reader sees states, never events.

Each kind is listed once and then followed; a lost connection, a restarted API server or a version too old to go on from
(410) only makes the view late for a moment. Several changes may become one; the last state is always seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from nuages.app.objects import Object
from nuages.errors import ClusterError, Gone, Unreachable
from nuages.kube.client import Cluster, ObjectList, Selector
from nuages.kube.failures import Expired

_LONGEST_PAUSE = 5.0  # seconds between attempts to reach an API server that went away


class Mirror:
    """Keeps the objects of several kinds at hand; `async with Mirror(...) as mirror` enters when all are listed.

    The loop of a reader, in which no change is lost:

        while True:
            seen = mirror.version
            ...look at mirror.get() and mirror.items()...
            await mirror.changed(timeout, since=seen)
    """

    def __init__(
        self, cluster: Cluster, namespace: str | None, kinds: Sequence[str], labels: Selector | None = None
    ) -> None:
        """Prepare a view of `kinds` in a namespace (None: in all, or kinds that have none), where `labels` match."""
        self.version = 0
        self.unreachable: Unreachable | None = None
        self._cluster = cluster
        self._namespace = namespace
        self._labels = labels
        self._objects: dict[str, dict[tuple[str, str], Object]] = {kind: {} for kind in kinds}
        self._final: ClusterError | None = None
        self._changed = asyncio.Condition()
        self._followers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """List every kind.

        Raises:
            ClusterError: of the first list; later, unreachability is waited out and told in `unreachable`.
        """
        try:
            async with asyncio.TaskGroup() as group:
                lists = {kind: group.create_task(self._list(kind)) for kind in self._objects}
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        for kind, listed in lists.items():
            self._replace(kind, listed.result())
            follower = self._follow(kind, listed.result().resource_version)
            self._followers.append(asyncio.create_task(follower, name=f"watch {kind}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for follower in self._followers:
            follower.cancel()
        await asyncio.gather(*self._followers, return_exceptions=True)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The object of that name as last seen; None where there is none."""
        return self._objects[kind].get((namespace or self._namespace or "", name))

    def items(self, kind: str) -> list[Object]:
        """All objects of a kind as last seen, ordered by name."""
        return [found for _, found in sorted(self._objects[kind].items())]

    def saw(self, item: Object) -> None:
        """Take what a write answered, so that the reader never sees a state older than its own writes."""
        if item["kind"] in self._objects and _newer(item, self._objects[item["kind"]].get(_key(item))):
            self._objects[item["kind"]][_key(item)] = item

    async def changed(self, timeout: float | None = None, *, since: int | None = None) -> bool:  # noqa: ASYNC109
        """Wait until the view is newer than version `since` (by default than now); False when the time is over first.

        Raises:
            ClusterError: the view cannot be kept fresh any more (a right was taken away).
        """
        looked_at = self.version if since is None else since
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(lambda: self.version > looked_at or self._final)
        except TimeoutError:
            return False
        if self._final:
            raise self._final
        return True

    async def _follow(self, kind: str, version: str) -> None:
        """Keep one kind fresh until cancelled or refused for good."""
        pause = 0.0
        while True:
            try:
                if not version:
                    listed = await self._list(kind)
                    self._replace(kind, listed)
                    version = listed.resource_version
                    pause, self.unreachable = 0.0, None
                    await self._tell()
                async with contextlib.aclosing(
                    self._cluster.watch(kind, self._namespace, self._labels, version)
                ) as events:
                    async for event in events:
                        version = event.object["metadata"]["resourceVersion"]
                        if event.type != "BOOKMARK":
                            self._put(kind, event.object, gone=event.type == "DELETED")
                            await self._tell()
            except Expired:
                version = ""
            except Gone:
                # No server says this to a list or a watch; what lies in between may. It passes, or is told otherwise.
                version, pause = "", min(max(2 * pause, 0.2), _LONGEST_PAUSE)
                await asyncio.sleep(pause)
            except Unreachable as problem:
                version, self.unreachable = "", problem
                await self._tell()
                pause = min(max(2 * pause, 0.2), _LONGEST_PAUSE)
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads the return of many
            except ClusterError as final:
                self._final = final
                await self._tell()
                return

    async def _list(self, kind: str) -> ObjectList:
        return await self._cluster.list(kind, self._namespace, self._labels)

    def _replace(self, kind: str, listed: ObjectList) -> None:
        """Take a whole list; what was written while it was on its way stays."""
        known, fresh = self._objects[kind], {_key(item): item for item in listed.items}
        later = {key: item for key, item in known.items() if _version(item) > int(listed.resource_version)}
        self._objects[kind] = fresh | later

    def _put(self, kind: str, item: Object, *, gone: bool) -> None:
        if not _newer(item, self._objects[kind].get(_key(item))):
            return
        if gone:
            self._objects[kind].pop(_key(item), None)
        else:
            self._objects[kind][_key(item)] = item

    async def _tell(self) -> None:
        async with self._changed:
            self.version += 1
            self._changed.notify_all()


def _newer(item: Object, known: Object | None) -> bool:
    """Whether this is a later state of the object than the one at hand.

    Versions of one kind are numbers that grow: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
    """
    return known is None or _version(item) >= _version(known)


def _version(item: Object) -> int:
    return int(item["metadata"]["resourceVersion"])


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
