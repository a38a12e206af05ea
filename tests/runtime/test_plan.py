from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from environments import Environment
from plans import FIRST, SECOND, changed, environ, released, write
from plans import blog as first_release

pytestmark = pytest.mark.runtime

RUNNING = {"NUAGES_RUNNING": "running.json.gz"}
SCHEMAS = """
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'nuages%'")
    print([row[0] for row in cursor.fetchall()])
    cursor.execute("SELECT count(*) FROM django_migrations WHERE name = '0002_second'")
    print(cursor.fetchone()[0])
"""


ROLE = """
import os
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'reader'")
    if not cursor.fetchone():
        cursor.execute("CREATE ROLE reader LOGIN PASSWORD %s", [os.environ["PASSWORD"]])
    cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
"""


def asked(environment: Environment, folder: Path, env: dict[str, str], question: str = "plan") -> dict[str, Any]:
    ended = environment.run(["python", "-m", "nuages_runtime.migrations", question], folder, env, timeout=300)
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def second(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The operations of the second migration, by their texts."""
    (migration,) = told["databases"]["default"]["pending"]
    assert (migration["app"], migration["name"]) == ("blog", "0002_second")
    return {operation["text"]: operation for operation in migration["operations"]}


def ids(told: dict[str, Any]) -> list[str]:
    return [gate["id"] for gate in told["gates"] if gate["level"] == "error"]


def test_a_plan_tells_each_statement_with_its_lock_and_leaves_nothing_behind(
    environment: Environment, database: str, tmp_path: Path
) -> None:
    env = environ(database, "plan")
    released(environment, tmp_path, env)
    changed(tmp_path)
    told = asked(environment, tmp_path, env | RUNNING)
    assert ids(told) == []
    operations = second(told)
    assert {text: operation["kind"] for text, operation in operations.items()} == {
        "Create model Tag": "expand",
        "Add field tags to post": "expand",
        "Add field rank to post": "expand",
        "Add field editor to post": "expand",
        "Alter field title on post": "expand",
        "Alter field views on post": "expand",
        "Run fill": "expand",
        "Create index post_views on field(s) views of model post": "expand",
        "Remove field slug from post": "contract",
        "Alter field body on post": "contract",
        "Create constraint post_once on model post": "contract",
    }
    (widened,) = operations["Alter field title on post"]["statements"]
    assert widened["sql"] == 'ALTER TABLE "blog_post" ALTER COLUMN "title" TYPE varchar(200)'
    assert widened["locks"] == [{"table": "blog_post", "mode": "AccessExclusiveLock"}]
    assert not widened["rewrites"]
    assert operations["Alter field views on post"]["statements"][0]["rewrites"]
    (index,) = operations["Create index post_views on field(s) views of model post"]["statements"]
    assert index["sql"].startswith('CREATE INDEX CONCURRENTLY "post_views"')
    assert index["concurrent"]
    assert index["locks"] == [{"table": "blog_post", "mode": "ShareUpdateExclusiveLock"}]
    editor = operations["Add field editor to post"]["statements"]
    assert editor[0]["sql"] == 'ALTER TABLE "blog_post" ADD COLUMN "editor_id" bigint NULL'
    locks = {lock["mode"] for statement in editor[1:] for lock in statement["locks"]}
    assert "AccessExclusiveLock" not in locks
    removed = operations["Remove field slug from post"]["statements"]
    assert [statement["later"] for statement in removed] == [False, True]
    assert operations["Run fill"]["opaque"]
    default = told["databases"]["default"]
    assert default["tables"]["blog_post"]["bytes"] > 0
    assert default["after"]["blog_post"]["columns"]["slug"] == {
        **default["schema"]["live"]["blog_post"]["columns"]["slug"],
        "default": True,
        "constant": True,
    }
    assert default["after"]["blog_post"]["columns"]["title"]["type"] == "varchar(200)"
    assert "blog_tag" in default["after"]
    assert "blog_tag" not in default["schema"]["live"]
    write(tmp_path, looked=SCHEMAS)
    looked = environment.run(["python", "looked.py"], tmp_path, env)
    assert looked.out.split("\n")[:2] == ["[]", "0"], looked.err


@pytest.fixture(scope="module")
def blog(
    environments: Callable[[str], Environment], database: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Environment, Path, dict[str, str]]:
    """The blog's first release, on the newest Django; nothing below migrates it any further."""
    environment, folder = environments("django6.1-python3.13"), tmp_path_factory.mktemp("blog")
    env = environ(database, "gates")
    released(environment, folder, env)
    return environment, folder, env


def migration(operations: str, name: str = "0001_initial") -> str:
    return (
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f'    dependencies = [("blog", "{name}")]\n    operations = [{operations}]\n'
    )


CASES = {
    "what can't be done while a release runs is refused with the way that works": (
        migration('migrations.RenameField("post", "title", "headline")'),
        RUNNING,
        "migration.E430",
        "Rename field title on post to headline: the running code reads and writes blog_post.title, which would be "
        "headline at once",
    ),
    "the same is no reason to refuse where nothing runs": (
        migration('migrations.RenameField("post", "title", "headline")'),
        {},
        "",
        "",
    ),
    "what the database refuses is found before anything is touched": (
        migration('migrations.AddField("post", "slug2", models.SlugField(db_column="slug", null=True))').replace(
            "operations = [",
            'operations = [migrations.SeparateDatabaseAndState([], [migrations.RemoveField("post", "slug")]), ',
        ),
        {},
        "migration.E410",
        'it would fail: ProgrammingError: column "slug" of relation "blog_post" already exists',
    ),
    "a failure behind code that was not run is only a warning": (
        migration(
            'migrations.RunSQL("CREATE TABLE other (id int)"), migrations.SeparateDatabaseAndState('
            '[migrations.RunSQL("SELECT 1")], '
            '[migrations.CreateModel("Other", [("id", models.AutoField(primary_key=True))], {"db_table": "other"})]), '
            'migrations.AddField("other", "a", models.TextField(null=True))'
        ),
        {},
        "migration.W411",
        "the rehearsal ends here, maybe for code that it does not run",
    ),
    "a table of a schema that it names is not touched by a rehearsal": (
        migration(
            'migrations.SeparateDatabaseAndState([], [migrations.AlterModelTable("post", \'public"."blog_post\')]), '
            'migrations.AddField("post", "a", models.TextField(null=True))'
        ),
        {},
        "migration.W411",
        "Escaped",
    ),
}


ASKING = """
from django.db import migrations, models


def somebody():
    from blog.models import Author

    return Author.objects.get_or_create(name="somebody")[0].pk


class Migration(migrations.Migration):
    dependencies = [("blog", "0001_initial")]
    operations = [migrations.AddField("post", "owner", models.IntegerField(default=somebody))]
"""
AUTHORS = "import django\ndjango.setup()\nfrom blog.models import Author\nprint(Author.objects.count())\n"


def test_a_default_that_makes_a_row_makes_none_for_a_question(blog: tuple[Environment, Path, dict[str, str]]) -> None:
    environment, folder, env = blog
    file = folder / "blog" / "migrations" / "0002_second.py"
    file.write_text(ASKING)
    write(folder, authors=AUTHORS)
    try:
        told = asked(environment, folder, env | RUNNING)
    finally:
        file.unlink()
    # Within one question it is the same row twice, and so a constant.
    assert [each["kind"] for each in told["databases"]["default"]["pending"][0]["operations"]] == ["expand"]
    assert environment.run(["python", "authors.py"], folder, env).out.strip() == "0"


@pytest.mark.parametrize("case", list(CASES))
def test_a_plan_finds(blog: tuple[Environment, Path, dict[str, str]], case: str) -> None:
    environment, folder, env = blog
    text, more, identifier, message = CASES[case]
    file = folder / "blog" / "migrations" / "0002_second.py"
    file.write_text(text)
    try:
        told = asked(environment, folder, env | more)
    finally:
        file.unlink()
    found = {gate["id"]: gate["message"] for gate in told["gates"]}
    expected = {"migration.E402", *filter(None, [identifier])}
    assert set(found) - {"migration.W413", "migration.I414"} <= expected, found
    assert message in found.get(identifier, "")


UNNOTICED = """

class Recent(models.Manager):
    use_in_migrations = True


class Shown(Author):
    class Meta:
        proxy = True
"""


GATES = """
import json
import django
django.setup()
from nuages_runtime.migrations.gates import of_the_image
print(json.dumps(list(of_the_image())))
"""


@pytest.mark.parametrize("name", ["django4.2-python3.11", "django6.1-python3.13"])
def test_a_change_that_no_database_notices_is_told_and_holds_nothing_back(
    environments: Callable[[str], Environment], name: str, tmp_path: Path
) -> None:
    environment = environments(name)
    first_release(tmp_path)
    write(tmp_path, gates=GATES)
    models = tmp_path / "blog" / "models.py"
    before = models.read_text()
    unnoticed = (
        before.replace("max_length=100", 'max_length=100, default="Nameless", verbose_name="headline", blank=True')
        .replace("class Post(models.Model):", "class Post(models.Model):\n    objects = Recent()\n")
        .replace("class Post", f"{UNNOTICED.strip()}\n\n\nclass Post")
        .replace("IntegerField(default=0)", "IntegerField(default=1, choices=[(1, 1), (2, 2)])")
    )

    def gates(text: str) -> list[tuple[str, str]]:
        models.write_text(text)
        # Nothing answers there: the models and the files are all that is asked.
        ended = environment.run(["python", "gates.py"], tmp_path, environ("127.0.0.1:1", "none"))
        assert ended.code == 0, ended.err
        return [(each["id"], each["message"]) for each in json.loads(ended.out)]

    ((identifier, message),) = gates(unnoticed)
    assert identifier == "migration.I415"
    assert message.startswith("models of blog and its migrations differ in what no database knows: ")
    # Beside one that a database notices, only that one is why.
    assert gates(unnoticed.replace("SlugField()", "SlugField(max_length=60)")) == [
        ("migration.E402", "models of blog have changed without a migration: Alter field slug on post")
    ]


def test_the_gates_find_what_the_project_itself_says(
    blog: tuple[Environment, Path, dict[str, str]], tmp_path: Path
) -> None:
    environment, folder, env = blog
    migrations = folder / "blog" / "migrations"
    models = folder / "blog" / "models.py"
    before = models.read_text()
    assert ids(asked(environment, folder, env, "check")) == []
    try:
        models.write_text(before.replace("max_length=100", "max_length=120"))
        told = asked(
            environment, folder, env | {"NUAGES_CLASSES": '{"blog.0007_x": "backfill", "blog.y": "soon"}'}, "check"
        )
        found = {gate["id"]: gate["message"] for gate in told["gates"]}
        assert found["migration.E402"] == "models of blog have changed without a migration: Alter field title on post"
        assert "migration.I415" not in found
        assert found["migration.W407"] == "no migration is called blog.0007_x"
        assert found["migration.E406"] == "soon is no class of migrations"
        models.write_text(before)
        (migrations / "0002_a.py").write_text(migration(""))
        (migrations / "0002_b.py").write_text(migration(""))
        told = asked(environment, folder, env, "check")
        found = {gate["id"]: gate["message"] for gate in told["gates"]}
        assert found["migration.E401"] == "blog has 2 last migrations: 0002_a, 0002_b"
        (migrations / "0002_b.py").unlink()
        (migrations / "0002_a.py").unlink()
        (migrations / "0000_zero.py").write_text(migration("").replace('("blog", "0001_initial")', ""))
        (migrations / "0001_initial.py").write_text(
            FIRST.replace("initial = True", 'dependencies = [("blog", "0000_zero")]')
        )
        told = asked(environment, folder, env, "check")
        found = {gate["id"]: gate["message"] for gate in told["gates"]}
        assert "blog.0001_initial is applied before its dependency blog.0000_zero" in found["migration.E403"]
    finally:
        models.write_text(before)
        (migrations / "0001_initial.py").write_text(FIRST)
        for name in ("0000_zero", "0002_a", "0002_b"):
            (migrations / f"{name}.py").unlink(missing_ok=True)


def test_checks_that_the_spec_lets_pass_are_not_told_and_some_are_the_projects_own_matter(
    blog: tuple[Environment, Path, dict[str, str]],
) -> None:
    environment, folder, env = blog
    weak = env | {"KEY": "short"}
    told = asked(environment, folder, weak, "check")
    checks = [(gate["id"], gate["message"].partition(":")[0]) for gate in told["gates"]]
    assert ("migration.E404", "security.W009") in checks
    assert ("migration.I414", "security.W003") in checks
    told = asked(environment, folder, weak | {"NUAGES_CHECKS_IGNORED": "security.W009, security.W003"}, "check")
    checks = [(gate["id"], gate["message"].partition(":")[0]) for gate in told["gates"]]
    assert "security.W009" not in dict(map(reversed, checks))
    assert "security.W003" not in dict(map(reversed, checks))


def test_a_job_refuses_what_the_gates_find_before_it_touches_anything(
    blog: tuple[Environment, Path, dict[str, str]],
) -> None:
    environment, folder, env = blog
    migrate = ["python", "-m", "nuages_runtime.migrate"]
    ended = environment.run(migrate, folder, env | {"KEY": "short", "NUAGES_CHECKS_IGNORED": "-"})
    assert ended.code == 5, ended.out
    assert "security.W009" in ended.out
    assert ended.out.strip().endswith("nuages: refused: the project is not fit for it; nothing was touched")
    passed = environment.run(migrate, folder, env | {"KEY": "short", "NUAGES_CHECKS_IGNORED": "security.W009"})
    assert passed.code == 0, passed.out


def test_an_inspection_tells_what_the_code_needs_and_what_is_there(
    blog: tuple[Environment, Path, dict[str, str]],
) -> None:
    environment, folder, env = blog
    told = asked(environment, folder, env, "inspect")
    default = told["databases"]["default"]
    assert "slug" in default["wanted"]["blog_post"]["columns"]
    assert "slug" in default["live"]["blog_post"]["columns"]
    assert default["applied"] == ["blog.0001_initial"]


def test_who_may_make_no_schema_is_told_so_and_gets_the_classes(
    blog: tuple[Environment, Path, dict[str, str]],
) -> None:
    environment, folder, env = blog
    write(folder, role=ROLE)
    ended = environment.run(["python", "role.py"], folder, env)
    assert ended.code == 0, ended.err
    (folder / "blog" / "migrations" / "0002_second.py").write_text(SECOND)
    try:
        told = asked(environment, folder, env | RUNNING | {"ROLE": "reader"})
    finally:
        (folder / "blog" / "migrations" / "0002_second.py").unlink()
    found = {gate["id"]: gate["message"] for gate in told["gates"]}
    assert "permission denied for database gates" in found["migration.W412"]
    assert second(told)["Remove field slug from post"]["kind"] == "contract"


def test_a_plan_counts_with_what_earlier_releases_held_back(
    environments: Callable[[str], Environment], database: str, tmp_path: Path
) -> None:
    environment, env = environments("django5.2-python3.13"), environ(database, "held")
    released(environment, tmp_path, env)
    changed(tmp_path, SECOND.replace('raise AssertionError("nobody runs this in a rehearsal")', "pass"))
    for program in (["-m", "nuages_runtime.migrate"], ["recorded.py"]):
        ended = environment.run(["python", *program], tmp_path, env | RUNNING)
        assert ended.code == 0, ended.out + ended.err
    third, models = tmp_path / "blog" / "migrations" / "0003_third.py", tmp_path / "blog" / "models.py"
    models.write_text(models.read_text().replace("    tags =", "    short = models.SlugField(null=True)\n    tags ="))
    add = migration('migrations.AddField("post", "short", models.SlugField(null=True))', "0002_second")
    third.write_text(add)
    told = asked(environment, tmp_path, env | RUNNING)
    default = told["databases"]["default"]
    assert {entry["kind"] for entry in default["journal"]} == {"contract", "tidy"}
    assert any('"blog_post" DROP COLUMN "slug"' in entry["sql"] for entry in default["journal"])
    assert [each["kind"] for each in default["pending"][0]["operations"]] == ["expand"]
    assert ids(told) == []
    # What nobody needs any more goes first.
    assert "slug" not in default["after"]["blog_post"]["columns"]
    assert "short" in default["after"]["blog_post"]["columns"]
    assert not default["after"]["blog_post"]["columns"]["body"]["null"]
    manual = asked(environment, tmp_path, env | RUNNING | {"NUAGES_CONTRACT": "manual"})
    assert "slug" in manual["databases"]["default"]["after"]["blog_post"]["columns"]
    # The same name again: what is there is not dropped under code that wants it, and can't be made twice.
    models.write_text(models.read_text().replace("short", "slug"))
    third.write_text(add.replace("short", "slug"))
    told = asked(environment, tmp_path, env | RUNNING)
    assert ids(told) == ["migration.E430", "migration.E410"]  # nor by a maintenance release
    assert "blog_post.slug is still there" in next(g["message"] for g in told["gates"] if g["id"] == "migration.E430")


def test_on_a_database_that_can_hold_nothing_back_a_plan_refuses_what_it_would(
    environments: Callable[[str], Environment], tmp_path: Path
) -> None:
    environment, env = environments("django6.0-python3.13"), environ("127.0.0.1:1", "none")
    first_release(tmp_path)
    settings = tmp_path / "proj" / "settings.py"
    head = settings.read_text().partition("DATABASES =")[0]
    settings.write_text(head + 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db"}}\n')
    for program in (["-m", "nuages_runtime.migrate"], ["recorded.py"]):
        ended = environment.run(["python", *program], tmp_path, env)
        assert ended.code == 0, ended.out + ended.err
    changed(tmp_path)
    told = asked(environment, tmp_path, env | RUNNING)
    refused = [gate["message"].partition(":")[0] for gate in told["gates"] if gate["id"] == "migration.E431"]
    assert refused == [
        "Add field rank to post",
        "Remove field slug from post",
        "Alter field body on post",
        "Create constraint post_once on model post",
    ]
    assert ids(asked(environment, tmp_path, env)) == []
