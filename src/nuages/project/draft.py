"""draft(facts) -> str: a first nuages.yaml for a project, short, with a comment wherever a person has to look twice."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from nuages.project import drafted_env
from nuages.project.drafted_env import secret, where
from nuages.project.facts import Facts, Found
from nuages.project.refusals import OLDEST_PYTHON
from nuages.project.wheels import newest as newest_with_wheels
from nuages.project.words import PATH, command, key_of, scalar
from nuages.project.workers import DB_WORKER

__all__ = ["draft", "python", "secret"]

OLD_PYTHON = 11  # the 3.x of a project that runs on one which nobody maintains any more
NEWEST_PYTHON = 13  # the 3.x that a project gets when nothing speaks against it
# Oldest and newest 3.x of each Django (https://docs.djangoproject.com/en/stable/faq/install/).
DJANGO_PYTHONS = {
    (4, 2): (8, 12),
    (5, 0): (10, 12),
    (5, 1): (10, 13),
    (5, 2): (10, 14),
    (6, 0): (12, 14),
    (6, 1): (12, 14),
}
# Many packages are much code to load; Wagtail works on images.
_LARGE, _HUGE = 60, 120
# Folders that say nothing of what is in them.
_OF_MANY = {"app", "src", "backend", "server", "project", "sandbox", "web", "django", "code", "site", "api", "source"}
_OTHERS = {"mysql": "MySQL", "oracle": "Oracle", "mssql": "SQL Server", "cockroachdb": "CockroachDB"}


def draft(facts: Facts, name: str | None = None, image: str | None = None, folder: Path | None = None) -> str:
    """The text of a nuages.yaml that loads without a finding; the same facts give the same text.

    `folder` is where it is to lie; left out, the folder of manage.py.
    """
    app = name or (name_of(folder) if folder else facts.name)
    host = f"{app}.localhost"
    sections = [
        _head(app, image or f"registry.example.com/{app}"),
        _django(facts, folder),
        *_build(facts),
        _web(facts),
        *_background(facts),
        *_services(facts),
        *_media(facts),
        *_volumes(facts),
        f"expose: {{kind: loadBalancer, hosts: [{host}]}}    # ingress and gateway need a class, and take TLS",
        *drafted_env.env(facts, host),
        *drafted_env.secrets(facts),
        drafted_env.environments(facts, single=memory(facts) != "256Mi" and replicas(facts) > 1),
    ]
    return "\n".join(sections) + "\n"


def name_of(folder: Path) -> str:
    """What to call an app by its folder: as Kubernetes takes it. Of a repository's `app`, by the repository's."""
    folder = folder.resolve()
    if folder.name.lower() in _OF_MANY and not (folder / ".git").exists():
        folder = next((above for above in folder.parents if (above / ".git").exists()), folder)
    letters = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in folder.name.lower())
    return letters.strip("-0123456789")[:30].rstrip("-") or "app"


def python(facts: Facts) -> str:
    """The newest Python that the project and its Django allow: "3.13"."""
    wanted = facts.python.value if facts.python else ""
    sure = facts.python is None or facts.python.sure
    if sure and (exact := re.match(r"^(?:==|~=|~)?\s*3\.(\d+)(?:[.\s]|$)", wanted)):
        return f"3.{exact[1]}"
    newest = NEWEST_PYTHON
    version = re.match(r"(\d+)\.(\d+)", facts.django.value) if facts.django else None
    oldest, latest = DJANGO_PYTHONS.get((int(version[1]), int(version[2])), (0, newest)) if version else (0, newest)
    wheels = newest_with_wheels(facts.dependencies.packages) if facts.dependencies else newest
    newest = max(min(newest, latest, wheels), oldest)
    if not sure and (hint := re.search(r"3\.(\d+)", wanted)):
        # Where it runs elsewhere it works: no newer one unasked.
        known = int(hint[1]) if int(hint[1]) >= OLDEST_PYTHON[1] else OLD_PYTHON
        return f"3.{max(min(newest, known), oldest)}"
    for operator, minor in re.findall(r"(>=|<=|<|\^)\s*3\.(\d+)", wanted):
        bound = int(minor) - (operator == "<")
        newest = max(newest, bound) if operator in (">=", "^") else min(newest, bound)
    return f"3.{newest}"


def memory(facts: Facts) -> str:
    """What a process of the project is given at first: measured later, guessed now."""
    packages = facts.dependencies.packages if facts.dependencies else {}
    if len(packages) >= _HUGE:
        return "1Gi"
    return "512Mi" if len(packages) >= _LARGE or "wagtail" in packages else "256Mi"


def _head(app: str, image: str) -> str:
    return f"""\
