"""The screen of `nuages status`: what serves, the parts, where it answers, what is wrong, what to do next. Pure.

Every mark is a sign and no colour alone; a line is as wide as it must be, and whoever draws it live cuts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from nuages.cli.wording import harmless
from nuages.release.seen import Hold, Status
from nuages.release.usage import Usage, cpu, memory

if TYPE_CHECKING:
    from nuages.cli.wording import Paint

Row = tuple[str, str, str]
"""A mark, a name, and what is said of it."""

NAME = 24  # columns of a name, or as many as the longest needs
OWN = ("web", "worker", "beat", "frontend", "static")
_MARKS = {"✓": "green", "✗": "red", "…": "yellow"}


def lines(status: Status, now: datetime | None, style: Paint) -> list[str]:
    """The screen; without a time only what does not change by itself: no ages, and nothing of what is used."""
    rows = [*_parts(status, used=now is not None and status.metered), *_others(status, now)]
    width = max([NAME, *(len(name) for _, name, _ in rows)])
    return [
        *_head(status, now, style),
        *(f"{style(mark, _MARKS[mark])} {name:<{width}} {text}".rstrip() for mark, name, text in rows),
        *(f"  {url}" for url in status.addresses),
        *_foot(status, style),
    ]


def _parts(status: Status, *, used: bool) -> Iterator[Row]:
    """What runs; the app's own parts come first, then its data stores."""
    wrong = {problem.name for problem in status.problems}
    for part in sorted(status.components, key=lambda each: each.component not in OWN):
        well = part.ready == part.wanted and part.name not in wrong
        restarts = {0: "", 1: "  1 restart"}.get(part.restarts, f"  {part.restarts} restarts")
        text = "asleep" if part.wanted == 0 else f"{part.ready}/{part.wanted} ready{restarts}"
        if used and part.wanted:
            text = f"{text:<11}  {usage(part.usage)}"
        mark = "✗" if part.name in wrong else "✓" if well else "…"
        yield mark, part.name, text if well else f"{text}  {part.state}"


def _others(status: Status, now: datetime | None) -> Iterator[Row]:
    """What runs by the clock, what ran once and is of interest still, and what browsers are shown."""
    for each in status.schedules:
        mark = {"failed": "✗", "running": "…"}.get(each.last, "✓")
        off = "  suspended" if each.suspended else ""
        yield mark, each.name, f"{each.cron}  {_run(each.last, each.began, now)}{off}"
    for job in status.jobs:
        done = job.state == "complete"
        if not done or _recent(job.began, now):
            yield "✗" if job.failed else "✓" if done else "…", job.name, f"{job.state} {_ago(job.began, now)}".rstrip()
    for one in status.certificates:
        yield "✗" if one.problem else "✓" if one.until else "…", one.secret, _until(one.until, one.problem)


def _head(status: Status, now: datetime | None, style: Paint) -> list[str]:
    serving = f"release {status.release}" if status.release else "no release live yet"
    since = f", live for {_for(status.since, now)}" if status.since and now else ""
    found = [f"{style(status.app, 'bold')}  {serving}{since}  in {status.namespace} ({status.context})"]
    if status.latest:
        where = f" in {status.phase}" if status.phase else ""
        found.append(f"release {status.latest} {status.latest_outcome}{where}")
    if status.waits:
        found += [f"… waits: {status.waits}", *_typed([f"  {status.hint}"] if status.hint else [], status)]
    if status.latest_outcome == "running" and not status.waits and not status.lock:
        found += _typed([f"… nobody is at it; {status.hint or 'nuages deploy goes on with it'}"], status)
    if status.lock:
        found.append(_held(status.lock))
    if status.maintenance:
        since = status.maintenance[:16].replace("T", " ")
        found += _typed([f"… a page is in front since {since}; nuages maintenance off ends it"], status)
    return found


def _held(lock: Hold) -> str:
    what = ": ".join(filter(None, [lock.command, lock.message]))
    does = "locked it" if lock.by_hand else "is at work"
    return harmless(f"… {lock.who} {does}, since {lock.since}" + (f"  {what}" if what else ""))


def usage(used: Usage) -> str:
    """`cpu 12m of 300m  memory 180Mi of 768Mi`."""
    return "  ".join(
        f"{name} {share(amount, asked, write)}"
        for name, amount, asked, write in (
            ("cpu", used.cpu, used.cpu_request, cpu),
            ("memory", used.memory, used.memory_request, memory),
        )
    )


def share(amount: int | None, asked: int | None, write: Callable[[int], str]) -> str:
    """`12m of 300m`; a question mark for what nothing measures."""
    told = "?" if amount is None else write(amount)
    return f"{told} of {write(asked)}" if asked else told


def _foot(status: Status, style: Paint) -> list[str]:
    found = []
    for problem in status.problems:
        found += [f"{style('✗', 'red')} {problem.name}: {harmless(problem.summary)}"]
        found += [f"    {harmless(line)}" for line in problem.detail.splitlines()]
        if problem.hint:
            found += _typed([f"  {style('hint', 'bold')}  {harmless(problem.hint)}"], status)
    hints = {problem.hint for problem in status.problems} | {status.hint}
    if status.next and status.next not in hints and not status.waits:
        found += _typed([f"{style('next', 'bold')}  {status.next}"], status)
    return found


def _typed(lines: list[str], status: Status) -> list[str]:
    """With commands as they are to be typed, for this environment."""
    if status.environment == "local" or not any("nuages " in line for line in lines):
        return lines
    from nuages.cli.hinted import hinted

    return [hinted(line, status.environment) for line in lines]


def _run(last: str, began: str | None, now: datetime | None) -> str:
    return "has not run yet" if last == "never" else f"{last} {_ago(began, now)}".rstrip()


def _until(until: str | None, problem: str) -> str:
    said = f"certificate until {until[:10]}" if until else "certificate: its end is not known"
    return f"{said}  {problem}".rstrip()


def _recent(began: str | None, now: datetime | None) -> bool:
    """Whether it is of the last hour."""
    return began is None or now is None or (now - _moment(began)).total_seconds() < 3600


def _ago(moment: str | None, now: datetime | None) -> str:
    if not moment:
        return ""
    return f"{_for(moment, now)} ago" if now else f"since {moment}"


def _for(moment: str, now: datetime) -> str:
    """How long ago, in one number: 40 s, 5 min, 3 h, 12 days."""
    seconds = max(int((now - _moment(moment)).total_seconds()), 0)
    for size, unit in ((2 * 86400, "days"), (2 * 3600, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds // {'days': 86400, 'h': 3600, 'min': 60}[unit]} {unit}"
    return f"{seconds} s"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
