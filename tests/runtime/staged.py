"""Migrations beside code that runs: one table for each case, two migrations, and what the second one did.

Run inside an image's Python, with DATABASE (host:port) and PASSWORD: `python staged.py SIZE [CASE...]` migrates each
case from its first migration to its second while a writer and a reader hammer the table as the old code does, and
prints one line of JSON for each: how long anybody waited, what was journaled, whether it was refused.
"""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

FIRST = """
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Parent", [
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=50)),
        ]),
        migrations.CreateModel("Item", [
            ("id", models.BigAutoField(primary_key=True)),
            ("parent", models.ForeignKey("{app}.parent", on_delete=models.CASCADE)),
            ("title", models.CharField(max_length=100)),
            ("body", models.TextField(null=True)),
            ("slug", models.CharField(max_length=50, null=True)),
            ("n", models.IntegerField()),
            ("price", models.DecimalField(max_digits=8, decimal_places=2, default=0)),
            ("old", models.IntegerField()),
            ("note", models.CharField(max_length=20)),
            ("done", models.BooleanField(default=False)),
            ("created", models.DateTimeField(default=timezone.now)),
            ("indexed", models.IntegerField(default=0, db_index=True)),
            ("other", models.ForeignKey("{app}.parent", null=True, on_delete=models.CASCADE, related_name="+")),
        ]),
        migrations.CreateModel("Gone", [
            ("id", models.BigAutoField(primary_key=True)),
            ("parent", models.ForeignKey("{app}.parent", on_delete=models.CASCADE)),
        ]),
        migrations.AddIndex("item", models.Index(fields=["n"], name="{app}_n")),
        migrations.AddConstraint("item", models.{check}, name="{app}_check")),
        migrations.AlterUniqueTogether("item", {{("title", "n")}}),
        {more}
    ]
"""
SECOND = """
import uuid
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Lower, Now
from django.utils import timezone


def fill(apps, editor):
    apps.get_model("{app}", "item").objects.filter(id__lte=1000).update(slug="filled")


class Migration(migrations.Migration):
    dependencies = [("{app}", "0001_initial")]
    atomic = {atomic}
    {marker}
    operations = [{operations}]
"""


@dataclass(frozen=True)
class Case:
    """One second migration, and what is expected of it."""

    operations: str
    kind: str = "done"
    """done: all of it is in the database; held: something is left for later; refused."""
    atomic: bool = True
    more: str = ""
    """Operations that end the first migration."""
    marker: str = ""
    since: tuple[int, int] = (4, 2)
    """The first Django that can."""
    columns: tuple[str, ...] = field(default=())
    """Columns of the table that must be there at the end."""


