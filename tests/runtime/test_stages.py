from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from environments import Environment
from postgres import ENCODED
from staged_project import Project, events

pytestmark = pytest.mark.runtime

PLACES = "django4.2-python3.11", "django6.1-python3.13"
FIRST_MODELS = """
    class Shelf(models.Model):
        name = models.CharField(max_length=20)

    class Item(models.Model):
        title = models.CharField(max_length=100)
        old = models.IntegerField()
        shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE)
"""
FIRST = """
    class Migration(migrations.Migration):
        initial = True
        operations = [
            migrations.CreateModel("Shelf", [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=20)),
            ]),
            migrations.CreateModel("Item", [
                ("id", models.BigAutoField(primary_key=True)),
                ("title", models.CharField(max_length=100)),
                ("old", models.IntegerField()),
                ("shelf", models.ForeignKey("shop.shelf", on_delete=models.CASCADE)),
            ]),
        ]
"""
SECOND_MODELS = """
    class Shelf(models.Model):
        name = models.CharField(max_length=20)

    class Item(models.Model):
        title = models.CharField(max_length=150)
        count = models.IntegerField(default=3)
        other = models.ForeignKey(Shelf, null=True, on_delete=models.CASCADE)

        class Meta:
            indexes = [models.Index(fields=["count"], name="item_count")]
"""
SECOND = """
    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.RemoveField("item", "old"),
            migrations.RemoveField("item", "shelf"),
            migrations.AlterField("item", "title", models.CharField(max_length=150)),
            migrations.AddField("item", "count", models.IntegerField(default=3)),
            migrations.AddField("item", "other", models.ForeignKey("shop.shelf", null=True, on_delete=models.CASCADE)),
            migrations.AddIndex("item", models.Index(fields=["count"], name="item_count")),
        ]
"""
SEED = (
    "INSERT INTO shop_shelf (name) VALUES ('top')",
    "INSERT INTO shop_item (title, old, shelf_id) SELECT 'i' || i, i, 1 FROM generate_series(1, 50) i",
)
OLD_INSERT = "INSERT INTO shop_item (title, old, shelf_id) VALUES ('by old code', 1, 1) RETURNING count"
NEW_INSERT = "INSERT INTO shop_item (title, count, other_id) VALUES ('by new code', 4, NULL) RETURNING old"
COLUMNS = (
    "SELECT string_agg(column_name, ' ' ORDER BY column_name) FROM information_schema.columns "
    "WHERE table_name = 'shop_item' AND table_schema = 'public'"
)
FOREIGN = "SELECT count(*) FROM pg_constraint WHERE conrelid = 'shop_item'::regclass AND contype = 'f'"


@pytest.fixture
def project(
    request: pytest.FixtureRequest, environments: Callable[[str], Environment], database: str, tmp_path: Path
) -> Project:
    """A project whose first release serves, with fifty rows."""
    name = f"d{abs(hash(request.node.nodeid)) % 10**12}"
    made = Project(environments(getattr(request, "param", PLACES[1])), database, tmp_path, name)
    made.write(FIRST_MODELS, m0001_initial=FIRST)
    ended = made.migrate()
    assert ended.code == 0, ended.out + ended.err
    assert made.ask(*SEED) == [[], []]
    return made


@pytest.mark.parametrize("project", PLACES, indirect=True)
def test_what_a_release_removes_is_there_for_the_old_code_and_goes_with_the_next_release(project: Project) -> None:
    project.write(SECOND_MODELS, m0002_second=SECOND)
    ended = project.migrate()
    assert ended.code == 0, ended.out + ended.err
    assert [event["entries"] for event in events(ended) if event["event"] == "deferred"] == [3]
    # Both codes write, the new one deletes what it does not know to be referred to, and every index is valid.
    assert project.ask(OLD_INSERT, NEW_INSERT, FOREIGN) == [[[3]], [[None]], [[1]]]
    assert project.ask("INSERT INTO shop_shelf (name) VALUES ('b')", "DELETE FROM shop_shelf WHERE id = 1") == [[], []]
    again = project.migrate()
    assert again.code == 0, again.out + again.err
    assert project.ask(COLUMNS) == [[["count id other_id title"]]]
    aside = project.ask("SELECT table_name FROM nuages_journal WHERE kind = 'aside' ORDER BY id")[0]
    assert [name.rpartition("__")[0] for (name,) in aside] == [
        'nuages_aside."shop_item__old',
        'nuages_aside."shop_item__shelf_id',
    ]
    assert project.ask(f"SELECT count(*) FROM {aside[0][0]} WHERE old > 0")[0] == [[51]]
    assert project.ask("INSERT INTO shop_item (title) VALUES ('x')")[0].startswith("IntegrityError")


