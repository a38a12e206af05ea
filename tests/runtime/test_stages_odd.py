"""Databases that are not as most are: names, schemas, rights, partitions; each beside code that runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from environments import Environment
from postgres import PASSWORD
from staged_project import Project, events

pytestmark = pytest.mark.runtime

ID = '("id", models.BigAutoField(primary_key=True))'
HEAD = """
class Migration(migrations.Migration):
    dependencies = {dependencies}
    operations = [
        {operations}
    ]
"""
ELSEWHERE = 'other"."Odd Item'
"""A table in another schema, as projects reach one."""
LONG = "shop_" + "x" * 33
"""With it Django's two indexes of one column begin with the same 57 letters."""
MODELS = f"""
class Elsewhere(models.Model):
    title = models.CharField(max_length=10)

    class Meta:
        db_table = {ELSEWHERE!r}
"""
BEFORE = f"""
{MODELS.replace("max_length=10)", "max_length=10)" + chr(10) + "    old = models.IntegerField()")}

class Long(models.Model):
    title_of = models.CharField(max_length=10, db_index=True)

    class Meta:
        db_table = {LONG!r}

class Parts(models.Model):
    n = models.IntegerField()
"""
FIRST = f"""
migrations.RunSQL("CREATE SCHEMA other"),
migrations.CreateModel("Elsewhere", [{ID}, ("title", models.CharField(max_length=10)),
    ("old", models.IntegerField())], options={{"db_table": {ELSEWHERE!r}}}),
migrations.CreateModel("Long", [{ID}, ("title_of", models.CharField(max_length=10, db_index=True))],
    options={{"db_table": {LONG!r}}}),
migrations.SeparateDatabaseAndState(
    [migrations.RunSQL("CREATE TABLE shop_parts (id bigint PRIMARY KEY, n integer NOT NULL) PARTITION BY RANGE (id)")],
    [migrations.CreateModel("Parts", [{ID}, ("n", models.IntegerField())])]),
"""
SECOND = """
migrations.RunSQL([("INSERT INTO other.\\"Odd Item\\" (title, old) VALUES (%s, 1)", ["tops3cret"])], ""),
migrations.RunSQL("SET app.x = ''; COMMENT ON SCHEMA other IS ''; SELECT 1 -- PASSWORD 'hunter2'", ""),
migrations.RemoveField("elsewhere", "old"),
migrations.DeleteModel("Long"),
migrations.AddIndex("parts", models.Index(fields=["n"], name="parts_n")),
"""
NAMES = f"SELECT relname FROM pg_class WHERE relname LIKE '{LONG[:12]}%' AND relkind IN ('i', 'S', 'r') ORDER BY 1"
ASIDE = "SELECT table_name FROM nuages_journal WHERE kind = 'aside' AND done IS NULL ORDER BY id"


@pytest.fixture
def empty(environments: Callable[[str], Environment], database: str, tmp_path: Path, request: object) -> Project:
    """A project with a database of its own."""
    return Project(environments("django6.1-python3.13"), database, tmp_path, f"odd{abs(hash(tmp_path)) % 10**12}")


def migration(operations: str, *before: str) -> str:
    return HEAD.format(dependencies=[("shop", name) for name in before], operations=operations)


def test_odd_names_other_schemas_and_partitions_are_migrated_like_others(empty: Project) -> None:
    empty.write(BEFORE, m0001_initial=migration(FIRST))
    assert (ended := empty.migrate()).code == 0, ended.out + ended.err
    empty.ask("INSERT INTO other.\"Odd Item\" (title, old) VALUES ('a', 7)")
    names = empty.ask(NAMES)[0]
    assert len(names) == 5, names
    empty.write(MODELS, m0002_second=migration(SECOND, "0001_initial"))
    empty.ask("CREATE TABLE nuages_journal_kept AS SELECT 1", "ALTER TABLE nuages_journal ALTER id RESTART WITH 100000")
    assert (ended := empty.migrate()).code == 0, ended.out + ended.err
    assert "tops3cret" not in ended.out
    assert "hunter2" not in ended.out
    # New code leaves the column out, and the index of a table with partitions is there.
    assert empty.ask("INSERT INTO other.\"Odd Item\" (title) VALUES ('new')") == [[]]
    assert empty.ask("SELECT count(*) FROM pg_class WHERE relname = 'parts_n'") == [[[1]]]
    # A table of that name may lie there already, of a journal in another schema.
    (number,) = empty.ask("SELECT max(id) FROM nuages_journal WHERE column_name = 'old'")[0][0]
    empty.ask("CREATE SCHEMA nuages_aside", f'CREATE TABLE nuages_aside."other.Odd Item__old__{number}" ()')
    assert (ended := empty.migrate("--stage", "contract")).code == 0, ended.out + ended.err
    aside = [name for (name,) in empty.ask(ASIDE)[0]]
    assert aside[0] == f'nuages_aside."other.Odd Item__old__{number}_2"'
    assert empty.ask(f"SELECT old FROM {aside[0]} WHERE old > 1") == [[[7]]]
    assert len(aside) == 2, aside
    # It comes back under all its names, and its data with it.
    ended = empty.migrate("--stage", "undo", "--name", "shop.0002_second")
    assert ended.code == 0, ended.out + ended.err
    assert empty.ask(NAMES, 'SELECT old FROM other."Odd Item" WHERE old > 1') == [names, [[7]]]


TWO = """
DATABASES["other"] = dict(DATABASES["default"])
class Router:
    def allow_migrate(self, db, app_label, **hints):
        return (db == "other") == (app_label == "shop")
DATABASE_ROUTERS = [Router()]
"""


def test_two_aliases_may_be_one_database(empty: Project) -> None:
    settings = empty.folder / "settings.py"
    settings.write_text(settings.read_text() + TWO)
    empty.write("", m0001_initial=migration(""))
    ended = empty.migrate()
    assert ended.code == 0, ended.out + ended.err
    assert "killed" not in ended.out


IN_TURN = """
import subprocess, sys
import django
django.setup()
from django.db import connection
from nuages_runtime.migrations.connect import only_one
with only_one(connection, 10, print):
    connection.ensure_connection()
if len(sys.argv) == 1:
    subprocess.run([sys.executable, __file__, "the next one"], check=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
"""


def test_whoever_has_the_lock_next_ends_nobody_who_gave_it_back(empty: Project) -> None:
    (empty.folder / "in_turn.py").write_text(IN_TURN)
    ended = empty.environment.run(["python", "in_turn.py"], empty.folder, empty.env)
    assert (ended.code, ended.out) == (0, ""), ended.err


RIGHTS = """
DATABASES["default"]["USER"] = os.environ.get("AS", "blog")
"""


def test_where_the_user_may_make_nothing_and_nothing_is_pending_the_release_goes_on(empty: Project) -> None:
    settings = empty.folder / "settings.py"
    settings.write_text(settings.read_text() + RIGHTS)
    empty.write("", m0001_initial=migration(""))
    assert empty.migrate().code == 0
    user = empty.env["NAME"]
    made = empty.ask(
        f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD.replace('%', '%%')}'".replace("%%", "%"),
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {user}",
        "DROP TABLE nuages_journal",
    )
    assert made == [[], [], []]
    ended = empty.migrate(AS=user)
    assert ended.code == 0, ended.out + ended.err
    notes = [event["message"] for event in events(ended) if event["event"] == "note"]
    assert any("no table nuages_journal can be made" in note for note in notes), json.dumps(notes)
