"""The verdict on going back, beside what really happens: the earlier release's code runs against the database as the
later one left it, reads, inserts, updates and deletes; and once more when what the verdict wants undone was undone.

Plain: by Django's own migrate, where what is dropped is gone. Staged: as a release does it, beside running code; the
later release's code must work then with what is only relaxed.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import checkouts
import msgspec
import pytest
from environments import Environment
from histories import AT_ONCE, HISTORIES, MOST, TAKEN_AWAY
from histories_of_others import OF_OTHERS
from history import History

from nuages.app.schema import Database, Schema
from nuages.release.back.verdict import Outcome, Verdict, compare
from nuages_runtime.migrations.forms import IN_SCHEMA

pytestmark = pytest.mark.runtime

FITS = {
    "works": {Outcome.SAFE, Outcome.UNKNOWN},
    "degraded": {Outcome.DEGRADED, Outcome.UNKNOWN},
    "broken": {Outcome.UNDO, Outcome.REFUSED, Outcome.UNKNOWN},
}
DJANGO = os.environ.get("HISTORIES_DJANGO", "django6.1-python3.13")
"""One Django a run: `HISTORIES_DJANGO=django4.2-python3.11 pytest tests/runtime/test_histories.py` tries another."""
ALL = os.environ.get("HISTORIES") == "all"
PLAIN = HISTORIES if ALL else HISTORIES[::5]
"""Every fifth of them, as all take minutes; `HISTORIES=all` tries them all."""
BESIDE = HISTORIES if ALL else [*MOST, *OF_OTHERS[::6]]
"""Those that are tried staged: the usual ones always."""
ENV = {"DJANGO_SETTINGS_MODULE": "settings"}
NAMES = [history.name for history in PLAIN]
REMOVED = [history.name for history in TAKEN_AWAY if history.staged not in ("", AT_ONCE)]
STAGED = [history.name for history in BESIDE if history.staged != AT_ONCE]
numbers = itertools.count()


class Proof(NamedTuple):
    """What happened to one history."""

    app: str
    history: History
    verdict: Verdict
    begun: dict[str, Any]
    new: dict[str, Any]
    """What the later release's code could not do."""
    then: dict[str, Any]
    after: dict[str, Any]
    """The earlier code once more, when the verdict's migrations were undone."""
    said: str


@pytest.fixture(scope="module")
def plain(environments: Callable[[str], Environment], database: str, tmp_path_factory: Any) -> dict[str, Proof]:
    project = Project(environments(DJANGO), database, tmp_path_factory.mktemp("plain"), PLAIN)
    return project.prove(lambda told: project.run(project.new, "forward", told))


@pytest.fixture(scope="module")
def staged(environments: Callable[[str], Environment], database: str, tmp_path_factory: Any) -> dict[str, Proof]:
    histories = [history for history in BESIDE if history.staged != AT_ONCE]
    project = Project(environments(DJANGO), database, tmp_path_factory.mktemp("staged"), histories)

    def forward(told: object) -> dict[str, Any]:
        project.run(project.new, "before", told)
        ended = project.migrate()
        assert ended.code == 0, ended.out + ended.err
        return project.run(project.new, "later", told)

    return project.prove(forward, [f"{app}.0002" for app, each in project.histories.items() if each.name in REMOVED])


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_is_what_really_happens(plain: dict[str, Proof], name: str) -> None:
    if name not in plain:
        pytest.skip("not with this Django")
    judge(plain[name], plain[name].history.verdict)
    assert plain[name].history.why.replace("LABEL", plain[name].app) in plain[name].verdict.line


@pytest.mark.parametrize("name", STAGED)
def test_the_verdict_is_what_really_happens_where_migrations_are_staged(staged: dict[str, Proof], name: str) -> None:
    if name not in staged:
        pytest.skip("not with this Django")
    judge(staged[name], staged[name].history.staged or staged[name].history.verdict)


@pytest.mark.parametrize("name", REMOVED)
def test_what_is_only_held_back_comes_back_with_its_data(staged: dict[str, Proof], name: str) -> None:
    after = staged[name].after
    assert truth(after, staged[name].begun) != "broken", f"{failures(after)} {staged[name].said}"


def judge(proof: Proof, expected: str) -> None:
    """The verdict is the one that is right, what happened is what it says, and undoing brings all of it back."""
    assert failures(proof.begun) == [], "the earlier code did not work at first"
    if not proof.history.back_to:
        assert failures(proof.new) == [], "the later code does not work"
    happened = truth(proof.then, proof.begun)
    assert proof.verdict.outcome in FITS[happened], f"{proof.verdict.line}; {happened}: {failures(proof.then)}"
    assert proof.verdict.outcome == expected, f"{proof.verdict.line}; {happened}: {failures(proof.then)}"
    if proof.verdict.outcome is Outcome.UNDO:
        assert truth(proof.after, proof.begun) == "works", f"{failures(proof.after)} {proof.said}"


def truth(now: dict[str, Any], begun: dict[str, Any]) -> str:
    """What really is: works, degraded or broken; and broken where rows are not what they were."""
    rows = begun["rows"].items()
    kept = all(set(row) <= set(now["rows"].get(key, ())) for key, row in rows if isinstance(row, list))
    kept = kept and all(now["rows"].get(key) == row for key, row in rows if not isinstance(row, list))
    if now["worked"]["broken"] or not kept:
        return "broken"
    return "degraded" if now["worked"]["degraded"] else "works"