@pytest.mark.parametrize("contracted", [False, True], ids=["held back", "dropped"])
def test_undoing_a_removal_brings_the_data_back(project: Project, contracted: bool) -> None:
    project.write(SECOND_MODELS, m0002_second=SECOND)
    assert project.migrate().code == 0
    if contracted:
        assert project.migrate("--stage", "contract").code == 0
        assert "old" not in project.ask(COLUMNS)[0][0][0].split()
    ended = project.migrate("--stage", "undo", "--name", "shop.0002_second")
    assert ended.code == 0, ended.out + ended.err
    assert project.ask(COLUMNS, "SELECT count(*) FROM shop_item WHERE old > 0", FOREIGN) == [
        [["id old shelf_id title"]],
        [[50]],
        [[1]],
    ]
    assert project.ask("INSERT INTO shop_item (title, shelf_id) VALUES ('x', 1)")[0].startswith("IntegrityError")


def test_undone_by_hand_a_removal_brings_the_data_back_too(project: Project) -> None:
    project.write(SECOND_MODELS, m0002_second=SECOND)
    assert project.migrate().code == 0
    ended = project.manage("migrate", "shop", "0001", NUAGES_OVERLAY="hosts")
    assert ended.code == 0, ended.out + ended.err
    assert project.ask(COLUMNS, "SELECT count(*) FROM shop_item WHERE old > 0") == [[["id old shelf_id title"]], [[50]]]


def test_a_rename_is_refused_while_code_runs_and_nothing_is_touched(project: Project) -> None:
    renamed = SECOND.replace('migrations.RemoveField("item", "old")', 'migrations.RenameField("item", "old", "new")')
    project.write(SECOND_MODELS, m0002_second=renamed)
    ended = project.migrate()
    assert ended.code == 5, ended.out
    (refused,) = [event for event in events(ended) if event["event"] == "refused"]
    assert [(found["id"], found["place"]) for found in refused["findings"]] == [("migration.E430", "shop.0002_second")]
    assert project.ask(COLUMNS, "SELECT count(*) FROM nuages_journal") == [[["id old shelf_id title"]], [[0]]]
    assert project.migrate(running=False).code == 0
    assert project.ask(COLUMNS) == [[["count id new other_id title"]]]


HOLD = """
import django, sys, time
django.setup()
from django.db import connection, transaction
with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute("SELECT count(*) FROM shop_item")
    print("held", flush=True)
    time.sleep(float(sys.argv[1]))
"""


def test_a_lock_that_is_not_to_be_had_is_asked_for_again_and_its_holder_is_told(project: Project) -> None:
    project.write(SECOND_MODELS, m0002_second=SECOND)
    (project.folder / "hold.py").write_text(HOLD)
    with project.environment.started(["python", "hold.py", "600"], project.folder, project.env) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with project.migrating() as process:
            assert process.stdout is not None
            lines = process.stdout
            while '"waiting"' not in (line := lines.readline()):
                assert line
            assert "shop_item is held by process" in line
            holder.terminate()
            rest = lines.read()
    assert rest.endswith("nuages: migrations are applied\n"), rest
    assert project.ask("SELECT count(*) FROM nuages_journal WHERE kind = 'contract'") == [[[2]]]


