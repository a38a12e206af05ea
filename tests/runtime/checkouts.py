"""Two checkouts of one project: the code of an earlier release and that of a later one, an app for each history."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable
from pathlib import Path

from environments import Environment
from history import History
from postgres import PASSWORD

SETTINGS = """
SECRET_KEY = "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = {apps!r}
ALIASES = {aliases!r}
DATABASE_ROUTERS = ["settings.Router"]
HOST, PORT = {address!r}.split(":")
DATABASES = {{
    name: {{
        "ENGINE": "django.db.backends.postgresql",
        "NAME": base,
        "USER": "blog",
        "PASSWORD": {password!r},
        "HOST": HOST,
        "PORT": PORT,
    }}
    for name, base in {databases!r}.items()
}}


class Router:
    def db_for_read(self, model, **hints):
        return ALIASES.get(model._meta.app_label, "default")

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return db == ALIASES.get(app_label, "default")
"""
MIGRATION = """
from django.contrib.postgres import operations as postgres
from django.db import migrations, models
{first}

class Migration(migrations.Migration):
    dependencies = [("{label}", "{before}")]


{prelude}
Migration.operations = [
{operations}
]
"""


def label(number: int) -> str:
    """The app of a history."""
    return f"h{number:02}"


def write(folder: Path, histories: dict[str, History], *, later: bool, settings: dict[str, object]) -> Path:
    """A checkout; its 0001_initial files are still to be made by `initial`."""
    shutil.copy(Path(__file__).with_name("prove.py"), folder / "prove.py")
    there = {app: history for app, history in histories.items() if history.installed or not later}
    aliases = {app: history.alias for app, history in histories.items() if history.alias != "default"}
    made = SETTINGS.format(apps=list(there), aliases=aliases, password=PASSWORD, **settings)
    (folder / "settings.py").write_text(made)
    (folder / "manage.py").write_text(
        'import os, sys\n\nos.environ["DJANGO_SETTINGS_MODULE"] = "settings"\n'
        "from django.core.management import execute_from_command_line\n\nexecute_from_command_line(sys.argv)\n"
    )
    for app, history in there.items():
        package = folder / app / "migrations"
        package.mkdir(parents=True)
        (folder / app / "__init__.py").touch()
        (package / "__init__.py").touch()
        models = history.new if later else history.old
        (folder / app / "models.py").write_text("from django.db import models\n" + _own(models, app))
        before = "0001_initial"
        for name, text in (history.earlier | (history.later if later else {})).items():
            if not (later and name in history.gone):
                (package / f"{name}.py").write_text(_migration(text, app, before))
            before = name
    return folder


def initial(old: Path, new: Path, histories: dict[str, History], environment: Environment) -> None:
    """Make the first migrations of the earlier checkout, and give them to the later one."""
    later = {app: list((old / app / "migrations").glob("0*.py")) for app in histories}
    aside = {file: file.read_text() for files in later.values() for file in files}
    for file in aside:
        file.unlink()
    ended = environment.run(["python", "manage.py", "makemigrations", "-v0", *histories], old, timeout=600)
    assert ended.code == 0, ended.err
    for file, text in aside.items():
        file.write_text(text)
    for app, history in histories.items():
        first = old / app / "migrations" / "0001_initial.py"
        if (new / app).is_dir():
            shutil.copy(first, new / app / "first.py")
            if "0001_initial" not in history.gone:
                shutil.copy(first, new / app / "migrations" / "0001_initial.py")


def _migration(text: str, app: str, before: str) -> str:
    prelude, dashes, operations = text.partition("---\n")
    if not dashes:
        prelude, operations = "", text
    first = f"from {app}.first import Migration as First\n" if "*INITIAL" in operations else ""
    operations = operations.replace("*INITIAL", "*First.operations")
    made = MIGRATION.format(
        first=first, label=app, before=before, prelude=prelude, operations=textwrap.indent(operations, "    ")
    )
    return _own(made, app)


def _own(text: str, app: str) -> str:
    return text.replace("LABEL", app)


def possible(histories: Iterable[History], environment: Environment) -> dict[str, History]:
    """Those that this Django can have, by their apps; written as it wants them."""
    keyword = "condition" if environment.django >= (5, 1) else "check"

    def spelled(text: str) -> str:
        return text.replace("CHECKED", keyword)

    return {
        label(number): history._replace(
            old=spelled(history.old),
            new=spelled(history.new),
            later={name: spelled(text) for name, text in history.later.items()},
        )
        for number, history in enumerate(histories)
        if environment.django >= history.django
    }
