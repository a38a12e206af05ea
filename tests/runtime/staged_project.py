"""A small project on PostgreSQL, of which a test writes the models and the migrations, one release after the other."""

from __future__ import annotations

import gzip
import json
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

from environments import Ended, Environment
from postgres import PASSWORD

SETTINGS = """
import os
SECRET_KEY = "only for tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "shop"]
BASE = {"ENGINE": "django.db.backends.postgresql", "USER": "blog", "PASSWORD": os.environ["PASSWORD"],
        "HOST": os.environ["HOST"], "PORT": os.environ["PORT"]}
DATABASES = {"default": BASE | {"NAME": os.environ["NAME"]}}
"""
MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
ASK = """
import json, sys, django
django.setup()
from django.db import connection
answers = []
with connection.cursor() as cursor:
    for sql in json.loads(sys.argv[1]):
        try:
            cursor.execute(sql)
            answers.append([list(row) for row in cursor.fetchall()] if cursor.description else [])
        except Exception as error:
            answers.append(f"{type(error).__name__}: {str(error).splitlines()[0]}")
print(json.dumps(answers, default=str))
"""
MAKE = """
import os, sys
import psycopg
with psycopg.connect(host=os.environ["HOST"], port=os.environ["PORT"], user="blog", password=os.environ["PASSWORD"],
                     dbname="blog", autocommit=True) as connection:
    connection.execute(f'CREATE DATABASE "{sys.argv[1]}"')
"""
HEAD = "from django.db import migrations, models\nimport time\n\n\n"


class Project:
    """Its folder, its database, and the interpreter it runs in."""

    def __init__(self, environment: Environment, address: str, folder: Path, name: str) -> None:
        """Make the database; `name` is free on that server."""
        self.environment, self.folder = environment, folder
        host, _, port = address.partition(":")
        self.env = {
            "HOST": host,
            "PORT": port,
            "PASSWORD": PASSWORD,
            "NAME": name,
            "DJANGO_SETTINGS_MODULE": "settings",
        }
        self.env["PYTHONPATH"] = "/app"
        self.number = 0
        for file, text in {"settings.py": SETTINGS, "manage.py": MANAGE, "ask.py": ASK, "make.py": MAKE}.items():
            (folder / file).write_text(text)
        for made in (folder / "shop", folder / "shop" / "migrations"):
            made.mkdir()
            (made / "__init__.py").write_text("")
        ended = environment.run(["python", "make.py", name], folder, self.env)
        assert ended.code == 0, ended.err

    def write(self, models: str, **migrations: str) -> None:
        """The code of the next release: its models, and migrations by name: the body of the class."""
        (self.folder / "shop" / "models.py").write_text("from django.db import models\n\n" + textwrap.dedent(models))
        for name, body in migrations.items():
            text = HEAD + textwrap.dedent(body)
            (self.folder / "shop" / "migrations" / f"{name.removeprefix('m')}.py").write_text(text)

    def migrate(self, *options: str, running: bool | None = None, **env: str) -> Ended:
        """The release's Job; what it tells of itself is what runs from then on, where it succeeds.

        `running`: whether an earlier release serves; where it is left open, whether there was one.
        """
        argv, given = self._job(options, running, env)
        ended = self.environment.run(argv, self.folder, given)
        self.live(ended)
        return ended

    @contextmanager
    def migrating(self, *options: str, **env: str) -> Iterator[Popen[str]]:
        """The same beside the body, to be killed."""
        argv, given = self._job(options, None, env)
        with self.environment.started(argv, self.folder, given) as process:
            yield process

    def _job(
        self, options: tuple[str, ...], running: bool | None, env: dict[str, str]
    ) -> tuple[list[str], dict[str, str]]:
        self.number += 1
        given = {**self.env, "NUAGES_NUMBER": str(self.number), "NUAGES_LOCK_TIMEOUT": "500ms", **env}
        if (self.folder / "running.json.gz").exists() if running is None else running:
            given["NUAGES_RUNNING"] = "/app/running.json.gz"
        return ["python", "-m", "nuages_runtime.migrate", *options], given

    def live(self, ended: Ended) -> None:
        """Take over what a Job told, as the release's record does."""
        found = [event for event in events(ended) if event["event"] == "facts"]
        if ended.code == 0 and found:
            import base64

            text = gzip.decompress(base64.b64decode(found[-1]["gzip"]))
            facts = gzip.compress(json.dumps({"databases": json.loads(text)}).encode())
            (self.folder / "running.json.gz").write_bytes(facts)

    def ask(self, *statements: str) -> list[Any]:
        """The rows of each statement, or what the database says against it."""
        ended = self.environment.run(["python", "ask.py", json.dumps(statements)], self.folder, self.env)
        assert ended.code == 0, ended.err
        return list(json.loads(ended.out))

    def manage(self, *arguments: str, **env: str) -> Ended:
        """manage.py, by hand."""
        return self.environment.run(["python", "manage.py", *arguments], self.folder, self.env | env)


def events(ended: Ended) -> list[dict[str, Any]]:
    """What a Job told."""
    return [json.loads(line[8:]) for line in ended.out.splitlines() if line.startswith("@nuages ")]
