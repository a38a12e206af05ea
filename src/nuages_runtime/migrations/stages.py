"""How a migration runs while a release serves: what it adds is added so that nobody is blocked, what it takes away is
relaxed and journaled.

    stage = Stage(connection, log, release=8, running=wanted)
    stage.judge()                    each pending operation's class; refuses before anything is touched
    with stage.patched():            this process only, until the body ends
        call_command("migrate")      the project's own: signals, permissions, a command it overrides

In one transaction for each migration that is atomic: the statements that are quick, what relaxes the schema, the rows
of the journal, and the row in django_migrations. After its commit, one by one: what takes long and blocks nobody.

    editor.py    statements on their way             hold.py     an operation that takes away, divided
    forms.py     the form that blocks nobody         relax.py    what the old schema must stop to demand
    journal.py   what is left to do                  steps.py    what runs after the commit
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations import back, editor, forms, relax
from nuages_runtime.migrations.contract import held
from nuages_runtime.migrations.course import Course
from nuages_runtime.migrations.events import Log, shown
from nuages_runtime.migrations.hold import Held, hold, without_pairs
from nuages_runtime.migrations.journal import SOON, Entry, Journal
from nuages_runtime.migrations.judged import BACKFILL, CONTRACT, EXPAND, STATE, UNSAFE, Judged, Wanted
from nuages_runtime.migrations.leaves import Leaf, is_code, leaves, mixed, writes_rows
from nuages_runtime.migrations.plainly import ChangedMigration, Unsafe, instead, plainly
from nuages_runtime.migrations.steps import Steps, UnknownMigration

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

_TYPE = """
    SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
    WHERE a.attrelid = to_regclass(%s) AND a.attname = %s AND NOT a.attisdropped
