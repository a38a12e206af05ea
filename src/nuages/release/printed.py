"""Lines that containers print: whose they are, which are asked for, and their order. Pure, and quick to import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nuages.app.objects import Object
from nuages.kube.stamped import stamped
from nuages.release.named import Chosen
from nuages.render.labels import COMPONENT, KEY


class Source(NamedTuple):
    """One container of one pod."""

    namespace: str
    pod: str
    uid: str
    container: str
    component: str
    key: str
    release: str
    """The release that its pod shows; empty where it shows none."""

    @property
    def short(self) -> str:
        """`web-main-vzxqw`: what tells it from the app's other pods."""
        unique = self.pod.rpartition("-")[2]
        return "-".join(part for part in (self.component, self.key, unique) if part)


class Line(NamedTuple):
    """One line; lines compare as they were printed."""

    time: str
    """RFC 3339 with nanoseconds, as the container runtime wrote it."""
    source: Source
    text: str


class Read(NamedTuple):
    """How far a source was read: the last line's time, and how many lines of that time."""

    time: str = ""
    lines: int = 0

    def after(self, line_time: str) -> Read:
        """One line further."""
        return Read(line_time, self.lines + 1 if line_time == self.time else 1)


Wanted = Callable[[Source], bool]


def sources(pods: list[Object], wanted: Wanted) -> list[Source]:
    """The containers of some pods, as far as they are wanted."""
    return [
        source for pod in pods for container in pod["spec"]["containers"] if wanted(source := _source(pod, container))
    ]


def _source(pod: Object, container: Object) -> Source:
    labels = pod["metadata"].get("labels", {})
    said = {variable["name"]: variable.get("value", "") for variable in container.get("env", ())}
    return Source(
        namespace=pod["metadata"]["namespace"],
        pod=pod["metadata"]["name"],
        uid=pod["metadata"]["uid"],
        container=container["name"],
        component=labels.get(COMPONENT, ""),
        key=labels.get(KEY, ""),
        release=said.get("NUAGES_RELEASE", ""),
    )


def of_release(chosen: Chosen, release: int | None) -> Wanted:
    """The containers of pods that are meant; of one release only, where one is said."""

    def wanted(source: Source) -> bool:
        return chosen(source.component, source.key, source.pod) and (release is None or source.release == str(release))

    return wanted


def parameters(*, tail: int | None, since: str | None, previous: bool) -> dict[str, str]:
    """What the API is asked for: the last `tail` lines, those of the last `since` (10m), the run before."""
    if since:
        from nuages.spec.units import seconds  # noqa: PLC0415 - decimal is slow to import

        since = str(round(seconds(since)))
    return {
        **({"tailLines": str(tail)} if tail is not None else {}),
        **({"sinceSeconds": since} if since else {}),
        **({"previous": "true"} if previous else {}),
    }


def lines_of(source: Source, text: bytes) -> list[Line]:
    """A whole log, as the API tells it with its times."""
    found = (stamped(line) for line in text.split(b"\n") if line)
    return [Line(time, source, text) for time, text in found if by_container(time)]


def merged(read: Sequence[list[Line]], tail: int | None) -> list[Line]:
    """Lines of several logs in the order of time; at most so many, the last ones."""
    found = sorted(line for lines in read for line in lines)
    return found if tail is None else found[len(found) - min(tail, len(found)) :]


def progress(lines: list[Line], silent: Read) -> Read:
    """How far a log was read; `silent` where nothing of it came."""
    last = lines[-1].time if lines else ""
    return Read(last, sum(line.time == last for line in lines)) if lines else silent


def by_container(time: str) -> bool:
    """Whether a line was printed by the container: the kubelet's own "unable to retrieve container logs" has no time,
    and comes with status 200.
    """
    return time[:4].isdigit()
