"""Run in the image's own Python: the class of each operation, printed as JSON {sentence: Judged}.

Each case is judged against a blog whose running code is what the state before the operation says, unless it says
otherwise. No database is asked.
"""

from __future__ import annotations

import datetime
import json
import sys
import uuid
from dataclasses import asdict

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.postgres"],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.postgresql", "NAME": "nobody_asks"},
        "lite": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    },
    DATABASE_ROUTERS=["operations_judged.Router"],
    BLOG_AUTHOR_MODEL="blog.Author",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.contrib.postgres import operations as postgres  # noqa: E402
from django.contrib.postgres.constraints import ExclusionConstraint  # noqa: E402
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators  # noqa: E402
from django.db import migrations, models  # noqa: E402
from django.db.migrations.state import ProjectState  # noqa: E402
from django.db.models import Q  # noqa: E402
from django.utils import timezone  # noqa: E402

from nuages_runtime.migrations.operations import classify  # noqa: E402

HUGE = 1 << 40
TINY = 1 << 16


class Router:
    """An app `elsewhere` lives in no database that is judged here."""

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        return app_label != "elsewhere" and not hints.get("elsewhere")


def token() -> str:
    return uuid.uuid4().hex


def always() -> str:
    return "draft"


def check(name: str, condition: Q) -> models.CheckConstraint:
    return models.CheckConstraint(**{"condition" if django.VERSION >= (5, 1) else "check": condition, "name": name})


def fill(apps: object, editor: object) -> None:
    """What a data migration does."""


class Vacuum(migrations.RunPython):
    """A stranger's operation that does as Django's does."""

    def describe(self) -> str:
        return "vacuum"