CASES = {
    "nullable column": Case('migrations.AddField("item", "extra", models.TextField(null=True))', columns=("extra",)),
    "column with a default": Case(
        'migrations.AddField("item", "extra", models.IntegerField(default=7))', "held", columns=("extra",)
    ),
    "boolean with a default": Case('migrations.AddField("item", "extra", models.BooleanField(default=True))', "held"),
    "text with a default": Case(
        'migrations.AddField("item", "extra", models.CharField(max_length=9, default="it\'s 5%"))', "held"
    ),
    "positive column": Case('migrations.AddField("item", "extra", models.PositiveIntegerField(null=True))'),
    "database default": Case(
        'migrations.AddField("item", "extra", models.IntegerField(db_default=3))', since=(5, 0), columns=("extra",)
    ),
    "array column": Case(
        'migrations.AddField("item", "extra", ArrayField(models.IntegerField(), default=list))', "held"
    ),
    "json column": Case('migrations.AddField("item", "extra", models.JSONField(default=dict))', "held"),
    "time of now": Case(
        'migrations.AddField("item", "extra", models.DateTimeField(auto_now_add=True, default=timezone.now))', "any"
    ),
    "nullable foreign key": Case(
        'migrations.AddField("item", "extra", models.ForeignKey("{app}.parent", null=True, related_name="+", '
        "on_delete=models.CASCADE))",
        columns=("extra_id",),
    ),
    "one to one": Case(
        'migrations.AddField("item", "extra", models.OneToOneField("{app}.parent", null=True, related_name="+", '
        "on_delete=models.CASCADE))"
    ),
    "unique nullable column": Case(
        'migrations.AddField("item", "extra", models.CharField(max_length=9, null=True, unique=True))'
    ),
    "indexed column": Case('migrations.AddField("item", "extra", models.IntegerField(null=True, db_index=True))'),
    "many to many": Case(
        'migrations.AddField("item", "tags", models.ManyToManyField("{app}.parent", related_name="+"))'
    ),
    "new model with a key to the table": Case(
        'migrations.CreateModel("Fresh", [("id", models.BigAutoField(primary_key=True)), '
        '("item", models.ForeignKey("{app}.item", on_delete=models.CASCADE))])'
    ),
    "index": Case('migrations.AddIndex("item", models.Index(fields=["created"], name="{app}_made"))'),
    "index of two columns": Case(
        'migrations.AddIndex("item", models.Index(fields=["n", "-created"], name="{app}_two"))'
    ),
    "partial index": Case(
        'migrations.AddIndex("item", models.Index(fields=["n"], name="{app}_part", condition=models.Q(done=False, '
        'title__startswith="a%")))'
    ),
    "expression index": Case('migrations.AddIndex("item", models.Index(Lower("title"), name="{app}_low"))'),
    "db_index": Case('migrations.AlterField("item", "n", models.IntegerField(db_index=True))'),
    "index in a migration that is not atomic": Case(
        'AddIndexConcurrently("item", models.Index(fields=["created"], name="{app}_made"))', atomic=False
    ),
    "index renamed": Case(
        'migrations.RenameIndex("item", old_name="{app}_n", new_name="{app}_m")',
    ),
    "index gone": Case('migrations.RemoveIndex("item", "{app}_n")', "held"),
    "unique constraint": Case(
        'migrations.AddConstraint("item", models.UniqueConstraint(fields=["title", "slug"], name="{app}_uniq"))', "held"
    ),
    "unique field": Case(
        'migrations.AlterField("item", "title", models.CharField(max_length=100, unique=True))', "held"
    ),
    "unique together": Case('migrations.AlterUniqueTogether("item", {{("title", "n"), ("slug", "title")}})', "held"),
    "unique together gone": Case('migrations.AlterUniqueTogether("item", set())'),
    "conditional unique": Case(
        'migrations.AddConstraint("item", models.UniqueConstraint(fields=["title"], condition=models.Q(done=True), '
        'name="{app}_uniq"))',
        "held",
    ),
    "check": Case('migrations.AddConstraint("item", models.{check}, name="{app}_more"))', "held"),
    "check gone": Case('migrations.RemoveConstraint("item", "{app}_check")'),
    "longer text": Case('migrations.AlterField("item", "title", models.CharField(max_length=200))'),
    "char to text": Case('migrations.AlterField("item", "title", models.TextField())'),
    "longer number": Case(
        'migrations.AlterField("item", "price", models.DecimalField(max_digits=12, decimal_places=2, default=0))'
    ),
    "shorter text": Case('migrations.AlterField("item", "title", models.CharField(max_length=60))', "held"),
    "null allowed": Case('migrations.AlterField("item", "note", models.CharField(max_length=20, null=True))'),
    "null allowed for a key": Case(
        'migrations.AlterField("item", "parent", models.ForeignKey("{app}.parent", null=True, '
        "on_delete=models.CASCADE))"
    ),
    "not null": Case(
        'migrations.AlterField("item", "slug", models.CharField(max_length=50, default="none"), '
        "preserve_default=False)",
        "held",
    ),
    "not null of a key": Case(
        'migrations.AlterField("item", "other", models.ForeignKey("{app}.parent", related_name="+", '
        "on_delete=models.CASCADE))",
        "held",
    ),
    "choices": Case('migrations.AlterField("item", "note", models.CharField(max_length=20, choices=[("a", "A")]))'),
    "column gone": Case('migrations.RemoveField("item", "old")', "held", columns=("old",)),
    "text column gone": Case('migrations.RemoveField("item", "note")', "held", columns=("note",)),
    "key gone": Case('migrations.RemoveField("item", "other")', "held", columns=("other_id",)),
    "model gone": Case('migrations.DeleteModel("Gone")', "held"),
    "integer to bigint": Case('migrations.AlterField("item", "n", models.BigIntegerField())', "refused"),
    "integer to text": Case('migrations.AlterField("item", "n", models.TextField())', "refused"),
    "column renamed": Case('migrations.RenameField("item", "old", "new")', "refused"),
    "model renamed": Case('migrations.RenameModel("Item", "Thing")', "refused"),
    "table renamed": Case('migrations.AlterModelTable("item", "{app}_thing")', "refused"),
    "unique default by call": Case(
        'migrations.AddField("item", "extra", models.UUIDField(default=uuid.uuid4, unique=True))', "refused"
    ),
    "column and code": Case(
        'migrations.AddField("item", "extra", models.TextField(null=True)), migrations.RunPython(fill, '
        "migrations.RunPython.noop)"
    ),
    "column and sql": Case(
        'migrations.AddField("item", "extra", models.TextField(null=True)), migrations.RunSQL("UPDATE {app}_item SET '
        "body = 'x' WHERE id < 1000\")"
    ),
    "code declared a backfill, then not null": Case(
        'migrations.RunPython(fill, migrations.RunPython.noop), migrations.AlterField("item", "slug", '
        'models.CharField(max_length=50, default="none"), preserve_default=False)',
        "held",
        marker='nuages = "backfill"',
    ),
    "as makemigrations writes it": Case(
        'migrations.RemoveField("item", "old"), migrations.AddField("item", "fresh", models.IntegerField(default=1)), '
        'migrations.AlterField("item", "title", models.CharField(max_length=150)), migrations.DeleteModel("Gone"), '
        'migrations.AddIndex("item", models.Index(fields=["fresh"], name="{app}_young"))',
        "held",
        columns=("old", "fresh"),
    ),
    "key with a default": Case(
        'migrations.AddField("item", "extra", models.ForeignKey("{app}.parent", default=1, related_name="+", '
        "on_delete=models.CASCADE))",
        "held",
        columns=("extra_id",),
    ),
    "slug": Case('migrations.AddField("item", "extra", models.SlugField(default="x"))', "held", columns=("extra",)),
    "time that the database fills in": Case(
        'migrations.AddField("item", "extra", models.DateTimeField(db_default=Now()))', since=(5, 0)
    ),
    "computed column": Case(
        'migrations.AddField("item", "extra", models.GeneratedField(expression=Lower("title"), '
        "output_field=models.TextField(), db_persist=True))",
        "refused",
        since=(5, 0),
    ),
    "covering index": Case(
        'migrations.AddIndex("item", models.Index(fields=["n"], include=["done"], name="{app}_cover"))'
    ),
    "unique together becomes a constraint": Case(
        'migrations.AlterUniqueTogether("item", set()), migrations.AddConstraint("item", '
        'models.UniqueConstraint(fields=["title", "n"], name="{app}_uniq"))'
    ),
    "unique by an expression": Case(
        'migrations.AddConstraint("item", models.UniqueConstraint(Lower("title"), name="{app}_uniq"))', "held"
    ),
    "check of a column added beside": Case(
        'migrations.AddField("item", "extra", models.IntegerField(null=True)), migrations.AddConstraint("item", '
        'models.{more_check}, name="{app}_more"))',
        "held",
        columns=("extra",),
    ),
    "positive from now on": Case('migrations.AlterField("item", "n", models.PositiveIntegerField())', "held"),
    "smaller number": Case('migrations.AlterField("item", "old", models.SmallIntegerField())', "held"),
    "key that the database does not hold": Case(
        'migrations.AlterField("item", "other", models.ForeignKey("{app}.parent", null=True, db_constraint=False, '
        'related_name="+", on_delete=models.CASCADE))'
    ),
    "key becomes one to one": Case(
        'migrations.AlterField("gone", "parent", models.OneToOneField("{app}.parent", on_delete=models.CASCADE))',
        "held",
    ),
    "deleted by the database": Case(
        'migrations.AlterField("item", "parent", models.ForeignKey("{app}.parent", on_delete=models.DB_CASCADE))',
        since=(6, 1),
    ),
    "key to another table": Case(
        'migrations.AlterField("item", "parent", models.ForeignKey("{app}.gone", on_delete=models.CASCADE))',
        "refused",
    ),
    "comments": Case(
        'migrations.AlterModelTableComment("item", "what there is"), migrations.AlterField("item", "note", '
        'models.CharField(max_length=20, db_comment="short"))'
    ),
    "another collation": Case(
        'migrations.AlterField("item", "note", models.CharField(max_length=20, db_collation="C"))'
    ),
    "model and many to many gone": Case(
        'migrations.RemoveField("item", "tags"), migrations.DeleteModel("Gone")',
        "held",
        more='migrations.AddField("item", "tags", models.ManyToManyField("{app}.parent", related_name="+")),',
    ),
    "state and database apart": Case(
        'migrations.SeparateDatabaseAndState(database_operations=[migrations.AddIndex("item", '
        'models.Index(fields=["created"], name="{app}_made"))], state_operations=[])'
    ),
}


