"""Rules of what happens at its time and of what scales by itself: what Kubernetes or KEDA would refuse, or misread."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator

from nuages.spec.model import Autoscale, EnvironmentSpec
from nuages.spec.units import seconds
from nuages.spec.validate import Mistake

# A Job's name is its CronJob's and eleven characters, and both are labels:
# https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#creating-a-cron-job
LONGEST_CRON_JOB = 52
# The controller looks every ten seconds: what starts no later than that may never start.
SHORTEST_DEADLINE = 10
_NEVER = ": it would never be"

# The five fields, each a number or a name, a range, a step, or several: the names are those of months and days.
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMED: tuple[dict[str, int], ...] = (
    {},
    {},
    {},
    dict(zip(_MONTHS, range(1, 13), strict=True)),
    dict(zip(_WEEKDAYS, range(7), strict=True)),
)
_ONE = re.compile(r"(?:(?P<all>[*?])|(?P<first>[a-z]+|[0-9]+)(?:-(?P<last>[a-z]+|[0-9]+))?)(?:/(?P<step>[0-9]+))?")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_PLACES = ("minute", "hour", "day", "month", "weekday")
_READABLE = 'minute hour day month weekday: "0 3 * * *"'


def broken(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Every rule that is broken."""
    yield from _schedules(spec)
    yield from _backups(spec)
    yield from _scaled(spec)


def _schedules(spec: EnvironmentSpec) -> Iterator[Mistake]:
    for key, schedule in spec.schedules.items():
        at = ("schedules", key)
        if len(name := f"{spec.name}-schedule-{key}") > LONGEST_CRON_JOB:
            message = f"makes {name}, of {len(name)} characters; a CronJob's name has {LONGEST_CRON_JOB}"
            yield Mistake("spec.E230", at, message, "a shorter key", at_key=True)
        why = unreadable(schedule.cron)
        never = why.endswith(_NEVER)
        if why and not (never and schedule.suspended):
            hint = "what runs on demand only is one of jobs, or suspended: true" if never else _READABLE
            yield Mistake("spec.E231", (*at, "cron"), why, hint)
        if not known_zone(schedule.time_zone):
            hint = "a name of the tz database: Europe/Berlin, Etc/UTC"
            yield Mistake("spec.E231", (*at, "timeZone"), f'no time zone "{schedule.time_zone}"', hint)
        # Waits between retries double from 10 s (https://kubernetes.io/docs/concepts/workloads/controllers/job/).
        waits = sum(min(360, 10 * 2**attempt) for attempt in range(schedule.retries))
        if 0 < seconds(schedule.timeout) < waits:
            message = f"{schedule.retries} of them wait {waits} s between them, and all ends after {schedule.timeout}"
            hint = f"fewer, or timeout: {-(-waits // 60) + 1}m and what the command takes"
            yield Mistake("spec.W270", (*at, "retries"), message, hint)
        if 0 < seconds(schedule.starting_deadline) < SHORTEST_DEADLINE:
            message = f"{schedule.starting_deadline} is shorter than the cluster takes to look: it might never start"
            yield Mistake("spec.E231", (*at, "startingDeadline"), message, f"{SHORTEST_DEADLINE}s or more")