def failures(of: dict[str, Any]) -> list[str]:
    return [f"{weight}: {said}" for weight, all_ in of.get("worked", {}).items() for said in all_[:4]]


def test_what_no_order_makes_safe_is_refused_and_nothing_is_touched(
    environments: Callable[[str], Environment], database: str, tmp_path: Path
) -> None:
    histories = [history for history in HISTORIES if history.staged == AT_ONCE]
    project = Project(environments(DJANGO), database, tmp_path, histories)
    before = project.begin()
    ended = project.migrate()
    assert ended.code == 5, ended.out + ended.err
    assert [history.name for app, history in project.histories.items() if f'"{app}.' not in ended.out] == []
    assert project.run(project.old, "probe")["rows"] == before["rows"]


class Project:
    """Both checkouts, and the databases that they share."""

    def __init__(self, environment: Environment, address: str, folder: Path, histories: Iterable[History]) -> None:
        self.environment = environment
        self.histories = checkouts.possible(histories, environment)
        name = f"histories{next(numbers)}"
        bases = {"default": name, "other": f"{name}_other"}
        self.old, self.new = folder / "old", folder / "new"
        for checkout in (self.old, self.new):
            checkout.mkdir()
            settings = {"address": address, "databases": bases}
            checkouts.write(checkout, self.histories, later=checkout == self.new, settings=settings)
        ended = environment.run(["python", "prove.py", "create"], self.old, timeout=600)
        assert ended.code == 0, ended.err
        checkouts.initial(self.old, self.new, self.histories, environment)

    def run(self, checkout: Path, command: str, given: object = None) -> dict[str, Any]:
        """A command of prove.py."""
        arguments = []
        if given is not None:
            (checkout / "given.json").write_text(json.dumps(given))
            arguments = ["given.json"]
        ended = self.environment.run(["python", "prove.py", command, *arguments], checkout, timeout=600)
        assert ended.code == 0, ended.err
        return json.loads(ended.out.splitlines()[-1])

    def begin(self) -> dict[str, Any]:
        """The earlier release, live."""
        begun = self.run(self.old, "begin")
        (self.new / "running.json.gz").write_bytes(gzip.compress(json.dumps(begun["facts"]).encode()))
        return begun

    def migrate(self, *arguments: str) -> Any:
        """The later release's migrate Job, while the earlier one runs."""
        env = {**ENV, "NUAGES_RUNNING": "/app/running.json.gz", "NUAGES_NUMBER": "8", "NUAGES_LOCK_TIMEOUT": "5000ms"}
        command = ["python", "-m", "nuages_runtime.migrate", *arguments]
        return self.environment.run(command, self.new, env, timeout=600)

    def prove(self, forward: Callable[[object], dict[str, Any]], undone: Iterable[str] = ()) -> dict[str, Proof]:
        """All of it, by the histories' names; `undone` at the end, beside what the verdicts want undone."""

        def told(of: Callable[[History], Any]) -> dict[str, Any]:
            return {app: of(history) for app, history in self.histories.items() if of(history)}

        begun = self.begin()
        changed = forward(
            {
                "by_hand": {app: sql.replace("LABEL", app) for app, sql in told(lambda each: each.by_hand).items()},
                "fakes": told(lambda each: each.fakes),
                "back_to": told(lambda each: each.back_to),
                "sql": {app: sql.replace("LABEL", app) for app, sql in told(lambda each: each.sql).items()},
            }
        )
        before, now = (msgspec.convert(each["facts"], Schema) for each in (begun, changed))
        verdicts = {app: compare(alone(before, app), alone(now, app), 7) for app in self.histories}
        then = self.run(self.old, "probe")
        names = [name for verdict in verdicts.values() for each in verdict.undo for name in each.migrations]
        names += undone
        ended = self.migrate("--stage", "undo", *(word for name in names for word in ("--name", name)))
        after = self.run(self.old, "probe")

        def of(found: dict[str, Any], app: str) -> dict[str, Any]:
            return {what: found[what][app] for what in ("worked", "rows") if app in found.get(what, ())}

        return {
            history.name: Proof(
                app,
                history,
                verdicts[app],
                *(of(found, app) for found in (begun, changed, then, after)),
                said=ended.out[-1500:],
            )
            for app, history in self.histories.items()
        }


def alone(schema: Schema, app: str) -> Schema:
    """The facts of one history."""

    def mine(database: Database) -> Database:
        def tables(of: Any) -> Any:
            return {name: table for name, table in of.items() if name.split(IN_SCHEMA)[-1].startswith(f"{app}_")}

        def names(of: Any) -> Any:
            return tuple(name for name in of if name.startswith(f"{app}."))

        return msgspec.structs.replace(
            database,
            wanted=tables(database.wanted),
            live=tables(database.live),
            known={label: all_ for label, all_ in database.known.items() if label == app},
            applied=names(database.applied),
            opaque=names(database.opaque),
            effects={name: done for name, done in (database.effects or {}).items() if name.startswith(f"{app}.")},
        )

    return msgspec.structs.replace(schema, databases={alias: mine(each) for alias, each in schema.databases.items()})