# yaml-language-server: $schema=./nuages.schema.json
apiVersion: nuages/v1
name: {app}
image: {image}    # where images are pushed; a cluster on this machine needs no registry"""


def _django(facts: Facts, folder: Path | None) -> str:
    root = os.path.relpath(facts.root, folder.resolve()) if folder else "."
    inside = f"root: {scalar(root)}, " if root != "." else ""
    doubt = "" if facts.settings.sure else "    # concluded; nothing names a settings module for production"
    return f'django: {{{inside}settings: {facts.settings.value}, python: "{python(facts)}"}}{doubt}'


def _build(facts: Facts) -> Iterator[str]:
    lines = []
    if facts.packages:
        lines.append(f"  packages: [{_values(facts.packages)}]    # Debian's, in the image")
    if facts.build_packages:
        lines.append(f"  buildPackages: [{_values(facts.build_packages)}]    # only while dependencies are built")
    if facts.groups:
        place = facts.groups[0].place
        lines.append(f"  dependencies: {{groups: [{_values(facts.groups)}]}}    # {where(place)} imports from it")
    if facts.commands:
        commands = ", ".join(f"[{command(each.command)}]" for each in facts.commands)
        lines.append(f"  commands: [{commands}]")
    if front := facts.frontend:
        folders = (
            f"directory: {scalar(front.directory)}, command: [{command(front.command)}], output: {scalar(front.output)}"
        )
        lines.append(f"  frontend: {{{folders}}}    # {where(front.place)}")
    if lines:
        yield "\n".join(["build:", *lines])


def shares_a_file(facts: Facts) -> bool:
    """Whether processes share a SQLite file: only one pod may write it."""
    return any(worker.name == "huey" for worker in facts.workers) and facts.redis is None


def replicas(facts: Facts) -> int:
    """How many pods serve: three, or one where a file on one volume is written by them."""
    return 1 if shares_a_file(facts) or (_served(facts) is None and _engine(facts) == "sqlite3") else 3


def _web(facts: Facts) -> str:
    asgi = facts.interface is not None and facts.interface.value == "asgi"
    interface = f"\n    interface: asgi    # {where(facts.interface.place)}" if asgi and facts.interface else ""
    shared = "    # more would share a SQLite file" if shares_a_file(facts) else ""
    return f"""\
web:
  main:{interface}
    replicas: {replicas(facts)}{shared}
    requestTimeout: 30s    # the time-outs of server, proxy and pod follow from it
    resources: {{cpu: 100m, memory: {memory(facts)}}}"""


def _background(facts: Facts) -> Iterator[str]:
    size = f", resources: {{cpu: 100m, memory: {memory(facts)}}}" if memory(facts) != "256Mi" else ""
    lines = []
    if facts.celery:
        queues = f", queues: [{', '.join(facts.queues)}]" if facts.queues else ""
        longest, why = _longest(facts.task_limit)
        lines.append(
            f"  default: {{celery: {{app: {facts.celery.value}{queues}}}, longestTask: {longest}{size}}}    # {why}"
        )
    taken = {"default"} if facts.celery else set()
    for worker in facts.workers:
        key = key_of(worker.name, taken)
        taken.add(key)
        what = "tasks: {}" if worker.command[2:] == DB_WORKER else f"command: [{command(worker.command)}]"
        lines.append(f"  {key}: {{{what}, longestTask: 10m{size}}}    # {where(worker.place)}")
    if lines:
        yield "\n".join(["workers:", *lines])
    if facts.celery and facts.beat:
        why = f"{facts.beat.value}, {where(facts.beat.place)}"
        yield f"beat: {{celery: {{app: {facts.celery.value}}}{size}}}    # {why}"


def _longest(limit: Found | None) -> tuple[str, str]:
    """How long a pod that is to end gets for its tasks."""
    if limit is None:
        return "10m", "how long a task may take before its pod ends"
    seconds = int(limit.value)
    return (f"{seconds // 60}m" if seconds % 60 == 0 and seconds else f"{seconds}s"), where(limit.place)