class Trigger(migrations.operations.base.Operation):
    """A stranger's operation of its own."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(self, app_label: str, schema_editor: object, from_state: object, to_state: object) -> None:
        pass


class LoudAdd(migrations.AddField):
    """A stranger's operation that does more than Django's."""

    def database_forwards(self, app_label: str, schema_editor: object, from_state: object, to_state: object) -> None:
        super().database_forwards(app_label, schema_editor, from_state, to_state)


class Marked(migrations.RunPython):
    nuages = "backfill"


def base() -> ProjectState:
    state = ProjectState()
    key = ("id", models.AutoField(primary_key=True))
    made = [
        ("Author", [key, ("name", models.CharField(max_length=50, unique=True))], {}),
        ("Tag", [key, ("name", models.CharField(max_length=50))], {}),
        (
            "Post",
            [
                key,
                ("title", models.CharField(max_length=100)),
                ("slug", models.SlugField(null=True, db_index=False)),
                ("body", models.TextField()),
                ("views", models.IntegerField(default=0)),
                ("price", models.DecimalField(max_digits=10, decimal_places=2, null=True)),
                ("size", models.SmallIntegerField(null=True)),
                ("when", models.DateField(null=True, db_index=True)),
                ("number", models.IntegerField(null=True)),
                ("labels", ArrayField(models.CharField(max_length=10), null=True)),
                ("author", models.ForeignKey("blog.Author", models.CASCADE)),
                ("tags", models.ManyToManyField("blog.Tag")),
            ],
            {"indexes": [models.Index(fields=["title"], name="post_title")]},
        ),
        ("Page", [key, ("text", models.TextField(null=True))], {"unique_together": {("id", "text")}}),
        ("Album", [key, ("pages", models.ManyToManyField("blog.Page"))], {}),
        ("Legacy", [key], {"managed": False}),
    ]
    for name, fields, options in made:
        migrations.CreateModel(name, fields, options).state_forwards("blog", state)
    link = models.OneToOneField("blog.Post", models.CASCADE, auto_created=True, parent_link=True, primary_key=True)
    migrations.CreateModel("Review", [("post_ptr", link)], {}, bases=("blog.post",)).state_forwards("blog", state)
    migrations.CreateModel("Loud", [], {"proxy": True}, bases=("blog.post",)).state_forwards("blog", state)
    migrations.AddConstraint("post", check("post_views", Q(views__gte=0))).state_forwards("blog", state)
    if django.VERSION >= (5, 0):
        field = models.IntegerField(db_default=7)
        migrations.AddField("post", "rank", field).state_forwards("blog", state)
    return state


def wanted(state: ProjectState) -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    """What the code of a state reads and writes, as schema.py tells it, as far as classes depend on it."""
    found = {}
    for model in state.apps.get_models(include_auto_created=True):
        if not model._meta.proxy:
            fields = model._meta.local_concrete_fields
            found[model._meta.db_table] = {"columns": {f.column: {"null": f.null} for f in fields}}
    return found


def add(name: str, field: models.Field, **more: object) -> migrations.AddField:
    return migrations.AddField("post", name, field, **more)


def alter(name: str, field: models.Field, model: str = "post", **more: object) -> migrations.AlterField:
    return migrations.AlterField(model, name, field, **more)


def author(**more: object) -> models.ForeignKey:
    return models.ForeignKey("blog.Author", models.CASCADE, **more)


def sql(text: object, **more: object) -> migrations.RunSQL:
    return migrations.RunSQL(text, **more)


char, text, integer = models.CharField, models.TextField, models.IntegerField

# Sentence: (operation or operations: the last one is judged, what is said beside it).
CASES: dict[str, tuple[object, dict[str, object]]] = {
    # Models
    "a new model": (migrations.CreateModel("New", [("id", models.AutoField(primary_key=True))]), {}),
    "a new child of a model that is there": (migrations.CreateModel("Child", [], bases=("blog.post",)), {}),
    "a new proxy": (migrations.CreateModel("Quiet", [], {"proxy": True}, bases=("blog.post",)), {}),
    "a new unmanaged model": (
        migrations.CreateModel("Foreign", [("id", models.AutoField(primary_key=True))], {"managed": False}),
        {},
    ),
    "a new model of an app that lives elsewhere": (
        migrations.CreateModel("New", [("id", models.AutoField(primary_key=True))]),
        {"app": "elsewhere"},
    ),
    "a new model that another one stands for": (
        migrations.CreateModel(
            "Writer", [("id", models.AutoField(primary_key=True))], {"swappable": "BLOG_AUTHOR_MODEL"}
        ),
        {},
    ),
    "a model is deleted": (migrations.DeleteModel("Page"), {}),
    "a model is deleted with its many-to-many tables": (migrations.DeleteModel("Post"), {}),
    "a model is deleted that the running code does not know": (
        migrations.DeleteModel("Page"),
        {"unknown": ["blog_page"]},
    ),
    "an unmanaged model is deleted": (migrations.DeleteModel("Legacy"), {}),
    "a proxy is deleted": (migrations.DeleteModel("Loud"), {}),
    "a model is deleted and made again": (
        [migrations.DeleteModel("Page"), migrations.CreateModel("Page", [("id", models.AutoField(primary_key=True))])],
        {},
    ),
    "a model is renamed": (migrations.RenameModel("Page", "Sheet"), {}),
    "a model is renamed that the running code does not know": (
        migrations.RenameModel("Page", "Sheet"),
        {"unknown": ["blog_page"]},
    ),
    "a model is renamed whose table keeps its name": (
        [migrations.AlterModelTable("Author", "blog_author"), migrations.RenameModel("Author", "Writer")],
        {},
    ),
    "a model with many-to-many fields is renamed, and its table keeps its name": (
        [migrations.AlterModelTable("Album", "blog_album"), migrations.RenameModel("Album", "Book")],
        {},
    ),
    "a model that many-to-many fields lead to is renamed, and its table keeps its name": (
        [migrations.AlterModelTable("Page", "blog_page"), migrations.RenameModel("Page", "Sheet")],
        {},
    ),
    "a model made in this plan is renamed": (
        [
            migrations.CreateModel("New", [("id", models.AutoField(primary_key=True))]),
            migrations.RenameModel("New", "Newer"),
        ],
        {},
    ),
    "a field of a model that was made and renamed in this plan is removed": (
        [
            migrations.CreateModel("New", [("id", models.AutoField(primary_key=True)), ("a", text())]),
            migrations.RenameModel("New", "Newer"),
            migrations.RemoveField("Newer", "a"),
        ],
        {},
    ),
    "a proxy is renamed": (migrations.RenameModel("Loud", "Louder"), {}),
    "a table gets another name": (migrations.AlterModelTable("Page", "sheets"), {}),
    "a table gets the name that it has": (migrations.AlterModelTable("Page", "blog_page"), {}),
    "a table gets a comment": (migrations.AlterModelTableComment("Page", "sheets of paper"), {}),
    "options of a model": (migrations.AlterModelOptions("Page", {"verbose_name": "sheet", "ordering": ["id"]}), {}),
    "managers of a model": (migrations.AlterModelManagers("Page", []), {}),
    "a model is ordered with respect to another": (migrations.AlterOrderWithRespectTo("post", "author"), {}),
    "a model is ordered no more": (
        [migrations.AlterOrderWithRespectTo("post", "author"), migrations.AlterOrderWithRespectTo("post", None)],
        {"running_after": 1},
    ),
    # Fields that are added
    "a field that may be null": (add("a", text(null=True)), {}),
    "a field of a table that the running code does not know": (add("a", text(unique=True)), {"unknown": ["blog_post"]}),
    "a field of a table made in this plan": (
        [
            migrations.CreateModel("New", [("id", models.AutoField(primary_key=True))]),
            migrations.AddField("New", "a", text(unique=True, default="")),
        ],
        {},
    ),
    "a field with a default": (add("a", integer(default=3)), {}),
    "a field with a default on SQLite": (add("a", integer(default=3)), {"vendor": "sqlite"}),
    "a field that may be null on SQLite": (add("a", integer(null=True)), {"vendor": "sqlite"}),
    "a text that may be blank, without a default": (add("a", char(max_length=9, blank=True)), {}),
    "a field that may not be null and has no default": (add("a", integer()), {}),
    "a field with a one-off default": (add("a", integer(default=3), preserve_default=False), {}),
    "a field whose default is a callable that always says the same": (add("a", char(max_length=9, default=always)), {}),
    "a JSON field whose default is dict": (add("a", models.JSONField(default=dict)), {}),
    "a field whose default is another each time": (add("a", char(max_length=32, default=token)), {}),
    "a field whose default is now": (add("a", models.DateTimeField(default=timezone.now)), {}),
    "a field whose default is today": (add("a", models.DateField(default=datetime.date.today)), {}),
    "a field that is set when a row is made": (
        add("a", models.DateTimeField(auto_now_add=True, default=timezone.now), preserve_default=False),
        {},
    ),
    "a field whose default fails": (add("a", integer(default=lambda: 1 // 0)), {}),
    "a unique field that may be null": (add("a", integer(null=True, unique=True)), {}),
    "a unique field with a default": (add("a", integer(default=3, unique=True)), {}),
    "a unique field that may be null, with a default": (
        add("a", models.UUIDField(default=uuid.uuid4, unique=True, null=True)),
        {},
    ),
    "an indexed field that may be null": (add("a", char(max_length=9, null=True, db_index=True)), {}),
    "a foreign key that may be null": (add("a", author(null=True, related_name="+")), {}),
    "a foreign key with a default": (add("a", author(default=1, related_name="+")), {}),
    "a one-to-one that may be null": (add("a", models.OneToOneField("blog.Tag", models.CASCADE, null=True)), {}),
    "a one-to-one with a default": (add("a", models.OneToOneField("blog.Tag", models.CASCADE, default=1)), {}),
    "a many-to-many field": (add("a", models.ManyToManyField("blog.Tag", related_name="+")), {}),
    "a many-to-many field through a model": (
        add("a", models.ManyToManyField("blog.Tag", through="blog.Page", related_name="+")),
        {},
    ),
    "a field of a proxy": (migrations.AddField("loud", "a", integer()), {}),
    "a field of an unmanaged model": (migrations.AddField("legacy", "a", integer()), {}),
    "a field of the name of one that was removed": (
        [migrations.RemoveField("post", "slug"), add("slug", integer(null=True))],
        {},
    ),
    "a field of the name of one that still waits to be dropped": (
        add("a", integer(null=True)),
        {"waiting": [["blog_post", "a"]]},
    ),
    "a field of the name of one that was removed, which the running code does not know": (
        [migrations.RemoveField("post", "slug"), add("slug", integer(null=True))],
        {"unknown_columns": {"blog_post": ["slug"]}},
    ),
    "a many-to-many field of the name of one that was removed": (
        [migrations.RemoveField("post", "tags"), add("tags", models.ManyToManyField("blog.Author", related_name="+"))],
        {},
    ),
    # Fields that are removed
    "a field is removed": (migrations.RemoveField("post", "slug"), {}),
    "a field is removed that the running code does not know": (
        migrations.RemoveField("post", "slug"),
        {"unknown_columns": {"blog_post": ["slug"]}},
    ),
    "a foreign key is removed": (migrations.RemoveField("post", "author"), {}),
    "a many-to-many field is removed": (migrations.RemoveField("post", "tags"), {}),
    "a many-to-many field is removed that the running code does not know": (
        migrations.RemoveField("post", "tags"),
        {"unknown": ["blog_post_tags"]},
    ),
    "the key of a child is removed": (migrations.RemoveField("review", "post_ptr"), {}),
    "a field is removed on SQLite": (migrations.RemoveField("post", "slug"), {"vendor": "sqlite"}),
    "a field is removed and nothing runs": (migrations.RemoveField("post", "slug"), {"nothing": True}),
    "a field that was added in this plan is removed": (
        [add("a", text(null=True)), migrations.RemoveField("post", "a")],
        {},
    ),
    # Fields that are renamed
    "a field is renamed": (migrations.RenameField("post", "title", "headline"), {}),
    "a field is renamed whose column keeps its name": (
        [alter("title", char(max_length=100, db_column="title")), migrations.RenameField("post", "title", "headline")],
        {},
    ),
    "a field is renamed that the running code does not know": (
        migrations.RenameField("post", "title", "headline"),
        {"unknown_columns": {"blog_post": ["title"]}},
    ),
    "a field is renamed that was added in this plan": (
        [add("a", text(null=True)), migrations.RenameField("post", "a", "b")],
        {},
    ),
    "a many-to-many field is renamed": (migrations.RenameField("post", "tags", "labels2"), {}),
    "a many-to-many field is renamed whose table keeps its name": (
        [
            alter("tags", models.ManyToManyField("blog.Tag", db_table="blog_post_tags")),
            migrations.RenameField("post", "tags", "labels2"),
        ],
        {},
    ),
    # Fields that are altered
    "a longer text": (alter("title", char(max_length=200)), {}),
    "a text without end": (alter("title", text()), {}),
    "a shorter text": (alter("title", char(max_length=50)), {}),
    "a text that gets an end": (alter("body", char(max_length=50)), {}),
    "a shorter text that the running code does not know, of a small table": (
        alter("title", char(max_length=50)),
        {"unknown_columns": {"blog_post": ["title"]}, "size": TINY},
    ),
    "choices": (alter("title", char(max_length=100, choices=[("a", "A")])), {}),
    "help, a label and validators": (
        alter("title", char("headline", max_length=100, help_text="short", validators=[print], blank=True)),
        {},
    ),
    "a default of Python's": (alter("views", integer(default=1)), {}),
    "what a delete does, by Django": (
        alter("author", models.ForeignKey("blog.Author", models.PROTECT, related_name="posts")),
        {},
    ),
    "a bigger integer of a large table": (alter("views", models.BigIntegerField(default=0)), {}),
    "a bigger integer of a small table": (alter("views", models.BigIntegerField(default=0)), {"size": TINY}),
    "a smaller integer": (alter("views", models.SmallIntegerField(default=0)), {}),
    "a bigger key of a small table, with large ones that refer to it": (
        alter("id", models.BigAutoField(primary_key=True), "author"),
        {"sizes": {"blog_author": TINY}},
    ),
    "a bigger key of small tables": (alter("id", models.BigAutoField(primary_key=True), "author"), {"size": TINY}),
    "a key that is counted no more": (alter("id", integer(primary_key=True), "author"), {}),
    "more digits": (alter("price", models.DecimalField(max_digits=12, decimal_places=2, null=True)), {}),
    "more digits behind the point": (
        alter("price", models.DecimalField(max_digits=14, decimal_places=4, null=True)),
        {},
    ),
    "fewer digits": (alter("price", models.DecimalField(max_digits=8, decimal_places=2, null=True)), {}),
    "a number becomes a text": (alter("views", text(default="")), {"size": TINY}),
    "a date becomes a time": (alter("when", models.DateTimeField(null=True, db_index=True)), {"size": TINY}),
    "longer elements of an array": (alter("labels", ArrayField(char(max_length=20), null=True)), {}),
    "an array of a size": (alter("labels", ArrayField(char(max_length=10), null=True, size=3)), {}),
    "not null": (alter("slug", models.SlugField(db_index=False)), {}),
    "not null with a one-off default": (
        alter("slug", models.SlugField(db_index=False, default=""), preserve_default=False),
        {},
    ),
    "not null where the running code writes no null": (
        alter("slug", models.SlugField(db_index=False)),
        {"not_null": {"blog_post": ["slug"]}},
    ),
    "not null of a field that the running code does not know": (
        [add("a", text(null=True)), alter("a", text())],
        {},
    ),
    "not null of a field of a table made in this plan": (
        [
            migrations.CreateModel("New", [("id", models.AutoField(primary_key=True)), ("a", text(null=True))]),
            alter("a", text(), "new"),
        ],
        {},
    ),
    "null": (alter("title", char(max_length=100, null=True)), {}),
    "unique": (alter("slug", models.SlugField(null=True, unique=True)), {}),
    "unique no more": (alter("name", char(max_length=50), "author"), {}),
    "unique of a field that was added in this plan": (
        [add("a", integer(null=True)), alter("a", integer(null=True, unique=True))],
        {},
    ),
    "an index more": (alter("title", char(max_length=100, db_index=True)), {}),
    "an index less": (alter("when", models.DateField(null=True)), {}),
    "another collation": (alter("title", char(max_length=100, db_collation="C")), {}),
    "another collation of an indexed text": (
        alter("name", char(max_length=50, unique=True, db_collation="C"), "author"),
        {},
    ),
    "another column": (alter("title", char(max_length=100, db_column="headline")), {}),
    "the column that it has": (alter("title", char(max_length=100, db_column="title")), {}),
    "a comment": (alter("title", char(max_length=100, db_comment="short")), {}),
    "a check": (alter("number", models.PositiveIntegerField(null=True)), {}),
    "a foreign key to another model": (alter("author", models.ForeignKey("blog.Tag", models.CASCADE)), {}),
    "a foreign key to another model, which the database does not hold": (
        [alter("author", author(db_constraint=False)), alter("author", models.ForeignKey("blog.Tag", models.CASCADE))],
        {"running_after": 1},
    ),
    "a foreign key that the database does not hold any more": (alter("author", author(db_constraint=False)), {}),
    "a foreign key that the database holds from now on": (
        [alter("author", author(db_constraint=False)), alter("author", author())],
        {"running_after": 1},
    ),
    "a number becomes a foreign key of the same column": (
        [alter("number", models.ForeignKey("blog.Tag", models.CASCADE, null=True, db_column="number"))],
        {},
    ),
    "a number becomes a foreign key of another column": (
        alter("number", models.ForeignKey("blog.Tag", models.CASCADE, null=True)),
        {},
    ),
    "a foreign key to whatever model stands for that one": (
        alter("author", models.ForeignKey(settings.BLOG_AUTHOR_MODEL, models.CASCADE)),
        {},
    ),
    "a foreign key becomes a one-to-one": (alter("author", models.OneToOneField("blog.Author", models.CASCADE)), {}),
    "a one-to-one becomes a foreign key": (
        [alter("author", models.OneToOneField("blog.Author", models.CASCADE)), alter("author", author())],
        {"running_after": 1},
    ),
    "a foreign key becomes a number of the same column": (
        alter("author", integer(db_column="author_id")),
        {},
    ),
    "another primary key": (alter("number", integer(primary_key=True)), {}),
    "a many-to-many field becomes a text": (alter("tags", text()), {}),
    "a many-to-many field gets a model between": (
        alter("tags", models.ManyToManyField("blog.Tag", through="blog.Page")),
        {},
    ),
    "a many-to-many field to another model": (
        alter("tags", models.ManyToManyField("blog.Author", related_name="+")),
        {},
    ),
    "a many-to-many field with a label": (alter("tags", models.ManyToManyField("blog.Tag", blank=True)), {}),
    "longer and not null": (alter("slug", models.SlugField(max_length=80, db_index=False)), {}),
    "not null, and null again": (
        [alter("slug", models.SlugField(db_index=False)), alter("slug", models.SlugField(null=True, db_index=False))],
        {},
    ),
    "shorter, and longer again": (
        [alter("title", char(max_length=50)), alter("title", char(max_length=200))],
        {},
    ),
    # Indexes and constraints
    "an index": (migrations.AddIndex("post", models.Index(fields=["views"], name="post_views_i")), {}),
    "an index concurrently": (
        postgres.AddIndexConcurrently("post", models.Index(fields=["views"], name="post_views_i")),
        {},
    ),
    "an index is removed": (migrations.RemoveIndex("post", "post_title"), {}),
    "an index is removed concurrently": (postgres.RemoveIndexConcurrently("post", "post_title"), {}),
    "an index is made another": (
        [
            migrations.RemoveIndex("post", "post_title"),
            migrations.AddIndex("post", models.Index(fields=["title", "views"], name="post_title")),
        ],
        {},
    ),
    "an index is renamed": (migrations.RenameIndex("post", new_name="other", old_name="post_title"), {}),
    "a check is added": (migrations.AddConstraint("post", check("post_number", Q(number__gt=0))), {}),
    "a check of a table that the running code does not know": (
        migrations.AddConstraint("post", check("post_number", Q(number__gt=0))),
        {"unknown": ["blog_post"]},
    ),
    "a check without a look at the rows": (
        postgres.AddConstraintNotValid("post", check("post_number", Q(number__gt=0))),
        {},
    ),
    "a check is looked at, that waits": (
        [
            postgres.AddConstraintNotValid("post", check("post_number", Q(number__gt=0))),
            postgres.ValidateConstraint("post", "post_number"),
        ],
        {},
    ),
    "a check is looked at": (postgres.ValidateConstraint("post", "post_views"), {}),
    "a unique constraint": (
        migrations.AddConstraint("post", models.UniqueConstraint(fields=["title", "slug"], name="post_once")),
        {},
    ),
    "a unique constraint over a field that the running code leaves out": (
        [
            add("a", text(null=True)),
            migrations.AddConstraint("post", models.UniqueConstraint(fields=["title", "a"], name="post_once")),
        ],
        {},
    ),
    "a constraint of exclusion": (
        [
            add("during", DateTimeRangeField(null=True)),
            migrations.AddConstraint(
                "post",
                ExclusionConstraint(name="post_during", expressions=[("during", RangeOperators.OVERLAPS)]),
            ),
        ],
        {},
    ),
    "a constraint is removed": (migrations.RemoveConstraint("post", "post_views"), {}),
    "a constraint is removed that waits to be made": (
        [
            migrations.AddConstraint("post", check("post_number", Q(number__gt=0))),
            migrations.RemoveConstraint("post", "post_number"),
        ],
        {},
    ),
    "unique together": (migrations.AlterUniqueTogether("post", {("title", "views")}), {}),
    "unique together becomes a constraint": (
        [
            migrations.AlterUniqueTogether("page", set()),
            migrations.AddConstraint("page", models.UniqueConstraint(fields=["id", "text"], name="page_once")),
        ],
        {},
    ),
    "a unique constraint of what is unique already": (
        migrations.AddConstraint("page", models.UniqueConstraint(fields=["text", "id"], name="page_once")),
        {},
    ),
    "a unique constraint at once of what is unique at the end of a transaction": (
        [
            migrations.AddConstraint(
                "post",
                models.UniqueConstraint(fields=["slug"], name="post_late", deferrable=models.Deferrable.DEFERRED),
            ),
            migrations.RemoveConstraint("post", "post_late"),
            migrations.AddConstraint("post", models.UniqueConstraint(fields=["slug"], name="post_once")),
        ],
        {"running_after": 1},
    ),
    "a unique constraint of what still waits to be unique": (
        [
            migrations.AlterUniqueTogether("post", {("title", "views")}),
            migrations.AddConstraint("post", models.UniqueConstraint(fields=["title", "views"], name="post_once")),
        ],
        {},
    ),
    "unique together no more": (migrations.AlterUniqueTogether("page", set()), {}),
    # What only PostgreSQL has
    "an extension": (postgres.TrigramExtension(), {}),
    "an extension on SQLite": (postgres.TrigramExtension(), {"vendor": "sqlite"}),
    "a collation": (postgres.CreateCollation("german", "de-x-icu", provider="icu"), {}),
    "a collation is removed": (postgres.RemoveCollation("german", "de-x-icu", provider="icu"), {}),
    # Code and SQL
    "code": (migrations.RunPython(fill), {}),
    "no code": (migrations.RunPython(migrations.RunPython.noop, fill), {}),
    "code for another database": (migrations.RunPython(fill, hints={"elsewhere": True}), {}),
    "code that is declared a backfill": (migrations.RunPython(fill), {"declared": "backfill"}),
    "code that is marked a backfill": (Marked(fill), {}),
    "code that is declared contract": (migrations.RunPython(fill), {"declared": "contract"}),
    "code that is declared expand": (migrations.RunPython(fill), {"declared": "expand"}),
    "code that is declared unsafe": (migrations.RunPython(fill), {"declared": "unsafe"}),
    "code that is declared a backfill, and nothing runs": (
        migrations.RunPython(fill),
        {"declared": "backfill", "nothing": True},
    ),
    "SQL": (sql("UPDATE blog_post SET slug = lower(title)"), {}),
    "no SQL": (sql(migrations.RunSQL.noop), {}),
    "an empty list of SQL": (sql([]), {}),
    "SQL that drops a table": (sql("DROP TABLE IF EXISTS blog_page"), {}),
    "SQL that drops a table that the running code does not know": (sql("DROP TABLE old_stuff"), {}),
    "SQL that drops a column": (sql('ALTER TABLE ONLY "public"."blog_post" DROP COLUMN IF EXISTS "slug"'), {}),
    "SQL that drops a column in few words": (sql("alter table blog_post drop slug cascade"), {}),
    "SQL that drops what is no column": (
        sql("ALTER TABLE blog_post DROP CONSTRAINT x; ALTER TABLE blog_post ALTER COLUMN slug DROP NOT NULL"),
        {},
    ),
    "SQL that renames a column": (sql("ALTER TABLE blog_post RENAME title TO headline"), {}),
    "SQL that renames a table": (sql("ALTER TABLE blog_post RENAME TO entries"), {}),
    "SQL that changes a type": (sql(["ALTER TABLE blog_post ALTER views TYPE bigint"]), {}),
    "SQL that makes a column not null": (sql([("ALTER TABLE blog_post ALTER COLUMN slug SET NOT NULL", None)]), {}),
    "SQL that empties a table": (sql("TRUNCATE blog_post CASCADE"), {}),
    "SQL that deletes all rows": (sql("DELETE FROM blog_post"), {}),
    "SQL that deletes some rows": (sql("DELETE FROM blog_post WHERE views = 0"), {}),
    "SQL that says drop table in a string": (sql("UPDATE blog_post SET body = 'DROP TABLE blog_post;'"), {}),
    "SQL that says drop table in a comment": (sql("-- DROP TABLE blog_post\nSELECT 1 /* TRUNCATE blog_post */"), {}),
    "SQL that says drop table in a function": (
        sql("CREATE FUNCTION f() RETURNS void AS $$ DROP TABLE blog_post $$ LANGUAGE sql"),
        {},
    ),
    "SQL that makes an index of a large table": (sql("CREATE INDEX i ON blog_post (views)"), {}),
    "SQL that makes an index of a small table": (sql("CREATE INDEX i ON blog_post (views)"), {"size": TINY}),
    "SQL that makes an index concurrently": (sql("CREATE INDEX CONCURRENTLY i ON blog_post (views)"), {}),
    "SQL that drops a table and is declared contract": (sql("DROP TABLE blog_page"), {"declared": "contract"}),
    "SQL that drops a table and is declared expand": (sql("DROP TABLE blog_page"), {"declared": "expand"}),
    "a field that is declared a backfill": (add("a", text(null=True)), {"declared": "backfill"}),
    "a rename that is declared expand": (migrations.RenameField("post", "title", "headline"), {"declared": "expand"}),
    # What holds others, and strangers
    "a change of the state alone": (
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Page")]),
        {},
    ),
    "a change of the database alone": (
        migrations.SeparateDatabaseAndState(database_operations=[migrations.DeleteModel("Page")]),
        {},
    ),
    "a harmless change of the database, told as a rename": (
        migrations.SeparateDatabaseAndState(
            [add("a", text(null=True))], [migrations.RenameField("post", "title", "headline")]
        ),
        {},
    ),
    "several changes of the database": (
        migrations.SeparateDatabaseAndState([add("a", text(null=True)), migrations.RemoveField("post", "slug")], []),
        {},
    ),
    "a stranger's operation that does as Django's": (Vacuum(fill), {}),
    "a stranger's operation": (Trigger(), {}),
    "a stranger's operation, and nothing runs": (Trigger(), {"nothing": True}),
    "a stranger's operation that is declared expand": (Trigger(), {"declared": "expand"}),
    "a stranger's operation that does more than Django's": (LoudAdd("post", "a", text(null=True)), {}),
}
if django.VERSION < (5, 1):
    CASES["index together"] = (migrations.AlterIndexTogether("post", {("title", "views")}), {})
    CASES["index together no more"] = (
        [
            migrations.AlterIndexTogether("post", {("title", "views")}),
            migrations.AlterIndexTogether("post", set()),
        ],
        {},
    )
if django.VERSION >= (5, 0):
    from django.db.models.functions import Lower, Now, Random

    CASES |= {
        "a field with a default of the database": (add("a", integer(db_default=3)), {}),
        "a field with a default of the database on SQLite": (add("a", integer(db_default=3)), {"vendor": "sqlite"}),
        "a field whose default the database computes once": (add("a", models.DateTimeField(db_default=Now())), {}),
        "a field whose default the database computes for each row": (
            add("a", models.FloatField(db_default=Random())),
            {},
        ),
        "a field whose default the database computes for each row of a small table": (
            add("a", models.FloatField(db_default=Random())),
            {"size": TINY},
        ),
        "a unique field with a default of the database": (add("a", integer(db_default=3, unique=True)), {}),
        "a generated field of a large table": (
            add("a", models.GeneratedField(expression=Lower("title"), output_field=text(), db_persist=True)),
            {},
        ),
        "a generated field of a small table": (
            add("a", models.GeneratedField(expression=Lower("title"), output_field=text(), db_persist=True)),
            {"size": TINY},
        ),
        "a generated field becomes another": (
            [
                add("a", models.GeneratedField(expression=Lower("title"), output_field=text(), db_persist=True)),
                alter("a", models.GeneratedField(expression=Lower("body"), output_field=text(), db_persist=True)),
            ],
            {"running_after": 1},
        ),
        "another default of the database": (alter("rank", integer(db_default=8)), {}),
        "no default of the database any more": (alter("rank", integer(default=8)), {}),
        "not null of a field that the database fills in": (
            [add("a", integer(null=True, db_default=1)), alter("a", integer(db_default=1))],
            {},
        ),
        "a unique constraint in which nulls are the same": (
            [
                add("a", text(null=True)),
                migrations.AddConstraint(
                    "post", models.UniqueConstraint(fields=["a"], name="post_once", nulls_distinct=False)
                ),
            ],
            {},
        ),
    }
if django.VERSION >= (5, 2):
    CASES["a constraint says something else"] = (
        migrations.AlterConstraint(
            "post",
            "post_views",
            models.CheckConstraint(condition=Q(views__gte=0), name="post_views", violation_error_code="v"),
        ),
        {},
    )
if django.VERSION >= (6, 1):
    by_database = models.ForeignKey("blog.Author", models.DB_CASCADE)
    CASES["the database acts when a row is deleted"] = (alter("author", by_database), {})
    CASES["the database acts no more when a row is deleted"] = (
        [alter("author", by_database), alter("author", author())],
        {"running_after": 1},
    )


def judged(operations: object, said: dict) -> dict[str, object]:
    listed = operations if isinstance(operations, list) else [operations]
    app, state = said.get("app", "blog"), base()
    running = None if said.get("nothing") else wanted(state)
    for table in said.get("unknown", ()):
        del running[table]
    for table, columns in said.get("unknown_columns", {}).items():
        for column in columns:
            del running[table]["columns"][column]
    for table, columns in said.get("not_null", {}).items():
        for column in columns:
            running[table]["columns"][column]["null"] = False
    made, waiting, freed = set(), {tuple(each) for each in said.get("waiting", ())}, set()
    tables = [*wanted(state), "blog_new"]
    sizes = said.get("sizes") or dict.fromkeys(tables, said.get("size", HUGE))
    vendor = said.get("vendor", "postgresql")
    for number, operation in enumerate(listed):
        after = state.clone()
        operation.state_forwards(app, after)
        found = classify(
            operation,
            app,
            state,
            after,
            running=running,
            vendor=vendor,
            tables_made=made,
            waiting=waiting,
            freed=freed,
            sizes=sizes,
            alias="lite" if vendor == "sqlite" else "default",
            declaration=said.get("declared", "") if number == len(listed) - 1 else "",
        )
        made |= found.makes
        freed |= found.frees
        waiting |= found.holds if found.kind == "contract" else set()
        state = after
        if said.get("running_after") == number + 1:
            running = wanted(state)
            waiting.clear()
    return asdict(found)


if __name__ == "__main__":
    sys.modules["operations_judged"] = sys.modules["__main__"]
    told = {name: judged(*case) for name, case in CASES.items()}
    print(json.dumps(told, default=sorted))  # noqa: T201
