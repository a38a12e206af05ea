"""What an image gets beside what the project asks for: a server, a driver, metrics. Never another version of what is
there.

Added as a layer of its own above the dependencies, held to the versions that these have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nuages.app import stores
from nuages.app.components import App
from nuages.project.requirements import normal

# Where the project brings none. What these need in turn is in the list too, so that each build adds the same.
PINS = {
    "async-timeout": "5.0.1",
    "boto3": "1.44.5",
    "botocore": "1.44.5",
    "click": "8.5.1",
    "django-storages": "1.14.6",
    "granian": "2.8.7",
    "gunicorn": "27.0.1",
    "h11": "0.16.0",
    "httptools": "0.9.0",
    "jmespath": "1.1.0",
    "packaging": "26.3",
    "prometheus-client": "0.26.0",
    "psycopg": "3.3.9",
    "psycopg-binary": "3.3.9",
    "psycopg-pool": "3.3.3",
    "python-dateutil": "2.9.0.post0",
    "pymemcache": "4.0.0",
    "redis": "8.1.0",
    "s3transfer": "0.19.3",
    "six": "1.17.0",
    "typing-extensions": "4.16.0",
    "urllib3": "2.8.0",
    "uvicorn": "0.54.0",
    "uvloop": "0.23.0",
    "websockets": "16.1.1",  # the newest for every Python that images have
    "whitenoise": "6.12.0",
}
DRIVERS = ("psycopg", "psycopg2", "psycopg2-binary", "psycopg2cffi")


class Addition(NamedTuple):
    """One requirement that is added, and what for."""

    name: str
    why: str
    version: str = ""

    def line(self) -> str:
        """The requirement, pinned."""
        return f"{self.name}=={self.version or PINS[self.name]}"


def wanted(app: App, installed: Mapping[str, str]) -> list[Addition]:
    """What is to be added to an environment that has these distributions (name -> version), sorted by name."""
    found = {addition.name: addition for addition in _wanted(app, installed) if addition.name not in installed}
    return [found[name] for name in sorted(found)]


def _wanted(app: App, installed: Mapping[str, str]) -> Iterator[Addition]:
    for web in app.web.values():
        if web.server:
            yield Addition(web.server, "to serve the project")
        if web.server == "uvicorn" and "uvicorn" not in installed:
            yield Addition("uvloop", "for uvicorn")
            yield Addition("httptools", "for uvicorn")
        if web.server == "uvicorn" and not {"websockets", "wsproto"} & installed.keys():
            yield Addition("websockets", "for uvicorn")
    there = stores.declared(app)
    if "postgres" in there and not any(driver in installed for driver in DRIVERS):
        for name in ("psycopg", "psycopg-binary", "psycopg-pool"):
            yield Addition(name, "to reach PostgreSQL")
    complete = {"psycopg-binary", "psycopg-c"} & installed.keys() or "libpq5" in app.build.packages
    if "psycopg" in installed and not complete:
        # Alone it looks for a libpq of the system, which the image does not have; of another version it does not run.
        yield Addition("psycopg-binary", "to reach PostgreSQL", installed["psycopg"])
    if app.django.overlay.enabled and app.django.overlay.static:
        yield Addition("whitenoise", "to serve static files where the project does not")
    if app.observability.metrics:
        yield Addition("prometheus-client", "for metrics")
    if {"celery", "redis"} <= installed.keys():
        yield Addition("packaging", "for Celery's Redis transport, which imports it and does not say so")
    caches = app.django.overlay.enabled and app.django.overlay.caches
    if "redis" in there and caches:
        yield Addition("redis", "for the cache")
    if "memcached" in there and caches and "pylibmc" not in installed:
        yield Addition("pymemcache", "for the cache")
    yield from _for_buckets(app, installed)


def _for_buckets(app: App, installed: Mapping[str, str]) -> Iterator[Addition]:
    """django-storages for uploads, and Amazon's client for both kinds of files, and for backups.

    The client and its core carry the same version; a core that the project brings decides for both.
    """
    overlay = app.django.overlay
    uploads = app.bucket is not None and overlay.enabled and overlay.media
    if uploads:
        yield Addition("django-storages", "to keep uploads in a bucket")
    backup = app.postgres.run.backup if app.postgres else None
    backups = backup is not None and backup.to.bucket is not None
    if (uploads or app.static.bucket or backups) and "boto3" not in installed:
        yield Addition("boto3", "to reach a bucket", installed.get("botocore", ""))
        for name in ("botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"):
            yield Addition(name, "for boto3")


def pins(added: Iterable[Addition]) -> dict[str, str]:
    """The versions of what is added and of what that needs; one that has to go with a package of the project counts."""
    return {**PINS, **{addition.name: addition.version for addition in added if addition.version}}


def constraints(installed: Mapping[str, str], pins: Mapping[str, str] | None = None) -> list[str]:
    """What holds the additions: everything that is installed as it is, and all else as pinned."""
    held = {**(pins or {}), **installed}
    return [f"{name}=={version}" for name, version in sorted(held.items()) if version]


def distributions(environment: Path) -> dict[str, str]:
    """What is installed in a virtual environment: normalised name -> version, from the names of its metadata."""
    found = {}
    for pattern in ("*.dist-info", "*.egg-info"):
        for path in environment.glob(f"lib/python3.*/site-packages/{pattern}"):
            if named := re.match(r"(.+?)-(\d[^-]*)(-py3.*)?$", path.stem):
                found[normal(named[1])] = named[2]
    return found