def label(name: str) -> str:
    """A case's app."""
    return f"c{list(CASES).index(name):02}"


def write(folder: Path, names: list[str], django: tuple[int, int]) -> None:
    """The apps of some cases."""
    check = "CheckConstraint(condition=" if django >= (5, 1) else "CheckConstraint(check="
    for name in names:
        case, app = CASES[name], label(name)
        place = folder / app / "migrations"
        place.mkdir(parents=True, exist_ok=True)
        for made in (folder / app, place):
            (made / "__init__.py").write_text("")
        values = {"app": app, "check": f"{check}models.Q(n__gte=-5)"}
        values["more_check"] = f"{check}models.Q(extra__gte=models.F('n'))"
        more = case.more.format(**values)
        (place / "0001_initial.py").write_text(FIRST.format(more=more, **values))
        operations = case.operations.format(**values)
        second = SECOND.format(operations=operations, atomic=case.atomic, marker=case.marker, **values)
        (place / "0002_second.py").write_text(second)


class Clients:
    """A writer and a reader as the old code has them, and the longest that either waited for one statement."""

    def __init__(self, app: str) -> None:
        self.app = app
        self.longest = {"write": 0.0, "read": 0.0}
        self.counts = {"write": 0, "read": 0}
        self.errors: list[str] = []
        self._stop = threading.Event()
        self._counted = threading.Condition()
        self._threads = [threading.Thread(target=self._run, args=(kind,)) for kind in self.longest]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        self.go_on()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def go_on(self, patience: float = 60) -> bool:
        """Whether both get two more answers, the second of them to a question asked after this one; in seconds."""
        with self._counted:
            wanted = {kind: count + 2 for kind, count in self.counts.items()}
            return self._counted.wait_for(lambda: all(self.counts[kind] >= wanted[kind] for kind in wanted), patience)

    def _run(self, kind: str) -> None:
        from django.db import connections

        connection = connections["default"].copy()
        connection.inc_thread_sharing()
        table = f"{self.app}_item"
        columns = "parent_id, title, n, price, old, note, done, created, indexed"
        number = 0
        try:
            with connection.cursor() as cursor:
                while not self._stop.is_set():
                    number += 1
                    begun = time.monotonic()
                    try:
                        if kind == "write":
                            cursor.execute(
                                f"INSERT INTO {table} ({columns}) VALUES (1, %s, 1, 0, 1, 'n', false, now(), 0)",
                                [f"new {number}"],
                            )
                            cursor.execute(f"UPDATE {table} SET body = 'b' WHERE id = %s", [1 + number % 5000])
                        else:
                            cursor.execute(
                                f"SELECT {columns} FROM {table} WHERE id BETWEEN %s AND %s",
                                [number % 9999, number % 9999 + 9],
                            )
                            cursor.fetchall()
                    except Exception as error:
                        if len(self.errors) < 3:
                            self.errors.append(f"{kind}: {error}")
                    self.longest[kind] = max(self.longest[kind], time.monotonic() - begun)
                    with self._counted:
                        self.counts[kind] += 1
                        self._counted.notify()
                    time.sleep(0.002)
        finally:
            connection.close()


