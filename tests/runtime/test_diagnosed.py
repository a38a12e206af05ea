"""What real programs say against a real database, and the cause that is made of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from environments import Environment
from postgres import ENCODED, PASSWORD
from styles import PLAIN, write

from nuages.rollout.causes import Cause, Evidence, explain
from nuages.rollout.pods import Symptom, Trouble

pytestmark = pytest.mark.runtime
WITH = "django5.2-python3.13"

MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{depends}]
    operations = [{operation}]
"""
FIRST = 'migrations.CreateModel("Page", [("id", models.AutoField(primary_key=True))])'
SECOND = 'migrations.AddField("page", "slug", models.CharField(max_length=20, null=True))'
PROJECT = {
    "proj/settings.py": PLAIN,
    "pages/migrations/__init__.py": "",
    "pages/migrations/0001_initial.py": MIGRATION.format(depends="", operation=FIRST),
    "pages/migrations/0002_slug.py": MIGRATION.format(depends='("pages", "0001_initial")', operation=SECOND),
}
# As whoever has the database; `keeps` holds what the statements did open until the process is ended.
SQL = """
import sys, time, psycopg
with psycopg.connect(sys.argv[1], autocommit="keeps" not in sys.argv) as connection:
    for statement in sys.argv[2].split(";"):
        connection.execute(statement)
    print("done", flush=True)
    if "keeps" in sys.argv:
        time.sleep(600)
"""


class Shop:
    """A project and its database, which one test has for itself."""

    def __init__(self, environment: Environment, folder: Path, address: str, name: str) -> None:
        self.environment, self.folder, self.address, self.name = environment, folder, address, name
        write(folder, PROJECT)
        (folder / "sql.py").write_text(SQL)
        self.sql(f"CREATE DATABASE {name}", "blog")

    def url(self, database: str = "", user: str = f"blog:{ENCODED}", address: str = "") -> str:
        return f"postgres://{user}@{address or self.address}/{database or self.name}"

    def sql(self, statements: str, database: str = "") -> None:
        done = self.environment.run(["python", "sql.py", self.url(database), statements], self.folder)
        assert done.code == 0, done.err

    def migrate(self, url: str = "", **environ: str) -> Cause | None:
        """Run the migrating Job's program to its end; the cause, as a release would tell it."""
        env = {
            "DJANGO_SETTINGS_MODULE": "proj.settings",
            "NUAGES_OVERLAY": "databases,secret-key",
            "NUAGES_COMPONENT": "migrate",
            "SECRET_KEY": "made-in-the-cluster",
            "NUAGES_DATABASE_WAIT": "0",
            "DATABASE_URL": url or self.url(),
            **environ,
        }
        ended = self.environment.run(["python", "-m", "nuages_runtime.migrate"], self.folder, env)
        return cause(ended.out + ended.err, ended.code)


def cause(log: str, code: int) -> Cause | None:
    """What a release makes of a container that ended so."""
    pod = {"metadata": {"name": "blog-1"}, "spec": {"containers": [{"name": "migrate"}]}}
    trouble = Trouble(Symptom.CRASH, "blog-1 crashed", pod, "migrate", exit_code=code, ended=True)
    return explain(Evidence({"kind": "Job", "metadata": {"name": "blog"}, "spec": {}}, trouble, log))


@pytest.fixture
def shop(environments, database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A project with two migrations, and a new database."""
    yield Shop(environments(WITH), tmp_path, database, f"shop_{os.getpid()}_{abs(hash(request.node.name)) % 10**6}")


def test_a_wrong_password_is_told_and_not_shown(shop: Shop) -> None:
    # The image trusts whoever comes over the loopback interface, and only those.
    strict = shop.address.replace("127.0.0.1", own_address())
    found = shop.migrate(shop.url(user="blog:wrong-" + ENCODED, address=strict))
    assert found.id == "diag.D025"
    assert PASSWORD not in " ".join(found)
    assert ENCODED not in " ".join(found)


def own_address() -> str:
    """This machine's address on the network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect(("192.0.2.1", 9))
        return str(way.getsockname()[0])


def test_a_database_that_does_not_exist_is_told(shop: Shop) -> None:
    assert shop.migrate(shop.url("nowhere")).id == "diag.D026"


def test_a_database_that_takes_no_more_connections_is_told(shop: Shop) -> None:
    shop.sql(f"CREATE ROLE narrow_{shop.name} LOGIN PASSWORD 'narrow' CONNECTION LIMIT 0")
    assert shop.migrate(shop.url(user=f"narrow_{shop.name}:narrow")).id == "diag.D027"


def test_a_port_on_which_nothing_listens_is_told(shop: Shop) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nothing = f"127.0.0.1:{closed.getsockname()[1]}"
        assert shop.migrate(shop.url(address=nothing)).id == "diag.D029"


def test_a_host_whose_name_nobody_resolves_is_told(shop: Shop) -> None:
    found = shop.migrate(shop.url(address="nowhere.invalid:5432"))
    assert (found.id, found.cause) == ("diag.D038", "the name of the database's host is not resolved")
    assert "nowhere.invalid" in found.line


def test_a_statement_that_gets_no_lock_is_told_with_its_migration(shop: Shop) -> None:
    (shop.folder / "pages/migrations/0002_slug.py").rename(shop.folder / "later.py")
    shop.migrate()
    (shop.folder / "later.py").rename(shop.folder / "pages/migrations/0002_slug.py")
    argv = ["python", "sql.py", shop.url(), "LOCK TABLE pages_page IN ACCESS EXCLUSIVE MODE", "keeps"]
    with shop.environment.started(argv, shop.folder) as holder:
        assert holder.stdout.readline() == "done\n"
        found = shop.migrate(NUAGES_LOCK_TIMEOUT="200ms", NUAGES_LOCK_PATIENCE="1")
    assert found.id == "diag.D071"
    assert "pages.0002_slug" in found.cause
    assert found.line.startswith("pages_page is held by process")


def test_a_column_that_is_there_already_is_named(shop: Shop) -> None:
    shop.sql("CREATE TABLE pages_page (id serial PRIMARY KEY, slug text)")
    shop.sql("CREATE TABLE django_migrations (id serial PRIMARY KEY, app text, name text, applied timestamptz)")
    shop.sql("INSERT INTO django_migrations (app, name, applied) VALUES ('pages', '0001_initial', now())")
    found = shop.migrate()
    assert (found.id, found.cause) == ("diag.D076", "pages.0002_slug makes slug, which is there already")


def test_migrations_out_of_their_order_are_told(shop: Shop) -> None:
    shop.sql("CREATE TABLE django_migrations (id serial PRIMARY KEY, app text, name text, applied timestamptz)")
    shop.sql("INSERT INTO django_migrations (app, name, applied) VALUES ('pages', '0002_slug', now())")
    assert shop.migrate().id == "diag.D073"


def test_a_migration_whose_parent_is_not_in_the_image_is_told(shop: Shop) -> None:
    (shop.folder / "pages/migrations/0001_initial.py").unlink()
    assert shop.migrate().id == "diag.D074"


def test_two_last_migrations_are_told(shop: Shop) -> None:
    other = MIGRATION.format(depends='("pages", "0001_initial")', operation="")
    (shop.folder / "pages/migrations/0002_other.py").write_text(other)
    assert shop.migrate().id == "diag.D074"
