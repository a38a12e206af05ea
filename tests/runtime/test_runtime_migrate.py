from __future__ import annotations

from pathlib import Path

import pytest
from environments import Environment
from styles import PLAIN, write

pytestmark = pytest.mark.runtime

# A replica and another system's database beside them: neither is migrated.
DATABASES = """
DATABASES["events"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "events.sqlite3"}
DATABASES["replica"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "replica.sqlite3"}
DATABASE_ROUTERS = ["proj.routers.Events"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache_table"}}
"""
ROUTER = """
class Events:
    def allow_migrate(self, db, app_label, **hints):
        return {"events": app_label == "pages", "replica": False}.get(db, app_label != "pages")
"""
MIGRATE = """
from django.core.management.commands.migrate import Command as Migrate


class Command(Migrate):
    def handle(self, *args, **options):
        self.stdout.write("the project's own migrate")
        super().handle(*args, **options)
"""
MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [migrations.CreateModel("Event", [("id", models.AutoField(primary_key=True))])]
"""
MISSING = """
import django, sqlite3, pathlib
django.setup()
from nuages_runtime.startup import missing, migrated
print(migrated(), missing())
tables = {}
for name in ("db", "events", "replica"):
    query = "SELECT name FROM sqlite_master WHERE name IN ('pages_event', 'auth_user', 'cache_table')"
    tables[name] = sorted(row[0] for row in sqlite3.connect(name + ".sqlite3").execute(query))
print(tables)
"""
ENV = {"DJANGO_SETTINGS_MODULE": "proj.settings"}


def test_each_database_that_a_router_migrates_is_migrated_by_the_projects_own_command(
    environment: Environment, tmp_path: Path
) -> None:
    write(
        tmp_path,
        {
            "proj/settings.py": PLAIN + DATABASES,
            "proj/routers.py": ROUTER,
            "pages/management/commands/migrate.py": MIGRATE,
            "pages/migrations/__init__.py": "",
            "pages/migrations/0001_initial.py": MIGRATION,
        },
    )
    (tmp_path / "asked.py").write_text(MISSING)
    before = environment.run(["python", "asked.py"], tmp_path, ENV)
    assert before.code == 0, before.err
    assert before.out.startswith("['default', 'events']")
    assert "pages.0001_initial'" in before.out
    assert "pages.0001_initial in events'" in before.out
    for _ in range(2):  # a second time, and nothing is done twice
        ended = environment.run(["python", "-m", "nuages_runtime.migrate"], tmp_path, ENV)
        assert ended.code == 0, ended.err
        assert ended.out.count("the project's own migrate") == 2
        assert ended.out.strip().endswith("nuages: migrations are applied")
    after = environment.run(["python", "asked.py"], tmp_path, ENV)
    assert after.out.splitlines() == [
        "['default', 'events'] []",
        "{'db': ['auth_user', 'cache_table'], 'events': ['pages_event'], 'replica': []}",
    ]


def test_a_migration_that_fails_is_named_in_the_last_line(environments, tmp_path: Path) -> None:
    broken = MIGRATION.replace('migrations.CreateModel("Event", [("id", models.AutoField(primary_key=True))])', "SQL")
    broken = broken.replace("class Migration", 'SQL = migrations.RunSQL("SELECT 1 FROM nowhere")\n\n\nclass Migration')
    write(
        tmp_path,
        {"proj/settings.py": PLAIN, "pages/migrations/__init__.py": "", "pages/migrations/0001_initial.py": broken},
    )
    ended = environments("django6.1-python3.13").run(["python", "-m", "nuages_runtime.migrate"], tmp_path, ENV)
    assert ended.code == 1
    assert ended.out.strip().splitlines()[-1] == (
        "nuages: migration failed in pages.0001_initial: OperationalError: no such table: nowhere; "
        "the statement was: SELECT 1 FROM nowhere"
    )


REMOVES = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("pages", "0001_initial")]
    operations = [migrations.DeleteModel("Event")]
"""


def test_where_nothing_can_be_held_back_a_removal_is_refused_while_code_runs(environments, tmp_path: Path) -> None:
    files = {
        "proj/settings.py": PLAIN,
        "pages/migrations/__init__.py": "",
        "pages/migrations/0001_initial.py": MIGRATION,
    }
    write(tmp_path, files)
    environment = environments("django6.1-python3.13")
    assert environment.run(["python", "-m", "nuages_runtime.migrate"], tmp_path, ENV).code == 0
    write(tmp_path, {"pages/migrations/0002_gone.py": REMOVES})
    beside = ENV | {"NUAGES_RUNNING": "/run/nuages/running.json.gz"}
    ended = environment.run(["python", "-m", "nuages_runtime.migrate"], tmp_path, beside)
    assert ended.code == 5, ended.out + ended.err
    assert "pages.0002_gone: Delete model Event" in ended.out
    assert "migration.E431" in ended.out
    assert environment.run(["python", "-m", "nuages_runtime.migrate"], tmp_path, ENV).code == 0