"""
_CONSTRAINT = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s"
_ON_DELETE = "SELECT confdeltype::text FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s"


class Stage:
    """The migrations of one PostgreSQL database, in one process."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        log: Log,
        *,
        release: int = 0,
        running: Wanted | None = None,
        classes: Mapping[str, str] | None = None,
        patience: float = 300,
        waiting: Collection[tuple[str, str]] = (),
    ) -> None:
        """Begin; nothing is touched.

        Args:
            connection: of the alias.
            log: where progress is told.
            release: the number that journal entries carry.
            running: what the running code reads and writes of this database; None where nothing runs.
            classes: what the spec declares: {"blog.0005_fill": "backfill"}.
            patience: seconds for which a lock is asked for again and again.
            waiting: (table, column) of what earlier releases took away and is there still; column "" for all of it.
        """
        self.connection, self.log, self.release, self.running = connection, log, release, running
        self.journal = Journal(connection)
        self.steps = Steps(connection, self.journal, log, patience)
        self.steps.literally = self._literally
        self.mode = editor.Mode(self._drop)
        self.mode.on = self._on
        self.migration = ""
        self.statement = ""
        self._classes, self._waiting = classes or {}, waiting
        self._judged: dict[tuple[str, str, int], Judged] = {}
        self._course: Course | None = None
        self._moves, self._drops = True, False
        self.backwards = False
        """Whether migrations are being undone."""

    # Before anything is touched

    def judge(self) -> list[tuple[str, Leaf, Judged]]:
        """The class of each operation that is pending; where nothing runs, nobody is asked."""
        from django.db.migrations.executor import MigrationExecutor

        found: list[tuple[str, Leaf, Judged]] = []
        executor = MigrationExecutor(self.connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if self.running is None or not plan:
            return found
        state = executor._create_project_state(with_applied_migrations=True)
        for migration, _ in plan:
            for leaf in leaves(migration, state):
                judged = self._judge(migration, leaf)
                found.append((f"{migration.app_label}.{migration.name}", leaf, judged))
        return found

    def _judge(self, migration: Any, leaf: Leaf) -> Judged:
        key = (migration.app_label, migration.name, leaf.place)
        if key not in self._judged:
            if self._course is None:
                self._course = Course(self.connection, self.running, self._classes, self._waiting)
            self._judged[key] = self._course.judge(migration, leaf.operation, leaf.before, leaf.after)
        return self._judged[key]

    # While migrate runs

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Put the stage between Django's executor and this connection, for the body."""
        from django.db.migrations.executor import MigrationExecutor

        forwards, backwards = MigrationExecutor.apply_migration, MigrationExecutor.unapply_migration
        combined = self.connection.features.supports_combined_alters

        def apply(executor: Any, state: Any, migration: Any, fake: bool = False, fake_initial: bool = False) -> Any:
            if fake or executor.connection.alias != self.connection.alias:
                return forwards(executor, state, migration, fake=fake, fake_initial=fake_initial)
            with instead(migration, "apply", self._apply(migration)):
                done = self._attempt(
                    migration, lambda: forwards(executor, state.clone(), migration, False, fake_initial)
                )
            self.end(migration)
            return done

        def unapply(executor: Any, state: Any, migration: Any, fake: bool = False) -> Any:
            if fake or executor.connection.alias != self.connection.alias:
                return backwards(executor, state, migration, fake=fake)
            self.backwards = True
            try:
                with instead(migration, "unapply", back.unapply(self, migration)):
                    done = self._attempt(migration, lambda: backwards(executor, state.clone(), migration, False))
            finally:
                self.backwards = False
            self.end(migration)
            return done

        if self.connection.vendor != "postgresql":
            with plainly():
                yield
            return
        self.connection.SchemaEditorClass = editor.made_for(self.connection, self.mode, beside=self.running is not None)
        self.connection.features.supports_combined_alters = False
        MigrationExecutor.apply_migration, MigrationExecutor.unapply_migration = apply, unapply
        try:
            yield
        finally:
            del self.connection.SchemaEditorClass
            self.connection.features.supports_combined_alters = combined
            MigrationExecutor.apply_migration, MigrationExecutor.unapply_migration = forwards, backwards

    def _attempt(self, migration: Any, attempt: Callable[[], Any]) -> Any:
        from django.db import ProgrammingError

        self.migration = f"{migration.app_label}.{migration.name}"
        made = set(self.mode.made)

        def once() -> Any:
            self.mode.made, self.mode.kept, self.mode.defaults = set(made), [], []
            self.statement = ""
            return attempt()

        try:
            return self.steps.attempt(once, self.migration, lambda: forms.about(self.statement))
        except ProgrammingError:
            if self.running is None or not self._moves or not mixed(migration):
                raise
            # What a later operation needs may be what the code makes: once more, in the order in which it is written.
            self._moves = False
            try:
                return self.steps.attempt(once, self.migration, lambda: forms.about(self.statement))
            finally:
                self._moves = True

    def end(self, migration: Any) -> None:
        """What runs after a migration's commit."""
        for entry in self.journal.pending("operation"):
            if (entry.app, entry.migration) == (migration.app_label, migration.name):
                self.journal.forget(entry)
        self.soon()
        self.migration = self.statement = ""

    def soon(self) -> None:
        """Run what migrations that are applied left for right after their commit; also after a kill."""
        for entry in self.journal.pending(*SOON):
            self.migration = entry.name
            try:
                self.steps.run(entry)
            except UnknownMigration as error:
                # The code that runs again never had it.
                self.log.tell("note", message=str(error))

    def _apply(self, migration: Any) -> Callable[..., Any]:
        """Migration.apply, operation by operation, with the deferred statements inside the transaction: so Django
        writes the migration's row there too.
        """

        def apply(state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
            if collect_sql:
                return type(migration).apply(migration, state, schema_editor, collect_sql)
            if schema_editor.atomic_migration:
                self._drops = self._drops_at_once(migration, state)
                for leaf in leaves(migration, state):
                    self._forwards(migration, leaf, schema_editor)
                self._flush(migration, schema_editor)
            else:
                self._resumable(migration, state, schema_editor)
            return state

        return apply

    def _resumable(self, migration: Any, state: Any, schema_editor: Any) -> None:
        """A migration that is not atomic: each operation that is done is remembered, until all are."""
        from django.db.transaction import atomic

        remembered = {
            entry.operation: entry
            for entry in self.journal.pending("operation")
            if (entry.app, entry.migration) == (migration.app_label, migration.name)
        }
        for leaf in leaves(migration, state):
            text = leaf.operation.describe()
            if done := remembered.get(leaf.place):
                if done.text != text:
                    raise ChangedMigration(migration, done.text, text)
                continue
            with atomic(self.connection.alias) if leaf.atomic else nullcontext():
                self._forwards(migration, leaf, schema_editor)
                self._flush(migration, schema_editor)
                self.journal.add(self._entry(migration, leaf.place, "operation", text))
            self.soon()

    def _forwards(self, migration: Any, leaf: Leaf, schema_editor: Any) -> None:
        """One operation, as its class wants it."""
        self.mode.operation, operation = leaf.place, leaf.operation
        code = is_code(operation)
        judged = self._judge(migration, leaf) if self.running is not None else None
        if judged is None or (code and judged.kind not in (CONTRACT, BACKFILL)):
            if judged is not None and self._later(migration, leaf, schema_editor):
                text = operation.describe()
                self.journal.add(self._entry(migration, leaf.place, "data", text, form=forms.PYTHON))
                return
            self._run(editor.LITERAL if code else editor.PLAIN, migration, leaf, schema_editor)
        elif judged.kind == UNSAFE:
            raise Unsafe(migration, leaf, judged)
        elif judged.kind == BACKFILL:
            text = operation.describe()
            self.journal.add(self._entry(migration, leaf.place, "backfill", text, form=forms.PYTHON))
        elif judged.kind == CONTRACT:
            self._hold(migration, leaf, schema_editor)
        elif type(operation).__name__ == "AlterField" or judged.kind == STATE:
            self._run(editor.KEPT, migration, leaf, schema_editor)
            self._replay(schema_editor)
        else:
            self._run(editor.SAFE, migration, leaf, schema_editor)
            self._tidy(migration, leaf)

    def _later(self, migration: Any, leaf: Leaf, schema_editor: Any) -> bool:
        """Whether code runs after the commit: before it, changed tables would be locked as long as it takes."""
        may = schema_editor.atomic_migration and self._moves and not self._drops
        return may and writes_rows(leaf.operation) and mixed(migration)

    def _drops_at_once(self, migration: Any, state: Any) -> bool:
        """Whether something goes that the running code does not know: the migration's code may still read it."""
        if self.running is None or not mixed(migration):
            return False
        found = [(leaf.operation, self._judge(migration, leaf)) for leaf in leaves(migration, state.clone())]
        return any(type(each).__name__ in ("RemoveField", "DeleteModel") and how.kind == EXPAND for each, how in found)

    def _run(self, mode: str, migration: Any, leaf: Leaf, schema_editor: Any) -> None:
        self.mode.name, self.mode.kept, self.mode.fills, self.mode.defaults = mode, [], {}, []
        before = len(schema_editor.deferred_sql)
        try:
            leaf.operation.database_forwards(migration.app_label, schema_editor, leaf.before, leaf.after)
        finally:
            self.mode.name = editor.PLAIN
        new = schema_editor.deferred_sql[before:]
        if mode == editor.KEPT:
            self.mode.kept += [str(sql) for sql in new]
            del schema_editor.deferred_sql[before:]
        else:
            self.mode.origin.update({id(sql): leaf.place for sql in new})

    def _replay(self, schema_editor: Any) -> None:
        """The statements of an operation whose ends meet, without those that do."""
        self.mode.name = editor.SAFE
        try:
            for text in without_pairs(self.mode.kept, self.on_delete):
                schema_editor.execute(text, None)
        finally:
            self.mode.name = editor.PLAIN

    def _tidy(self, migration: Any, leaf: Leaf) -> None:
        """A default that old code's INSERTs need goes when no old code is left."""
        for text in self.mode.defaults:
            self.journal.add(self._entry(migration, leaf.place, "tidy", leaf.operation.describe(), sql=text))

    def _hold(self, migration: Any, leaf: Leaf, schema_editor: Any) -> None:
        self._run(editor.KEPT, migration, leaf, schema_editor)
        parts: Held = hold(self.mode.kept, self.mode.fills, self)
        for text in parts.now:
            schema_editor.run(text)
        for text in parts.soon:
            schema_editor.defer(text)
        words = leaf.operation.describe()
        undo = [*reversed(parts.undo)]
        for later in parts.later:
            form, mine = later.step.form, later.step.undo
            made = self._entry(migration, leaf.place, "contract", words, sql=later.step.sql, form=form)
            # What relaxed the schema is undone once, with the first.
            both = [*filter(None, [mine]), *undo]
            self.journal.add(back.written(made, both, later.table, later.column))
            undo = []
        if undo or not parts.later:
            self.journal.add(back.written(self._entry(migration, leaf.place, "contract", words), undo))

    def _flush(self, migration: Any, schema_editor: Any) -> None:
        """The statements that Django keeps for a migration's end."""
        kept = list(schema_editor.deferred_sql)
        schema_editor.deferred_sql.clear()
        for sql in kept:
            text = str(sql)
            refers, known = forms.referred(text), self.mode.made
            alone = forms.about(text) in known and (not refers or refers in known)
            safe = forms.safe(text)
            place = self.mode.operation = self.mode.origin.get(id(sql), 0)
            if self.running is None or alone or not safe.after:
                schema_editor.run(text)
                continue
            for step in safe.after:
                kind = step.kind if step.kind in SOON else "validate"
                self.journal.add(self._entry(migration, place, kind, "", sql=step.sql, undo=step.undo, form=step.form))

    def _entry(
        self, migration: Any, place: int, kind: str, text: str, *, sql: str = "", undo: str = "", form: str = ""
    ) -> Entry:
        return Entry(
            release=self.release,
            app=migration.app_label,
            migration=migration.name,
            operation=place,
            kind=kind,
            text=text,
            sql=sql,
            undo=undo,
            form=form,
        )

    # What the parts ask

    def relaxed_column(self, table: str, column: str, fill: str | None) -> list[relax.Relaxed]:
        """See hold.Look."""
        return relax.column(self.connection, table, column, fill)

    def relaxed_table(self, table: str) -> list[relax.Relaxed]:
        """See hold.Look."""
        return relax.foreign(self.connection, table)

    def type_of(self, table: str, column: str) -> str:
        """See hold.Look."""
        return self._one(_TYPE, [forms.quoted(table), column])

    def on_delete(self, table: str, name: str) -> str:
        """See hold.Look."""
        return self._one(_ON_DELETE, [forms.quoted(table), name])

    def constraint(self, table: str, name: str) -> str:
        """See hold.Look."""
        return self._one(_CONSTRAINT, [forms.quoted(table), name])

    def waits(self, table: str, name: str) -> bool:
        """See hold.Look."""
        return (table, name) in held(self.journal.pending("contract"))

    def _one(self, sql: str, values: list[str]) -> str:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            row = cursor.fetchone()
        return str(row[0]) if row else ""

    def _literally(self) -> None:
        self.mode.name = editor.LITERAL

    def _on(self, text: str) -> None:
        self.statement = shown(text)
        if self.running is not None:
            self.log.tell("step", migration=self.migration, statement=self.statement)

    def _drop(self, schema_editor: Any, text: str) -> bool:
        """Put aside what a statement drops, and drop it; nothing of a table that this process made."""
        return back.put_aside(self, schema_editor, text)