def _backups(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Those that would never be made: a CronJob of that time is refused, and an operator says so to nobody."""
    if (postgres := spec.services.postgres) is None:
        return
    for way, declared in (("run", postgres.run), ("cloudnativepg", postgres.cloudnativepg)):
        if declared and declared.backup and (why := unreadable(declared.backup.cron)):
            yield Mistake("spec.E231", ("services", "postgres", way, "backup", "cron"), why, _READABLE)


def unreadable(cron: str) -> str:
    """What is wrong with a cron expression; "" where Kubernetes takes it (robfig/cron, the standard parser)."""
    if cron.startswith("@"):
        return ""
    found: list[set[int]] = []
    for field, place, limits, names in zip(cron.split(), _PLACES, _RANGES, _NAMED, strict=True):
        times: set[int] = set()
        for part in field.split(","):
            one = _times(part, place, limits, names)
            if isinstance(one, str):
                return one
            times |= one
        found.append(times)
    _, _, days, months, _ = found
    if cron.rsplit(maxsplit=1)[-1] in ("*", "?") and not any(min(days) <= _DAYS[month - 1] for month in months):
        return f"no month of these has a day {min(days)}{_NEVER}"
    return ""


def _times(part: str, place: str, limits: tuple[int, int], names: dict[str, int]) -> set[int] | str:
    """When one part of a field is; or what is wrong with it."""
    least, most = limits
    said = _ONE.fullmatch(part.lower())
    words = [one for one in (said["first"], said["last"]) if one] if said else []
    if said is None or any(not one.isdecimal() and one not in names for one in words):
        return f'"{part}" is no {place}'
    ends = [names[one] if one in names else int(one) for one in words] or [least, most]
    if outside := [number for number in ends if not least <= number <= most]:
        return f"{place} {outside[0]} is not within {least}-{most}"
    if ends[0] > ends[-1]:
        return f"{place} {part} ends before it begins"
    step = int(said["step"] or 1)
    if step == 0:
        return f"{place} {part} steps by nothing"
    last = most if said["step"] and not said["last"] else ends[-1]
    if step > most - least + 1:
        return f"{place} {part} is {ends[0]} only: it steps over all others"
    return set(range(ends[0], last + 1, step))


def known_zone(name: str) -> bool:
    """Whether there is a time zone of that name; where this machine has no list of them, whether it may be one."""
    # What some systems have beside, the cluster's own list has not.
    if not re.match(r"^[A-Za-z]\w*([/+-][A-Za-z0-9_+-]+)*$", name) or name in ("localtime", "Local"):
        return False
    if name.startswith(("posix/", "right/")):
        return False
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError):
        return not zoneinfo.available_timezones()
    return True


def _scaled(spec: EnvironmentSpec) -> Iterator[Mistake]:
    for key, web in spec.web.items():
        if (scale := web.autoscale) is None:
            continue
        at = ("web", key, "autoscale")
        yield from _bounds(at, scale)
        if scale.queue_length is not None:
            hint = "cpu, memory or requestsPerSecond"
            yield Mistake("spec.E233", (*at, "queueLength"), "a web has no queue", hint, at_key=True)
        if scale.requests_per_second is not None and (web.command or not spec.observability.metrics):
            message = "means nothing with a command, which counts no requests" if web.command else "needs metrics"
            hint = "cpu" if web.command else "observability: {metrics: true}"
            yield Mistake("spec.E233", (*at, "requestsPerSecond"), message, hint, at_key=True)
    for key, worker in spec.workers.items():
        if (scale := worker.autoscale) is None:
            continue
        at = ("workers", key, "autoscale")
        yield from _bounds(at, scale)
        if scale.requests_per_second is not None:
            hint = "queueLength, cpu or memory"
            yield Mistake("spec.E233", (*at, "requestsPerSecond"), "nobody sends it requests", hint, at_key=True)
        if scale.queue_length is not None and worker.celery is None:
            message = "only of a Celery worker it is known where its queue is"
            yield Mistake("spec.E233", (*at, "queueLength"), message, "cpu or memory", at_key=True)


def _bounds(at: tuple[str, ...], scale: Autoscale) -> Iterator[Mistake]:
    if scale.min > scale.max:
        yield Mistake("spec.E232", (*at, "min"), f"is more than max, {scale.max}", "min: 1")
    if scale.min == 0 and scale.queue_length is None:
        message = "of none nothing can be measured, so it would never start again"
        yield Mistake("spec.E232", (*at, "min"), message, "min: 1; a worker with queueLength may be at rest")
    if all(one is None for one in (scale.cpu, scale.memory, scale.requests_per_second, scale.queue_length)):
        yield Mistake("spec.E232", at, "says not by what", "cpu: 70")