def seed(app: str, rows: int) -> None:
    """Rows of the first migration's tables."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {app}_parent (name) VALUES ('one')")
        # A million rows that each ask for their parent take minutes.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"INSERT INTO {app}_gone (parent_id) SELECT 1 FROM generate_series(1, 100)")
        cursor.execute(
            f"INSERT INTO {app}_item (parent_id, title, slug, n, price, old, note, done, created, indexed, other_id) "
            "SELECT 1, 'title ' || i, 'slug', i, 1, i, 'note', false, now(), i, 1 FROM generate_series(1, %s) i",
            [rows],
        )
        cursor.execute("SET session_replication_role = origin")
        cursor.execute(f"ANALYZE {app}_item")


def wanted(app: str) -> dict[str, object]:
    """What the old code reads and writes: the models as the first migration left them."""
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    state = MigrationLoader(connection).project_state((app, "0001_initial"))
    return {
        model._meta.db_table: {
            "columns": {
                each.column: {"type": each.db_type(connection), "null": each.null, "default": False}
                for each in model._meta.local_concrete_fields
            }
        }
        for model in state.apps.get_models(include_auto_created=True)
    }


def columns(app: str) -> list[str]:
    """The columns of the table."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
            [f"{app}_item"],
        )
        return [row[0] for row in cursor.fetchall()]