# Ends the process as the kernel does, at a statement of the migrating session, before or after it.
FAULT = """
import signal
from django.db.backends.signals import connection_created
COUNT = [0]
def count(execute, sql, params, many, context):
    if sql.startswith(("SELECT set_config", "SELECT pg_try")):
        return execute(sql, params, many, context)
    COUNT[0] += 1
    at, after = divmod(int(os.environ["FAULT"]), 2)
    if COUNT[0] == at and not after:
        os.kill(os.getpid(), signal.SIGKILL)
    answer = execute(sql, params, many, context)
    if COUNT[0] == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
def watch(connection, **_):
    connection.execute_wrappers.append(count)
if os.environ.get("FAULT"):
    connection_created.connect(watch, weak=False)
"""
STATE = (
    "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid) "
    "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum "
    "WHERE c.relkind = 'r' AND c.relname LIKE 'shop%' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2",
    "SELECT conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE conrelid::regclass::text LIKE 'shop%' ORDER BY 1",
    "SELECT indexrelid::regclass::text, indisvalid FROM pg_index "
    "WHERE indrelid::regclass::text LIKE 'shop%' ORDER BY 1",
    "SELECT app, name, count(*) FROM django_migrations GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT kind, sql, undo, done IS NULL FROM nuages_journal ORDER BY sql, kind",
    "SELECT count(*), sum(old), sum(count) FROM shop_item",
)
THIRD = """
    def fill(apps, editor):
        from django.db.models import F

        apps.get_model("shop", "item").objects.update(count=F("count") + 1)


    class Migration(migrations.Migration):
        dependencies = [("shop", "0002_second")]
        operations = [
            migrations.AddField("item", "more", models.TextField(null=True)),
            migrations.RunPython(fill, migrations.RunPython.noop),
            migrations.AddConstraint("item", models.UniqueConstraint(fields=["title", "more"], name="item_once")),
        ]
"""


def test_killed_at_any_statement_it_goes_on_and_ends_the_same(project: Project) -> None:
    settings = project.folder / "settings.py"
    settings.write_text(settings.read_text() + FAULT)
    project.write(SECOND_MODELS, m0002_second=SECOND, m0003_third=THIRD)
    name = project.env["NAME"]
    maker = (project.folder / "make.py").read_text()
    (project.folder / "make.py").write_text(maker.replace("}\"'", f'}}" TEMPLATE "{name}"\''))
    assert "TEMPLATE" in (project.folder / "make.py").read_text()

    def copy(number: int) -> None:
        made = f"{name}_{number}"
        ended = project.environment.run(["python", "make.py", made], project.folder, project.env)
        assert ended.code == 0, ended.err
        project.env["NAME"] = made

    running = (project.folder / "running.json.gz").read_bytes()
    copy(0)
    undisturbed = project.migrate()
    assert undisturbed.code == 0, undisturbed.out + undisturbed.err
    wanted = project.ask(*STATE)
    assert wanted[-1] == [[50, 1275, 200]]
    for place in (61, 88, 113, 140, 171, 190):
        project.env["NAME"] = name
        (project.folder / "running.json.gz").write_bytes(running)
        copy(place)
        project.number = 1
        killed = project.migrate(FAULT=str(place))
        assert killed.code != 0, f"{place}: {killed.out}"
        project.number = 1
        ended = project.migrate()
        assert ended.code == 0, f"{place}: {ended.out}{ended.err}"
        assert project.ask(*STATE) == wanted, place


def until(project: Project, question: str, count: int) -> None:
    """Ask the server again until it counts so many: it tells nobody of its indexes and sessions by itself."""
    deadline = time.monotonic() + 120
    while (found := project.ask(question)) != [[[count]]]:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def test_an_index_left_invalid_by_a_kill_is_built_anew(project: Project) -> None:
    project.write(SECOND_MODELS, m0002_second=SECOND)
    # A snapshot that stands in no statement's way, and that an index being built has to outwait.
    snapshot = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1"
    (project.folder / "hold.py").write_text(HOLD.replace("SELECT count(*) FROM shop_item", snapshot))
    invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
    with (
        project.environment.started(["python", "hold.py", "600"], project.folder, project.env) as holder,
        project.migrating() as process,
    ):
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        until(project, invalid, 1)
        process.kill()
        # The server sees by itself that nobody is left to answer.
        building = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%'"
        until(project, building, 0)
    assert project.ask(invalid) == [[[1]]]
    ended = project.migrate()
    assert ended.code == 0, ended.out + ended.err
    assert project.ask(invalid) == [[[0]]]


