"""Static files and logs: where they are collected, under which address, and how lines are written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from urllib.parse import urlsplit

from nuages_runtime.overlay.change import ADDED, KEPT, REPLACED, Change, World

_STATICFILES = "django.contrib.staticfiles"


def static(world: World) -> Iterator[Change]:
    """Where static files are collected, and that hashed ones never change. No storage is ever chosen for a project: one
    missing url() would fail a manifest, and STORAGES beside STATICFILES_STORAGE is refused by Django 4.2.
    """
    apps = world.own.get("INSTALLED_APPS")
    if not isinstance(apps, list | tuple) or not any(str(app).startswith(_STATICFILES) for app in apps):
        return
    yield from _address(world)
    if not world.own.get("STATIC_ROOT"):
        yield Change("STATIC_ROOT", ADDED, "static files are collected when the image is built", _free_folder(world))
    if _whitenoise(world.own.get("MIDDLEWARE")) and "WHITENOISE_IMMUTABLE_FILE_TEST" not in world.own:
        from nuages_runtime.statics import IMMUTABLE  # noqa: PLC0415 - only where it is used

        why = "hashed files of an earlier release are not in this one's manifest, and as immutable"
        yield Change("WHITENOISE_IMMUTABLE_FILE_TEST", ADDED, why, IMMUTABLE)


def _address(world: World) -> Iterator[Change]:
    """Where static files are asked for: below the hash of all of them (NUAGES_STATIC_TREE), where no name has one of
    its own. So a page names the files of its own release, and another release's pod knows that they are not its own.

    An address on another host is somebody else's to answer. The plain address answers as ever: code that has it in a
    script goes on.
    """
    own = world.own.get("STATIC_URL")
    plain = str(own or "/static/")
    tree = world.variable("NUAGES_STATIC_TREE")
    parts = urlsplit(plain)
    if elsewhere := world.variable("NUAGES_STATIC_URL"):
        yield from _elsewhere(world, elsewhere, tree)
        return
    # Below a script's name it is not known who takes that away on the way in.
    here = parts.path.strip("/") and not (parts.netloc or parts.query or world.own.get("FORCE_SCRIPT_NAME"))
    if tree and here:
        why = "with the hash of all files in it, old and new pages each find their own"
        yield Change("STATIC_URL", REPLACED if own else ADDED, why, f"{plain.rstrip('/')}/{tree}/")
        middleware = world.own.get("MIDDLEWARE")
        if _whitenoise(middleware) and "WHITENOISE_STATIC_PREFIX" not in world.own:
            why = "it answers below the plain address too"
            yield Change("WHITENOISE_STATIC_PREFIX", ADDED, why, parts.path)
    elif not own:
        yield Change("STATIC_URL", ADDED, "staticfiles is installed and needs one", plain)


def _elsewhere(world: World, address: str, tree: str) -> Iterator[Change]:
    """In a bucket, or behind what stands before it; the pods answer below the plain path all the same."""
    own = str(world.own.get("STATIC_URL") or "")
    parts = urlsplit(own)
    if parts.netloc:
        yield Change("STATIC_URL", KEPT, f"the project's own, at {parts.netloc}")
        return
    below = f"{tree}/" if tree else ""
    action = REPLACED if own else ADDED
    yield Change("STATIC_URL", action, "static files are in the bucket of static.bucket", f"{address}/{below}")
    if _whitenoise(world.own.get("MIDDLEWARE")) and "WHITENOISE_STATIC_PREFIX" not in world.own:
        plain = f"/{parts.path.strip('/') or 'static'}/"
        yield Change("WHITENOISE_STATIC_PREFIX", ADDED, "it answers below the plain address too", plain)


def _whitenoise(middleware: object) -> bool:
    return isinstance(middleware, list | tuple) and any("whitenoise" in str(name).lower() for name in middleware)


def logs(world: World) -> Iterator[Change]:
    """Every line on standard output, as JSON or as text, where the project says nothing of its logging.

    Django's own default is silent in production: its console handler wants DEBUG.
    """
    kind = world.variable("NUAGES_LOGS")
    if world.own.get("LOGGING") or "LOGGING_CONFIG" in world.own or world.logs:
        yield Change("LOGGING", KEPT, "the project's own")
    elif kind in ("json", "text"):
        from nuages_runtime.logs import config  # noqa: PLC0415 - only where it is used

        # What a person's command writes is its own: `dumpdata` on standard output is a file.
        command = world.variable("NUAGES_COMPONENT") == "run"
        why = f"on standard output, {'one JSON object per line' if kind == 'json' else 'as text'}"
        yield Change("LOGGING", ADDED, why, config(kind, "stderr" if command else "stdout"))


def _free_folder(world: World) -> str:
    """A folder beside manage.py that holds no source of static files: collecting into one of those is refused."""
    sources = world.own.get("STATICFILES_DIRS")
    taken = {
        str(PurePath(world.folder, str(source[1] if isinstance(source, list | tuple) else source)))
        for source in (sources if isinstance(sources, list | tuple) else ())
    }
    wanted = PurePath(world.folder, "staticfiles")
    return str(wanted if str(wanted) not in taken else wanted.with_name("staticfiles-collected"))
