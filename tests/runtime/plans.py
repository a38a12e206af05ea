"""A small blog with pending migrations, on PostgreSQL: each part of what a plan has to tell, once."""

from __future__ import annotations

from pathlib import Path

from environments import Environment
from postgres import PASSWORD

SETTINGS = """
import os

SECRET_KEY = os.environ.get("KEY", "only for tests, and long enough for that: 0123456789abcdefghijklmnop")
ALLOWED_HOSTS = ["blog.example.com"]
INSTALLED_APPS = ["blog"]
ROOT_URLCONF = "proj.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["HOST"],
        "PORT": os.environ["PORT"],
        "USER": os.environ.get("ROLE", "blog"),
        "PASSWORD": os.environ["PASSWORD"],
        "NAME": os.environ["NAME"],
    }
}
"""
MODELS = """
from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=50)


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Post(models.Model):
    title = models.CharField(max_length=200)
    body = models.TextField()
    views = models.BigIntegerField(default=0)
    rank = models.IntegerField(default=3)
    author = models.ForeignKey(Author, models.CASCADE)
    editor = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="edited")
    tags = models.ManyToManyField(Tag)

    class Meta:
        indexes = [models.Index(fields=["views"], name="post_views")]
        constraints = [models.UniqueConstraint(fields=["title", "author"], name="post_once")]
"""
FIRST = """
from django.db import migrations, models

KEY = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Author", [KEY, ("name", models.CharField(max_length=50))]),
        migrations.CreateModel(
            "Post",
            [
                KEY,
                ("title", models.CharField(max_length=100)),
                ("body", models.TextField(null=True)),
                ("slug", models.SlugField()),
                ("views", models.IntegerField(default=0)),
                ("author", models.ForeignKey(to="blog.author", on_delete=models.CASCADE)),
            ],
        ),
    ]
"""
SECOND = """
import django.db.models.deletion
from django.db import migrations, models

KEY = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


def fill(apps, schema_editor):
    raise AssertionError("nobody runs this in a rehearsal")


class Migration(migrations.Migration):
    dependencies = [("blog", "0001_initial")]
    operations = [
        migrations.CreateModel("Tag", [KEY, ("name", models.CharField(max_length=50))]),
        migrations.AddField("post", "tags", models.ManyToManyField(to="blog.tag")),
        migrations.AddField("post", "rank", models.IntegerField(default=3)),
        migrations.AddField(
            "post",
            "editor",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="edited",
                to="blog.author",
            ),
        ),
        migrations.AlterField("post", "title", models.CharField(max_length=200)),
        migrations.AlterField("post", "views", models.BigIntegerField(default=0)),
        migrations.RunPython(fill),
        migrations.AddIndex("post", models.Index(fields=["views"], name="post_views")),
        migrations.RemoveField("post", "slug"),
        migrations.AlterField("post", "body", models.TextField()),
        migrations.AddConstraint("post", models.UniqueConstraint(fields=["title", "author"], name="post_once")),
    ]
"""
DATABASE = """
import os
import psycopg

with psycopg.connect(
    host=os.environ["HOST"], port=os.environ["PORT"], user="blog", password=os.environ["PASSWORD"], dbname="blog",
    autocommit=True,
) as connection:
    connection.execute(f'DROP DATABASE IF EXISTS "{os.environ["NAME"]}"')
    connection.execute(f'CREATE DATABASE "{os.environ["NAME"]}"')
"""
RUNNING = """
import gzip, json, sys
import django
django.setup()
from django.db import connection
from nuages_runtime.migrations.schema import facts
with gzip.open("running.json.gz", "wt") as file:
    json.dump({"schema": 1, "databases": {"default": facts(connection)}}, file)
"""


def environ(address: str, name: str, **more: str) -> dict[str, str]:
    """What the blog reads; it goes by a database of that name."""
    host, _, port = address.rpartition(":")
    given = {"HOST": host, "PORT": port, "PASSWORD": PASSWORD, "NAME": name}
    return {"DJANGO_SETTINGS_MODULE": "proj.settings", **given, **more}


def write(folder: Path, **files: str) -> None:
    """Files of the project, by their paths with __ for /: `blog__models`."""
    for name, text in files.items():
        file = folder / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def blog(folder: Path) -> None:
    """The blog as it was at its first release."""
    write(folder, proj__init="", proj__settings=SETTINGS, proj__urls="urlpatterns = []\n", blog__init="")
    first = (
        "from django.db import models\n\n\nclass Author(models.Model):\n    name = models.CharField(max_length=50)\n"
    )
    post = """

class Post(models.Model):
    title = models.CharField(max_length=100)
    body = models.TextField(null=True)
    slug = models.SlugField()
    views = models.IntegerField(default=0)
    author = models.ForeignKey(Author, models.CASCADE)
"""
    write(folder, blog__models=first + post, database=DATABASE, recorded=RUNNING)
    migrations = folder / "blog" / "migrations"
    migrations.mkdir()
    (migrations / "__init__.py").touch()
    (migrations / "0001_initial.py").write_text(FIRST)


def released(environment: Environment, folder: Path, env: dict[str, str]) -> None:
    """The blog's first release, migrated and recorded, in a database of its own."""
    blog(folder)
    for program in (["database.py"], ["-m", "nuages_runtime.migrate"], ["recorded.py"]):
        ended = environment.run(["python", *program], folder, env)
        assert ended.code == 0, ended.out + ended.err


def changed(folder: Path, second: str = SECOND) -> None:
    """The blog as it is to be released next."""
    write(folder, blog__models=MODELS)
    (folder / "blog" / "migrations" / "0002_second.py").write_text(second)