def _engine(facts: Facts) -> str:
    return facts.database.value if facts.database else ""


def _served(facts: Facts) -> str | None:
    """Why PostgreSQL is run for the project; None where it can't use it."""
    if facts.geographic:
        return None
    if "DATABASE_URL" in facts.database_variables:
        return "gives the project DATABASE_URL"
    if facts.database_variables:
        return "by the variables below"
    if _engine(facts) == "sqlite3" and facts.database:
        return f"SQLite in {where(facts.database.place)}: the overlay puts this in its place"
    if _engine(facts) == "postgresql":
        return "gives the project DATABASE_URL"
    return None


def _services(facts: Facts) -> Iterator[str]:
    why = _served(facts)
    lines = []
    if why:
        lines.append(f'  postgres: {{run: {{version: "17", storage: 1Gi{_database_memory(facts)}}}}}')
    if facts.redis:
        lines.append(f"  redis: {{run: {{}}}}    # {_needs(facts.redis)}")
    elif optional := _optional_redis(facts):
        why_not = f"used where {optional} is set; without it each process has a cache of its own"
        lines.append(f"  # redis: {{run: {{}}}}    # {why_not}")
    if any(not line.startswith("  #") for line in lines):
        yield "\n".join(["services:", *lines])
    if why:
        gate = f"; its own is for {facts.gates[0].value} only" if facts.gates and "overlay" in why else ""
        yield f"databases: {{default: postgres}}    # {why}{gate}"
    if facts.celery and not facts.redis:
        yield f"# Celery's broker is not run here ({where(facts.celery.place)}): name yours in env or secrets"
    if facts.geographic:
        yield "# PostGIS is not run here: name a server that has it in secrets (env, where it is no secret)"
    elif not why and (other := _OTHERS.get(_engine(facts))):
        place = where(facts.database.place) if facts.database else ""
        yield f"# {other} ({place}) is not run here: name your server in env and secrets"


def _database_memory(facts: Facts) -> str:
    """What PostgreSQL wants beyond its default memory, where workers open connections beside the web (app.E101).

    With room for a schedule or a backup: the first one that is declared shall not be refused.
    """
    pods = replicas(facts)
    workers = len(facts.workers) + bool(facts.celery)
    needed = (pods + max(1, -(-pods // 4))) * 4 + workers * 8 + 5
    memory = next((size for size, allowed in _CONNECTIONS.items() if allowed >= needed), "2Gi")
    return f", resources: {{memory: {memory}}}" if workers and memory != "512Mi" else ""


# What app/connections.py allows for how much memory.
_CONNECTIONS = {"512Mi": 25, "768Mi": 38, "1Gi": 51, "1536Mi": 76}


def _needs(found: Found) -> str:
    what = "Celery's broker" if found.value == "celery" else found.value
    return f"{what}, {where(found.place)}"


def _optional_redis(facts: Facts) -> str:
    return next((name for name in facts.redis_variables if "REDIS" in name and facts.cache), "")


def _media(facts: Facts) -> Iterator[str]:
    if facts.media_root and facts.storage is None:
        yield _MEDIA
    elif facts.storage:
        yield f"# uploads go to {facts.storage.value.rpartition('.')[2]}, {where(facts.storage.place)}"


_MEDIA = """\
media:
  volume: {size: 1Gi, accessMode: ReadWriteMany}    # mounted at MEDIA_ROOT; several pods write to it"""


def _volumes(facts: Facts) -> Iterator[str]:
    lines = []
    taken: set[str] = set()
    for found in facts.volumes:
        folder = found.value.rstrip("?")
        if not PATH.match(folder):
            continue  # no volume can be mounted there
        kept = "temporary: true" if found.value.endswith("?") else "size: 1Gi"
        key = key_of(folder, taken)
        taken.add(key)
        lines.append(f"  {key}: {{path: {scalar(folder)}, {kept}}}    # {where(found.place)}")
    if lines:
        yield "\n".join(["volumes:    # folders that the project writes to", *lines])


def _values(found: tuple[Found, ...]) -> str:
    return ", ".join(each.value for each in found)
