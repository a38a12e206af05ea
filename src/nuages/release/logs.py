"""What an app's containers print, merged in the order of time; followed through restarts and rollouts.

No line is lost and none repeated: where a connection ends, the next one begins at the time of the last line seen, and
leaves out what was seen of that very moment. The API counts `sinceTime` in whole seconds
(https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime

from nuages.errors import Gone, Rejected, Unreachable
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.release import printed
from nuages.release.printed import Line, Read, Source, Wanted, sources

AT_ONCE = 10
"""Logs that are read side by side."""

GATHERED = 0.2
"""Seconds that a line waits for earlier ones of other pods."""

AWAY = 2.0
"""Seconds until a log is asked for again whose connection was lost; a kubelet tells sooner that a container ended."""


async def past(
    wanted: list[Source], cluster: Cluster, *, tail: int | None, since: str | None, previous: bool
) -> tuple[list[Line], dict[Source, Read]]:
    """What was printed so far, in the order of time; and how far each source was read.

    Args:
        wanted: whose logs.
        cluster: which one.
        tail: at most so many lines, the last ones; None for all.
        since: only those of the last so long: 10m.
        previous: of the run before, where a container was started again.
    """
    asked = printed.parameters(tail=tail, since=since, previous=previous)
    few = asyncio.Semaphore(AT_ONCE)

    async def one(source: Source) -> list[Line]:
        found: list[Line] = []
        async with few:
            with contextlib.suppress(Rejected, Gone):  # it has not started yet, was not started before, or is gone
                async for lines in cluster.log_lines(source.namespace, source.pod, source.container, **asked):
                    found += [Line(time, source, text) for time, text in lines if printed.by_container(time)]
        return found

    asked_at = datetime.now(UTC).isoformat()
    read = await asyncio.gather(*(one(source) for source in wanted))
    # Of one that printed nothing for so long, what is older must not come up when it is followed.
    silent = Read(asked_at) if since else Read()
    seen = {source: printed.progress(lines, silent) for source, lines in zip(wanted, read, strict=True)}
    return printed.merged(read, tail), seen


async def follow(
    wanted: Wanted, seen: dict[Source, Read], cluster: Cluster, mirror: Mirror, show: Callable[[list[Line]], None]
) -> None:
    """Show what is printed from now on, by the pods that are there and those to come, until cancelled.

    Args:
        wanted: which sources.
        seen: how far each was read; one that is not named is read from its beginning.
        cluster: which one.
        mirror: holds the pods.
        show: is given some lines at a time, in the order of time.

    Raises:
        ClusterError: a final one, such as a right that is missing.
    """
    merged = Merged()
    try:
        async with asyncio.TaskGroup() as group:
            readers: set[Source] = set()
            while True:
                for source in sources(mirror.items("Pod"), wanted):
                    if source not in readers:
                        readers.add(source)
                        reader = _Reader(source, seen.get(source, Read()), cluster, mirror, merged.take)
                        group.create_task(reader.read())
                await asyncio.sleep(GATHERED / 2)
                if ready := merged.ready():
                    show(ready)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


class Merged:
    """Lines of several logs as they arrive, given out in the order of time: each waits a turn for earlier ones."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._arrived: list[Line] = []
        self._waiting: list[Line] = []
        self.take = self._arrived.append

    def ready(self) -> list[Line]:
        """The lines that waited for one turn, and all that came meanwhile and are older than those."""
        newest = self._waiting[-1].time if self._waiting else ""
        ready = sorted([*self._waiting, *(line for line in self._arrived if line.time <= newest)])
        self._waiting = sorted(line for line in self._arrived if line.time > newest)
        self._arrived.clear()
        return ready


class _Reader:
    """Reads one container's log through all its runs.

    The kubelet answers with the run that is there when it is asked, which may be the next one while the pod's status
    still tells of this one. So it is noted where each answer began: when a restart shows, what the run before printed
    and no answer brought is read from the log that the kubelet keeps of it.
    """

    def __init__(
        self, source: Source, seen: Read, cluster: Cluster, mirror: Mirror, take: Callable[[Line], None]
    ) -> None:
        self._source = source
        self._seen = self._before = seen
        self._first = ""  # the time of the first line that the latest answer brought
        self._cluster = cluster
        self._mirror = mirror
        self._take = take
        self._runs = 0
        self._runs = self._restarts()

    async def read(self) -> None:
        """Read until its pod is gone, or will run nothing more."""
        while True:
            ended = self._ended()
            try:
                if (now := self._restarts()) > self._runs:
                    await self._missed()
                    self._runs = now
                self._before, self._first = self._seen, ""
                await (self._on() if ended else self._until_restarted())
            except Gone:
                return
            except Rejected:  # it has not started yet
                await self._mirror.changed(AWAY)
                continue
            if ended:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AWAY):
                    await self._changed()

    async def _until_restarted(self) -> None:
        """Follow the log to its end, or until the status tells of another run."""
        following, changed = asyncio.ensure_future(self._on(follow="true")), asyncio.ensure_future(self._changed())
        try:
            await asyncio.wait({following, changed}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
        finally:
            for task in (following, changed):
                task.cancel()
            await asyncio.gather(following, changed, return_exceptions=True)

    async def _on(self, **wanted: str) -> None:
        """Read on from what was seen."""
        start, skip = self._seen.time, self._seen.lines
        with contextlib.suppress(Unreachable):
            async for lines in self._answer(start, **wanted):
                for time, text in lines:
                    if time < start or not printed.by_container(time):
                        continue
                    if time == start and skip:
                        skip -= 1
                        continue
                    self._first = self._first or time
                    self._seen = self._seen.after(time)
                    self._take(Line(time, self._source, text))

    async def _missed(self) -> None:
        """Take what the run before printed and no answer brought."""
        begun, skip, until = self._before.time, self._before.lines, self._first
        kept = []
        with contextlib.suppress(Unreachable, Rejected):
            async for lines in self._answer(begun, previous="true"):
                kept += [line for line in lines if line[0] >= begun and printed.by_container(line[0])]
        if until and any(time == until for time, _ in kept):
            begun, skip, until = self._seen.time, self._seen.lines, ""  # the answer was the run before itself
        for time, text in kept:
            if time < begun or (until and time >= until):
                continue
            if time == begun and skip:
                skip -= 1
                continue
            if not until:
                self._seen = self._seen.after(time)
            self._take(Line(time, self._source, text))

    def _answer(self, start: str, **wanted: str) -> AsyncIterator[Sequence[tuple[str, str]]]:
        source = self._source
        since = {"sinceTime": f"{start[:19]}Z"} if start else {}
        return self._cluster.log_lines(source.namespace, source.pod, source.container, **since, **wanted)

    async def _changed(self) -> None:
        """Wait until the status tells of another run, or of the end."""
        while self._restarts() == self._runs and not self._ended():
            await self._mirror.changed()

    def _restarts(self) -> int:
        pod = self._mirror.get("Pod", self._source.pod) or {}
        found = [
            one for one in pod.get("status", {}).get("containerStatuses", ()) if one["name"] == self._source.container
        ]
        return int(found[0]["restartCount"]) if found else self._runs

    def _ended(self) -> bool:
        """Whether its pod is gone, or has ended for good."""
        pod = self._mirror.get("Pod", self._source.pod)
        return (
            pod is None
            or pod["metadata"]["uid"] != self._source.uid
            or pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}
        )