def test_migrations_go_past_a_pooler_where_the_environment_says_how(project: Project) -> None:
    env = project.env
    url = f"postgres://blog:{ENCODED}@{env['HOST']}:{env['PORT']}/{env['NAME']}"
    ended = project.migrate(HOST="127.0.0.1", PORT="9", NUAGES_DATABASE_WAIT="2", DIRECT_DATABASE_URL=url)
    assert ended.code == 0, ended.out + ended.err


BREAKS = THIRD.replace("apps.get_model", "1 / 0 if BROKEN else None\n        apps.get_model").replace(
    "def fill", "BROKEN = True\n\n    def fill", 1
)


def test_code_that_fails_after_the_commit_is_run_again_once_it_is_mended(project: Project) -> None:
    project.write(SECOND_MODELS, m0002_second=SECOND, m0003_third=BREAKS)
    ended = project.migrate()
    assert ended.code == 1, ended.out
    (failed,) = [event for event in events(ended) if event["event"] == "failed"]
    assert (failed["migration"], failed["error"]) == ("shop.0003_third", "ZeroDivisionError: division by zero")
    assert "nuages: migration failed in shop.0003_third: ZeroDivisionError" in ended.out
    assert project.ask(OLD_INSERT) == [[[3]]]  # the old version serves
    project.write(SECOND_MODELS, m0003_third=BREAKS.replace("BROKEN = True", "BROKEN = False"))
    again = project.migrate()
    assert again.code == 0, again.out + again.err
    assert project.ask(
        "SELECT sum(count) FROM shop_item", "SELECT count(*) FROM nuages_journal WHERE kind = 'data'"
    ) == [
        [[51 * 4]],
        [[0]],
    ]


BACKFILL = THIRD.replace("operations = [", 'nuages = "backfill"\n        operations = [')


def test_a_backfill_runs_when_the_rollout_is_over(project: Project) -> None:
    project.write(SECOND_MODELS, m0002_second=SECOND, m0003_third=BACKFILL)
    ended = project.migrate()
    assert ended.code == 0, ended.out + ended.err
    assert [event["backfills"] for event in events(ended) if event["event"] == "deferred"] == [1]
    assert project.ask("SELECT sum(count) FROM shop_item") == [[[150]]]
    for _ in range(2):  # once, however often it is asked for
        settled = project.migrate("--stage", "settle")
        assert settled.code == 0, settled.out + settled.err
        assert project.ask("SELECT sum(count) FROM shop_item") == [[[200]]]


NOT_ATOMIC = """
    def first(apps, editor):
        item = apps.get_model("shop", "item").objects.get(id=1)
        item.title = "once" + item.title
        item.save()

    def second(apps, editor):
        raise ValueError("broken")


    class Migration(migrations.Migration):
        atomic = False
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.AddField("item", "more", models.TextField(null=True)),
            migrations.RunPython(first, migrations.RunPython.noop, atomic=True),
            migrations.RunPython(second, migrations.RunPython.noop),
        ]
"""


def test_a_migration_that_is_not_atomic_goes_on_at_the_operation_where_it_stopped(project: Project) -> None:
    project.write(FIRST_MODELS, m0002_second=NOT_ATOMIC)
    assert project.migrate().code == 1
    assert project.migrate().code == 1
    project.write(FIRST_MODELS, m0002_second=NOT_ATOMIC.replace('raise ValueError("broken")', "pass"))
    ended = project.migrate()
    assert ended.code == 0, ended.out + ended.err
    assert project.ask("SELECT title FROM shop_item WHERE id = 1", "SELECT count(*) FROM nuages_journal") == [
        [["oncei1"]],
        [[0]],
    ]
