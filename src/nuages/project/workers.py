"""What works in the background: Celery and its beat, and the queues that a management command serves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from nuages.findings import Place
from nuages.project.facts import Found, Worker
from nuages.project.files import Files, importable, module_of
from nuages.project.hints import say
from nuages.project.scopes import parse
from nuages.project.trial import Trial

_CELERY_FILE = re.compile(r"(^|/)(\w*celery\w*|worker|tasks|app|__init__|main|queue)\.py$")
_CELERY = re.compile(rb"\bCelery\(")
_APP = re.compile(r"celery\b.*?(?:-A|--app)[\s=]+([\w.:]+)")
_QUEUES = re.compile(r"worker\b.*?(?:-Q|--queues)[\s=]+([\w.,-]+)")
_MANAGE = re.compile(r"manage\.py\s+([a-z_]\w*)((?:\s+[\w./=:-]+)*)\s*$")
# Commands of processes that are no workers: what the release does, and what serves.
_NO_WORKER = {"migrate", "runserver", "collectstatic", "createcachetable", "compilemessages", "check", "loaddata",
              "createsuperuser", "compress", "runworker", "test", "shell"}  # fmt: skip

DB_WORKER = ("db_worker",)
"""What works off the rows of django.tasks: a worker of a kind of its own in the spec."""


class Background(NamedTuple):
    """All that works in the background."""

    celery: Found | None
    beat: Found | None
    queues: tuple[str, ...]
    task_limit: Found | None
    workers: tuple[Worker, ...]


def background(files: Files, trial: Trial, hints: tuple[Found, ...], packages: dict[str, str]) -> Background:
    """Read from the settings and the module that makes the Celery app."""
    celery = _celery(files, hints) if "celery" in packages or not packages else None
    if celery and trial.value("CELERY_TASK_ALWAYS_EAGER") is True and not trial.origins("CELERY_TASK_ALWAYS_EAGER"):
        celery = None
    beat = _beat(files, trial, celery) if celery else None
    return Background(
        celery,
        beat,
        _queues(trial, hints) if celery else (),
        _limit(trial) if celery else None,
        tuple(_workers(trial, hints, files)),
    )


def _celery(files: Files, hints: tuple[Found, ...]) -> Found | None:
    """The module with `app = Celery(...)`, as `celery -A` takes it."""
    likely = tuple(file for file in files.python if _CELERY_FILE.search(file) and file.count("/") <= 3)
    found = []
    for file in files.search(_CELERY, likely):
        tree = parse(files.root / file, file)
        for node in tree.body if tree and importable(file) else []:
            name = _made(node)
            if name:
                module = module_of(file)
                # `-A module` finds what is called app or celery by itself.
                found.append(
                    Found(module if name in ("app", "celery") else f"{module}:{name}", Place(file, node.lineno))
                )
    named = {app[1] for hint in [*say(hints, "process"), *say(hints, "command")] if (app := _APP.search(hint.value))}
    preferred = [each for each in found if each.value.partition(":")[0] in {name.partition(":")[0] for name in named}]
    return next(iter(preferred or sorted(found, key=lambda each: (each.value.count("."), each.value))), None)


def _made(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id if ast.unparse(node.value.func).rpartition(".")[2] == "Celery" else None
    return None


def _beat(files: Files, trial: Trial, celery: Found) -> Found | None:
    for setting in ("CELERY_BEAT_SCHEDULE", "CELERYBEAT_SCHEDULE", "BEAT_SCHEDULE"):
        if trial.value(setting) not in (None, {}):
            return Found(setting, trial.place(setting))
    if place := trial.installed("django_celery_beat"):
        return Found("django_celery_beat", place)
    for line, text in files.lines(celery.place.file):
        if re.search(r"beat_schedule\s*=|add_periodic_task\(|['\"]beat_schedule['\"]", text):
            return Found("beat_schedule", Place(celery.place.file, line))
    return None


def _queues(trial: Trial, hints: tuple[Found, ...]) -> tuple[str, ...]:
    """The queues that a worker has to name, beside the default one: tasks are routed to them by the settings."""
    routes = trial.value("CELERY_TASK_ROUTES")
    default = trial.value("CELERY_TASK_DEFAULT_QUEUE")
    routed = {each["queue"] for each in (routes.values() if isinstance(routes, dict) else ())
              if isinstance(each, dict) and isinstance(each.get("queue"), str)}  # fmt: skip
    for hint in [*say(hints, "process"), *say(hints, "command")]:
        if found := _QUEUES.search(hint.value):
            routed |= set(found[1].split(","))
    if not routed or trial.value("CELERY_TASK_QUEUES"):
        return ()
    first = default if isinstance(default, str) else "celery"
    return (first, *sorted(routed - {first}))


def _limit(trial: Trial) -> Found | None:
    for setting in ("CELERY_TASK_TIME_LIMIT", "CELERYD_TASK_TIME_LIMIT", "CELERY_TASK_SOFT_TIME_LIMIT"):
        value = trial.value(setting)
        if isinstance(value, int | float) and value > 0:
            return Found(str(int(value)), trial.place(setting))
    return None


def _workers(trial: Trial, hints: tuple[Found, ...], files: Files) -> Iterator[Worker]:
    """One for each queue that a management command serves; then those that a Procfile starts with manage.py."""
    known = list(_installed(trial))
    yield from known
    commands = {worker.command[2] for worker in known}
    for hint in hints:
        kind, _, line = hint.value.partition("=")
        if kind.partition(".")[0] != "process" or kind in ("process.web", "process.release"):
            continue
        found = _MANAGE.search(line)
        if found and found[1] not in _NO_WORKER | commands:
            command = ("python", "manage.py", found[1], *found[2].split())
            commands.add(found[1])
            name = re.sub(r"[^a-z0-9-]", "-", (kind[8:] or found[1]).lower())[:20].strip("-")
            yield Worker(name or "worker", command, hint.place)


def _installed(trial: Trial) -> Iterator[Worker]:
    def worker(name: str, place: Place, *command: str) -> Worker:
        return Worker(name, ("python", "manage.py", *command), place)

    if place := trial.installed("huey.contrib.djhuey", "bx_django_utils.huey"):
        yield worker("huey", place, "run_huey")
    if place := trial.installed("django_rq"):
        queues = trial.value("RQ_QUEUES")
        names = [str(name) for name in queues] if isinstance(queues, dict) else []
        yield worker("rq", place, "rqworker", *(names or ["default"]))
    if place := trial.installed("django_q"):
        yield worker("qcluster", place, "qcluster")
    if place := trial.installed("django_dramatiq"):
        yield worker("dramatiq", place, "rundramatiq")
    if place := trial.installed("procrastinate.contrib.django"):
        yield worker("procrastinate", place, "procrastinate", "worker")
    if place := trial.installed("background_task"):
        yield worker("background", place, "process_tasks")
    yield from _tasks(trial)


def _tasks(trial: Trial) -> Iterator[Worker]:
    """django.tasks: Django ships no worker; its database backends do."""
    tasks = trial.value("TASKS")
    backends = [str(each.get("BACKEND", "")) for each in tasks.values() if isinstance(each, dict)] if isinstance(
        tasks, dict) else []  # fmt: skip
    for backend in backends:
        if "database" in backend.lower() or "django_tasks_db" in backend:
            yield Worker("tasks", ("python", "manage.py", *DB_WORKER), trial.place("TASKS"))
            return
