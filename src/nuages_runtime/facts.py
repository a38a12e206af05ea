"""`python -m nuages_runtime.facts [--static FOLDER] [--bytecode FOLDER]`: what an image says of itself, as JSON on
standard output.

Runs once, when the image is built, with the project's own settings and no database: migration leaves come from the
files. With --static it also collects the static files into that folder, with --bytecode it compiles the project's
modules into that one. What the project prints while it loads goes to standard error.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import contextlib
import json
import os
import sys
from argparse import ArgumentParser
from pathlib import Path


def facts() -> dict[str, object]:
    """The facts of the project whose settings DJANGO_SETTINGS_MODULE names; Django is set up already."""
    from django.conf import settings

    media = str(settings.MEDIA_ROOT or "")
    static = str(settings.STATIC_ROOT or "")
    return {
        "settings": os.environ["DJANGO_SETTINGS_MODULE"],
        "wsgi": wsgi(settings.WSGI_APPLICATION),
        "migrations": leaves(),
        "media_root": str(Path(media).absolute()) if media else None,
        "static_root": str(Path(static).absolute()) if static else None,
        "static_url": settings.STATIC_URL,
    }


def wsgi(setting: str | None) -> str:
    """`package.wsgi.application` as servers write it, `package.wsgi:application`; NUAGES_WSGI where the setting is not
    set.
    """
    if not setting:
        return os.environ.get("NUAGES_WSGI", "")
    module, _, attribute = setting.rpartition(".")
    return f"{module}:{attribute}"


def leaves() -> dict[str, list[str]]:
    """Per app label the leaves of its migration graph, read from the files."""
    from django.db.migrations.loader import MigrationLoader

    found: dict[str, list[str]] = {}
    for app, name in sorted(MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes()):
        found.setdefault(app, []).append(name)
    return found


def collect(folder: Path) -> str:
    """Collect static files into a folder; answers why not, in words, where the project has nothing to collect.

    Only where they are collected into a folder: a storage that uploads would change what the running release serves.
    """
    from django.apps import apps
    from django.conf import settings
    from django.core.files.storage import FileSystemStorage
    from django.core.management import call_command

    if not apps.is_installed("django.contrib.staticfiles"):
        return "django.contrib.staticfiles is not installed"
    if not settings.STATIC_ROOT:
        return "STATIC_ROOT is not set"
    settings.STATIC_ROOT = str(folder)
    from django.contrib.staticfiles.storage import staticfiles_storage

    if not isinstance(staticfiles_storage, FileSystemStorage):
        return f"the storage of static files is {type(staticfiles_storage).__name__}, not a folder"
    if Path(staticfiles_storage.location) != folder:
        return "the storage of static files has a location of its own"
    call_command("collectstatic", interactive=False, verbosity=0)
    return ""


def compile_project(folder: Path) -> None:
    """Compile the project in the current folder into another one, in the image's Python.

    Hashes, unchecked: all times in a layer are 0, and an image never changes. What does not parse is the project's own
    matter.
    """
    import compileall
    from py_compile import PycInvalidationMode

    sys.pycache_prefix = str(folder)
    compileall.compile_dir(Path.cwd(), quiet=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)


def main() -> None:
    """Print the facts; what fails fails with the project's own traceback."""
    parser = ArgumentParser(prog="nuages_runtime.facts")
    parser.add_argument("--static", type=Path)
    parser.add_argument("--bytecode", type=Path)
    options = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):
        import django

        django.setup()
        found = facts()
        if options.static:
            found["static_skipped"] = collect(options.static)
        if options.bytecode:
            compile_project(options.bytecode)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
