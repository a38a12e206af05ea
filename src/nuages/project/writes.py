"""The folders that a project writes to while it runs: in a pod only these are kept, and only these can be written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from nuages.findings import Place
from nuages.project.facts import Found
from nuages.project.files import Files
from nuages.project.trial import Trial

# Settings that name folders which are read, or have a place of their own.
_READ = re.compile(
    r"(STATIC|TEMPLATE|LOCALE|BASE_DIR|PROJECT_|ROOT_DIR|APPS_DIR|FIXTURE|MEDIA|DATABASES|SITE_ROOT|HERE|SRC|LOADER|VITE|WHITENOISE"
    r"|COMPRESS|SASS|NODE|NPM|GEOIP|SPATIALITE|EXTENSION|CONFIG|KEY|CERT|PEM|DOTENV|ENV|SCHEMA|DOC)"
)
_WRITTEN = re.compile(r"(FOLDER|DIR|DIRECTORY|ROOT|PATH|STORAGE|CACHE|UPLOAD|DATA|EXPORT|INDEX|TMP|TEMP|LOG)")
# What is gone with a pod and comes back by itself.
_TEMPORARY = re.compile(r"(^|/)(logs?|tmp|temp|cache|caches|\.cache|run)(/|$)", re.IGNORECASE)


class Written(NamedTuple):
    """A folder, whether it may be lost with its pod, and the setting that says so."""

    folder: str
    temporary: bool
    place: Place
    setting: str


def written(files: Files, trial: Trial) -> tuple[Found, ...]:
    """The folders, those of one folder together: "data", or "logs?" where it may be lost with its pod."""
    found = list(_all(files, trial))
    tops: dict[str, Written] = {}
    for each in found:
        top = _top(files, each)
        known = tops.get(top)
        if known is None or (known.temporary and not each.temporary):
            tops[top] = each._replace(folder=top)
    return tuple(
        Found(f"{each.folder}?" if each.temporary else each.folder, each.place, sure=False)
        for each in sorted(tops.values(), key=lambda each: each.folder)
    )


def shared_queue(trial: Trial) -> Found | None:
    """A queue in a SQLite file, which web and worker share."""
    huey = trial.value("HUEY")
    if isinstance(huey, dict) and any("sqlite" in str(huey.get(key, "")).lower() for key in ("huey_class", "filename")):
        return Found(str(huey.get("filename", "huey.db")), trial.place("HUEY"))
    return None


def _all(files: Files, trial: Trial) -> Iterator[Written]:
    for path, place in trial.world.made:
        yield from _one(files, trial, path, place, "makedirs")
    for setting in trial.names():
        value, place = trial.value(setting), trial.place(setting)
        if setting == "HUEY" and (queue := shared_queue(trial)):
            yield from _one(files, trial, str(PurePosixPath(queue.value).parent), place, setting, keep=True)
        elif setting == "LOGGING":
            for handler in _maps(value, "handlers"):
                if isinstance(name := handler.get("filename"), str | PurePosixPath):
                    yield from _one(files, trial, str(PurePosixPath(str(name)).parent), place, "logs", temporary=True)
        elif setting == "CACHES":
            for cache in _maps(value):
                if "FileBased" in str(cache.get("BACKEND")):
                    yield from _one(files, trial, cache.get("LOCATION"), place, setting, temporary=True)
        elif setting == "HAYSTACK_CONNECTIONS":
            for connection in _maps(value):
                yield from _one(files, trial, connection.get("PATH"), place, setting, keep=True)
        elif _WRITTEN.search(setting) and not _READ.search(setting) and str(value).startswith(f"{trial.root}/"):
            yield from _one(files, trial, value, place, setting)


def _one(
    files: Files, trial: Trial, path: object, place: Place, setting: str, *, keep: bool = False, temporary: bool = False
) -> Iterator[Written]:
    """A folder inside the project that holds no sources of it."""
    folder = trial.inside(path)
    if folder is None or folder == "." or _sources(files, folder):
        return
    if not keep and PurePosixPath(folder).suffix:
        return
    if _same(trial, folder, "MEDIA_ROOT", "STATIC_ROOT"):
        return
    yield Written(folder, not keep and (temporary or bool(_TEMPORARY.search(folder))), place, setting)


def _sources(files: Files, folder: str) -> bool:
    """Whether a folder has files of the repository, beside those that only keep it there."""
    kept = (".gitkeep", ".gitignore", ".keep", "README.md", "README", "__init__.py")
    prefix = f"{folder}/"
    return any(file.startswith(prefix) and file.rpartition("/")[2] not in kept for file in files.all)


def _top(files: Files, each: Written) -> str:
    """The outermost folder that has no sources: data for data/favicons."""
    parts = PurePosixPath(each.folder).parts
    for length in range(1, len(parts)):
        folder = "/".join(parts[:length])
        if not _sources(files, folder):
            return folder
    return each.folder


def _same(trial: Trial, folder: str, *settings: str) -> bool:
    inside = (trial.inside(trial.value(setting)) for setting in settings)
    return any(each and (folder == each or folder.startswith(f"{each}/")) for each in inside)


def _maps(value: Any, key: str = "") -> list[dict[str, Any]]:
    value = value.get(key) if key and isinstance(value, dict) else value
    return [each for each in value.values() if isinstance(each, dict)] if isinstance(value, dict) else []
