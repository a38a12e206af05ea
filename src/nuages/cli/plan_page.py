"""A plan as a page: what a developer who never saw Kubernetes understands, and nobody who knows it misses. Pure.

In a terminal lines are folded to its width; in a pipe each is as long as it is.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable

from nuages.cli.console import duration
from nuages.cli.hinted import hinted
from nuages.cli.plan_words import KINDS, WHEN, digest, drifted, locks, short, summary, value
from nuages.findings import Level
from nuages.release.plan.rolls import NUMBERS
from nuages.release.plan.shape import Action, Change, Field, Operation, Pending, Plan

Paint = Callable[[str, str], str]

MARKS = {
    Action.CREATE: ("+", "green"),
    Action.UPDATE: ("~", "yellow"),
    Action.REMOVE: ("-", "red"),
    Action.KEEP: ("=", "dim"),
    Action.BLOCKED: ("✗", "red"),
}
STYLES = {"expand": "green", "contract": "yellow", "backfill": "green", "state": "dim", "unsafe": "red"}
BACK = {
    "safe": ("safe:", "its code works with the database as it will be", "green"),
    "degraded": ("degraded:", "its code works with the database as it will be, but for this", "yellow"),
    "unknown": ("unknown:", "nobody can say whether its code works with the database as it will be", "yellow"),
    "undo": ("not as it is:", "migrations would have to be undone first", "red"),
    "refused": ("not possible:", "its code can't work with the database as it will be", "red"),
}
ENDS = {
    "next-release": "until the release after it does what this one holds back:",
    "after-rollout": "until it does, after its rollout, what it holds back:",
    "manual": "until nuages contract does what is held back:",
}
HELD = {
    "backfill": "done after the rollout",
    "next-release": "done first, as far as no code needs it any more",
    "after-rollout": "done first, as far as no code needs it any more",
    "manual": "waits for nuages contract",
}
MANNERS = {
    "canary": "as a canary: some requests first, beside the release that serves",
    "blue-green": "blue-green: all pods beside the old ones, then all requests at once",
    "maintenance": "with a page in between, while nothing runs and migrations do",
}
UNASKED = "release.W367"
"""What is told with the migrations already."""

NAMES = 26
"""Columns of a field's name, before its value."""

_CONFIG, _SECRET = (re.compile(rf'"{kind}":{{"name":"([^"]*)"') for kind in ("configMapRef", "secretRef"))


def lines(plan: Plan, width: int | None, paint: Paint) -> list[str]:
    """The whole plan; `width`: of the terminal, None for a pipe; `paint(text, style)` colours where there is colour."""
    page = _Page(width, paint)
    page.head(plan)
    page.objects(plan)
    page.drift(plan)
    page.migrations(plan)
    page.rolls(plan)
    page.budget(plan)
    page.tasks(plan)
    page.back(plan)
    page.findings(plan)
    page.end(plan)
    return page.lines