def invalid() -> list[str]:
    """Indexes and constraints that are not valid."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid UNION ALL "
            "SELECT conname FROM pg_constraint WHERE NOT convalidated"
        )
        return [row[0] for row in cursor.fetchall()]


def run(name: str, rows: int, log: object) -> dict[str, object]:
    """One case, from its first migration to what it leaves; then its contract, as the next release would do it."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from nuages_runtime.migrations import contract
    from nuages_runtime.migrations.stages import Stage

    app = label(name)
    settings.MIGRATION_MODULES = {label(other): None for other in CASES if other != name}
    call_command("migrate", app, "0001", verbosity=0)
    seed(app, rows)
    old = wanted(app)
    stage = Stage(connection, log, release=2, running=old, patience=60)
    kinds = [(judged.kind, judged.why) for _, _, judged in stage.judge()]
    answer: dict[str, object] = {"name": name, "kinds": [kind for kind, _ in kinds]}
    if any(kind == "unsafe" for kind, _ in kinds):
        return answer | {"kind": "refused", "why": [why for kind, why in kinds if kind == "unsafe"]}
    begun = time.monotonic()
    with Clients(app) as clients:
        with stage.patched():
            call_command("migrate", verbosity=0)
        answer["seconds"] = round(time.monotonic() - begun, 2)
        answer["goes on"] = clients.go_on()
    left = stage.journal.pending()
    answer |= {
        "kind": "held" if left else "done",
        "columns": columns(app),
        "longest": {kind: round(value * 1000) for kind, value in clients.longest.items()},
        "errors": clients.errors,
        "left": [entry.sql or entry.text for entry in left],
        "invalid": invalid(),
    }
    with Clients(f"{app}") as later:
        later.errors = []
        with stage.patched():
            contract.settle(stage)
            # The new code runs alone, and knows what the old one did not.
            after = contract.contract(stage, [], {app: {"0001_initial": [], "0002_second": []}})
    answer |= {
        "contract": {kind: round(value * 1000) for kind, value in later.longest.items()},
        "after": after,
        "columns after": columns(app),
        "notes": [entry.note for entry in stage.journal.pending() if entry.note and entry.kind != "aside"],
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TABLE IF EXISTS {app}_item, {app}_gone, {app}_fresh, {app}_item_tags, {app}_parent CASCADE"
        )
        stage.journal.ensure()
        cursor.execute("DELETE FROM nuages_journal")
        cursor.execute("DROP SCHEMA IF EXISTS nuages_aside CASCADE")
    return answer


def main() -> None:
    """Each case that is named, or all."""
    rows, names = int(sys.argv[1]), sys.argv[2:] or list(CASES)
    import django
    from django.conf import settings

    names = [name for name in names if CASES[name].since <= django.VERSION[:2]]
    here = Path(os.environ.get("FOLDER", "."))
    write(here, names, django.VERSION[:2])
    sys.path.insert(0, str(here))
    host, _, port = os.environ["DATABASE"].partition(":")
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("NAME", "blog"),
        "USER": "blog",
        "HOST": host,
        "PORT": port,
    }
    settings.configure(
        DATABASES={"default": database | {"PASSWORD": os.environ["PASSWORD"]}},
        INSTALLED_APPS=[label(name) for name in names],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    from nuages_runtime.migrations.connect import limit_table_locks
    from nuages_runtime.migrations.events import Log

    limit_table_locks(os.environ.get("LOCK_TIMEOUT", "2000ms"))
    for name in names:
        try:
            answer = run(name, rows, Log(sys.stderr if os.environ.get("SAID") else io.StringIO()))
        except Exception as error:
            if os.environ.get("SAID"):
                raise
            answer = {"name": name, "kind": "failed", "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)  # noqa: T201 - it is what is asked for


if __name__ == "__main__":
    main()