class _Page:
    """Lines as they come, in sections with a title."""

    def __init__(self, width: int | None, paint: Paint) -> None:
        self.lines: list[str] = []
        self._width = max(width, 40) if width else None
        self._paint = paint

    def head(self, plan: Plan) -> None:
        self._say(f"Release {plan.release} of {plan.app} in {plan.environment}, as it would be", style="bold")
        self._say(f"namespace {plan.namespace} of cluster {plan.cluster}", 2)
        if plan.manner:
            self._say(MANNERS[plan.manner], 2)
        image = f"image {digest(plan.image)}"
        if plan.serving_image is None:
            self._say(f"nothing serves yet; {image}", 2)
        elif plan.serving_image == plan.image:
            self._say(f"release {plan.serving} serves; {image}, as now", 2)
        else:
            self._say(f"release {plan.serving} serves; image {digest(plan.serving_image)} → {digest(plan.image)}", 2)

    def objects(self, plan: Plan) -> None:
        if plan.objects:
            self._title("What changes in the cluster")
        for change in plan.objects:
            self._change(change, plan)

    def drift(self, plan: Plan) -> None:
        if plan.drift:
            self._title("What somebody changed by hand")
        for one in plan.drift:
            self._say(f"{one.kind} {one.name}  {drifted(one)}", 2, 6, mark=("!", "yellow"))

    def migrations(self, plan: Plan) -> None:
        told = plan.migrations
        if not told.known:
            self._title("Migrations")
            self._say(f"not known: {told.why_not}", 2, 4, mark=("!", "yellow"))
            self._say(hinted(next((one.hint for one in plan.findings if one.id == UNASKED), ""), plan.environment), 4)
        elif plan.serving is None and not told.databases:
            self._title("Migrations")
            self._say("all that the image has: there is no database yet", 2)
        for one in told.databases:
            if one.migrations or one.held:
                self._database(one, plan, several=len(told.databases) > 1)

    def rolls(self, plan: Plan) -> None:
        if not plan.rolls:
            return
        self._title("What starts anew")
        for roll in plan.rolls:
            pods = "1 pod" if roll.pods == 1 else f"{roll.pods} pods"
            self._say(f"{roll.name:<{NAMES}}  {pods}: {', '.join(roll.why) or 'its template'}", 2, NAMES + 4)
        if plan.took and plan.serving:
            each = ", ".join(f"{one.phase} {duration(one.seconds)}" for one in plan.took if one.seconds >= 1)
            total = duration(sum(one.seconds for one in plan.took))
            self._say(f"about {total}, as the last time" + (f": {each}" if each else ""), 2)

    def budget(self, plan: Plan) -> None:
        if (needed := plan.connections) is None:
            return
        self._title("Database connections")
        of = f" of {needed.available}" if needed.available else ""
        parts = " + ".join(f"{part.connections} {part.name}" for part in needed.parts)
        self._say(f"{needed.wanted}{of} at worst, while old and new pods run", 2)
        self._say(f"{parts} + {needed.beside} for migrations and maintenance", 2)

    def tasks(self, plan: Plan) -> None:
        if plan.tasks.added:
            self._title("New tasks")
            self._say(", ".join(plan.tasks.added), 2)

    def back(self, plan: Plan) -> None:
        if (verdict := plan.back) is None:
            return
        self._title(f"Going back to release {verdict.to}, once this one is live")
        says, said, style = BACK[verdict.says]
        self._say(said, 2, 4, mark=(says, style))
        for reason in verdict.reasons:
            self._say(f"· {reason}", 4, 6)
        if verdict.undo:
            self._say(f"nuages rollback {verdict.to} --undo would undo {', '.join(verdict.undo)}", 2, 4)
        for loss in verdict.losses:
            self._say(f"· and with it goes what was written into {loss} since", 4, 6)
        if verdict.ends:
            self._say(ENDS[plan.migrations.contract], 2)
        for held in verdict.ends:
            self._say(f"· {held}", 4, 6)

    def findings(self, plan: Plan) -> None:
        told = [one for one in plan.findings if one.id != UNASKED and one.level is not Level.INFO]
        if told:
            self._title("To know before")
        for one in sorted(told, key=lambda one: one.level is not Level.ERROR):
            mark = ("✗", "red") if one.level is Level.ERROR else ("!", "yellow")
            self._say(f"{one.place}: {one.message}  {one.id}".removeprefix(": "), 2, 4, mark=mark)
            if one.hint:
                self._say(hinted(one.hint, plan.environment), 4)

    def end(self, plan: Plan) -> None:
        self.lines.append("")
        wrong = sum(one.level is Level.ERROR for one in plan.findings)
        if wrong:
            which = "what is marked" if wrong > 1 else "the one thing that is marked"
            self._say(f"A deploy would be refused: mend {which} ✗ above. Nothing was touched.", style="red")
        elif plan.changes:
            self._say(f"{summary(plan)} Nothing was touched.")
        elif plan.migrations.known:
            self._say("Nothing would change.")
        else:
            self._say("No object would change; whether a migration is pending is not known.")

    def _change(self, change: Change, plan: Plan) -> None:
        name = change.name.rpartition("-")[0] if change.replaces else change.name
        about = change.note or (KINDS.get(change.kind, "") if change.action is not Action.UPDATE else "")
        about = about or ("other values, under another name" if change.replaces else "")
        self._say(f"{change.kind} {name}" + (f"  ({about})" if about else ""), 2, 6, mark=MARKS[change.action])
        for field in change.fields:
            self._field(field, plan)

    def _field(self, field: Field, plan: Plan) -> None:
        name = short(field.path)
        if name in NUMBERS:
            return
        if field.path.endswith(".envFrom"):
            self._sources(field, plan)
            return
        before, after = value(field.before), value(field.after)
        if before == after:
            self._say(f"{name:<{NAMES}}  another value, hidden", 6, NAMES + 8)
        elif field.before is None or field.after is None:
            mark = ("+", "green") if field.before is None else ("-", "red")
            self._say(f"{name} = {after or before}", 6, NAMES + 8, mark=mark)
        elif self._width and NAMES + 8 + len(before) + len(after) + 3 > self._width:
            self._say(name, 6)
            self._say(before, 8, 10, mark=("-", "red"))
            self._say(after, 8, 10, mark=("+", "green"))
        else:
            self._say(f"{name:<{NAMES}}  {before} → {after}", 6)

    def _sources(self, field: Field, plan: Plan) -> None:
        """Whole sets of variables, which are known by a hash: what is in them is told where they are."""
        before, after = field.before or "", field.after or ""
        if _CONFIG.findall(before) != _CONFIG.findall(after):
            self._say(f"{'configuration':<{NAMES}}  the new one", 6)
        if _SECRET.findall(before) != _SECRET.findall(after):
            named = ", ".join(plan.secrets)
            self._say(f"{'secrets':<{NAMES}}  " + (f"{named}: another value, hidden" if named else "another set"), 6)

    def _database(self, found: Pending, plan: Plan, *, several: bool) -> None:
        which = f" of database {found.database}" if several else ""
        self._title(f"Migrations{which}, in this order")
        for held in found.held:
            since = f"release {held.release}" if held.release else "an earlier release"
            then = HELD.get(held.kind, HELD[plan.migrations.contract])
            said = f"{held.migration}: held back by {since}, {then}"
            self._say(said, 2, 11, mark=(f"{held.kind:<8}", STYLES.get(held.kind, "green")))
            self._say(held.sql, 11, 13, style="dim")
        for one in found.migrations:
            self._say(one.name, 2)
            for operation in one.operations:
                self._operation(operation, running=plan.serving is not None)

    def _operation(self, one: Operation, *, running: bool) -> None:
        self._say(one.text, 4, 14, mark=(f"{one.kind:<8}", STYLES.get(one.kind, "green")))
        if why := one.why or (WHEN.get(one.kind, "") if running else ""):
            self._say(why, 13)
        for statement in one.statements:
            when = "later: " if statement.later else ""
            self._say(when + " ".join(statement.sql.split()), 13, 15, style="dim")
            for held in locks(statement):
                self._say(held, 15, 17)
        if one.safer and one.kind != "contract":  # there it says only that nothing is to be done
            self._say(f"safer: {one.safer}", 13, 15)

    def _title(self, text: str) -> None:
        self.lines.append("")
        self._say(text, style="bold")

    def _say(
        self, text: str, indent: int = 0, hanging: int = 0, *, mark: tuple[str, str] = ("", ""), style: str = ""
    ) -> None:
        """A paragraph at its indent, its further lines hanging; a mark before it has a style of its own."""
        if not text and not mark[0]:
            return
        first = " " * indent + (f"{mark[0]} " if mark[0] else "")
        rest = " " * max(hanging, indent)
        folded = [(first + text).rstrip()]
        if self._width:
            folded = textwrap.wrap(
                text, self._width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
            ) or [first.rstrip()]
        if style:
            folded = [line[: -len(line.lstrip()) or None] + self._paint(line.lstrip(), style) for line in folded]
        if mark[0]:
            folded[0] = folded[0].replace(mark[0], self._paint(mark[0], mark[1]), 1)
        self.lines += folded
