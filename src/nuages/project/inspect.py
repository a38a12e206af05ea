"""inspect(path) -> Facts: what the files of a Django project tell, each with where it was read.

Nothing of the project is run. In this order: where manage.py is, which settings are meant for production, what those
come to (followed, trial.py), and then everything that follows from them.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path, PurePosixPath

import msgspec

from nuages.errors import Refused
from nuages.findings import Finding, Level, Place
from nuages.project import libraries, place, stores
from nuages.project.choice import choose
from nuages.project.facts import Dependencies, Facts, Found, Worker
from nuages.project.files import Files
from nuages.project.frontend import frontend, unsaid
from nuages.project.hints import hints, say
from nuages.project.reads import gates, secret_key, variables
from nuages.project.refusals import bounded, named, problems
from nuages.project.requirements import Options, dependencies, groups, requires_python
from nuages.project.scopes import imported, module_path, parse
from nuages.project.servers import servers
from nuages.project.trial import Trial, load, off, shown
from nuages.project.workers import background
from nuages.project.writes import written


def inspect(path: Path, settings: str | None = None, options: Options | None = None) -> Facts:
    """Read the project in a folder, or in the one folder below it that has manage.py.

    `settings` and `options` are what a spec says instead of what would be found.

    Raises:
        Refused: there is no manage.py, there are several, or no module of settings.
    """
    root = place.find(path)
    files = Files(root)
    said = _hints(files, path.resolve())
    chosen = Found(settings, Place("nuages.yaml", path="django.settings")) if settings else choose(files, said)
    if chosen is None:
        raise _no_settings(path)
    trial, environment = load(root, chosen.value)
    declared = _declared(root, path.resolve(), options or Options())
    names = {each.name for each in variables(files, trial, said)} | {read.name for read in trial.reads()}
    led = stores.database_variables(trial, names)
    found = variables(files, stores.given(trial, led), said) if led else variables(files, trial, said)
    serving = servers(files, trial, said)
    work = background(files, trial, said, declared.packages if declared else {})
    wanted = _python(root, path.resolve(), said)
    run, build = libraries.needed(
        declared,
        trial.installed("django.contrib.gis"),
        lambda name: named(declared, files, name) if declared else Place(),
    )
    commands = tuple(_commands(files, trial, said))
    if any("compilemessages" in command.command for command in commands):
        build = (*build, Found(libraries.GETTEXT, commands[0].place))
    redis_led = stores.redis_variables(trial, names)
    return Facts(
        root=root,
        manage=Found("manage.py", Place("manage.py", 1)),
        settings=chosen,
        wsgi=serving.wsgi,
        asgi=serving.asgi,
        interface=serving.interface,
        channels=serving.channels,
        python=wanted,
        django=_django(declared, files),
        dependencies=declared,
        variables=found,
        database=_database(trial, declared),
        database_variables=led,
        redis=_redis(trial, work.celery, work.workers, redis_led if declared and "redis" in declared.packages else {}),
        redis_variables=redis_led,
        cache=stores.cache(trial),
        storage=_storage(trial),
        media_root=_folder(trial, "MEDIA_ROOT"),
        static_root=_folder(trial, "STATIC_ROOT"),
        static_url=trial.found("STATIC_URL"),
        whitenoise=any("whitenoise" in text for setting in ("MIDDLEWARE", "STORAGES", "STATICFILES_STORAGE")
                       for text in trial.texts(setting)),
        admin=trial.installed("django.contrib.admin") is not None,
        celery=work.celery,
        beat=work.beat,
        queues=work.queues,
        task_limit=work.task_limit,
        workers=work.workers,
        frontend=frontend(files, trial),
        packages=run,
        build_packages=build,
        groups=tuple(_groups(files, root, declared)),
        commands=commands,
        volumes=written(files, trial),
        secret_key=secret_key(trial, found),
        debug=_debug(trial, environment),
        ssl_redirect=_switched(trial, "SECURE_SSL_REDIRECT"),
        secure_cookies=_switched(trial, "SESSION_COOKIE_SECURE"),
        configuration=_configuration(trial),
        environment=environment,
        gates=gates(trial),
        hints=said,
        problems=(
            *problems(files, trial, declared, wanted, said),
            *(_unbuilt(unsaid(files), "") if files.root == path.resolve() else
              _unbuilt(unsaid(Files(path.resolve())), os.path.relpath(path.resolve(), root))),
        ),
    )  # fmt: skip


def _unbuilt(found: Found | None, above: str) -> list[Finding]:
    """What a front end that nobody can tell how to build leaves missing is found only by a page that wants it."""
    if found is None:
        return []
    return [
        Finding(
            "project.I215",
            Level.INFO,
            f"{found.value} is in package.json, and none of its scripts runs it: what it makes is not built",
            found.place._replace(file=str(PurePosixPath(above, found.place.file))),
            "where the site needs it: build.frontend {directory, command, output}",
        )
    ]


def _no_settings(path: Path) -> Refused:
    return Refused(
        f"no settings in {path}",
        findings=[
            Finding(
                "project.E203",
                Level.ERROR,
                "manage.py, wsgi.py and asgi.py name no settings module that is there, and none was found",
                Place("manage.py", 1),
                "write django.settings into nuages.yaml",
            )
        ],
    )


def _hints(files: Files, top: Path) -> tuple[Found, ...]:
    """Of the project's folder, and of the one where the reader stands: a Dockerfile often lies there."""
    own = hints(files)
    if top == files.root:
        return own
    named = ((os.path.relpath(top / hint.place.file, files.root), hint) for hint in hints(Files(top)))
    above = (
        Found(hint.value, hint.place._replace(file=file), sure=False) for file, hint in named if file.startswith("..")
    )
    return (*own, *above)


def _declared(root: Path, top: Path, options: Options) -> Dependencies | None:
    """What the project installs: its own files say so, or those of a folder above, up to where the reader stands."""
    for folder in _up(root, top):
        if found := dependencies(folder, options):
            files = tuple(os.path.relpath(folder / file, root) for file in found.files)
            return msgspec.structs.replace(found, files=files)
    return None


def _up(root: Path, top: Path) -> list[Path]:
    return [root, *(folder for folder in root.parents if folder.is_relative_to(top))]


def _python(root: Path, top: Path, said: tuple[Found, ...]) -> Found | None:
    """What the project declares; else what it runs on elsewhere, which is no more than a hint."""
    declared = next((found for folder in _up(root, top) if (found := requires_python(folder))), None)
    if declared and any(letter.isdigit() for letter in declared[0]):
        return Found(declared[0], Place(declared[1], 1))
    return next(say(said, "python"), None)


def _django(declared: Dependencies | None, files: Files) -> Found | None:
    """The version that is installed. What a comment in the settings says of the Django that made them is not it."""
    if declared is None or "django" not in declared.packages:
        return None
    version = declared.packages["django"]
    if not version and (newest := bounded(declared, files)):
        return Found(newest, named(declared, files, "django"), sure=False)
    return Found(version, named(declared, files, "django"), sure=bool(version))


def _database(trial: Trial, declared: Dependencies | None) -> Found | None:
    """The engine by the settings; where it could not be followed, what the drivers among the dependencies can only
    mean.
    """
    found = stores.database(trial)
    if found and found.sure:
        return found
    packages = declared.packages if declared else {}
    drivers = {
        "psycopg": "postgresql",
        "psycopg2": "postgresql",
        "psycopg2-binary": "postgresql",
        "mysqlclient": "mysql",
    }
    meant = next((engine for driver, engine in drivers.items() if driver in packages), None)
    return Found(meant, trial.place("DATABASES"), sure=False) if meant and trial.value("DATABASES") else found


def _redis(trial: Trial, celery: Found | None, workers: tuple[Worker, ...], led: dict[str, str]) -> Found | None:
    """What needs a Redis; `led` are the variables that lead to one, where its client is installed."""
    if found := stores.redis(trial):
        return found
    broker = str(trial.value("CELERY_BROKER_URL") or trial.value("BROKER_URL") or "")
    another = broker.startswith(("amqp", "sqs", "pyamqp"))
    if celery and (not another or trial.origins("CELERY_BROKER_URL") & led.keys()):
        return Found("celery", celery.place)
    if (channels := trial.texts("CHANNEL_LAYERS")) and any("redis" in text.lower() for text in channels):
        return Found("CHANNEL_LAYERS", trial.place("CHANNEL_LAYERS"))
    return next((Found(worker.name, worker.place) for worker in workers if worker.name == "rq"), None)


def _storage(trial: Trial) -> Found | None:
    """The backend of uploads, where it is no folder."""
    storages = trial.value("STORAGES")
    default = storages.get("default") if isinstance(storages, dict) else None
    backend = default.get("BACKEND") if isinstance(default, dict) else trial.value("DEFAULT_FILE_STORAGE")
    if not isinstance(backend, str) or backend.endswith(".FileSystemStorage") or _of_folder(trial, backend):
        return None
    setting = "STORAGES" if isinstance(default, dict) else "DEFAULT_FILE_STORAGE"
    return Found(backend, trial.place(setting))


_REMOTE = re.compile(
    r"s3|boto|gcloud|google|gcs|azure|cloudinary|minio|dropbox|sftp|ftp|spaces|oss|cloud|swift|supabase|backblaze",
    re.IGNORECASE,
)


def _of_folder(trial: Trial, backend: str) -> bool:
    """Whether a storage class of the project's own keeps files below MEDIA_ROOT, for all that is written of it."""
    module, _, name = backend.rpartition(".")
    path = module_path(trial.root, module)
    tree = parse(path, backend) if path else None
    if tree is None or trial.value("MEDIA_ROOT") in (None, "") or _REMOTE.search(name):
        return False
    for node in tree.body:
        match node:
            case ast.ClassDef(name=known, bases=bases) if known == name:
                return not any(_REMOTE.search(ast.unparse(base)) for base in bases)
            case ast.Assign(targets=[ast.Name(id=known)], value=value) if known == name:
                return not _REMOTE.search(ast.unparse(value))
    return False


def _folder(trial: Trial, setting: str) -> Found | None:
    value = trial.value(setting)
    if value in (None, ""):
        return None
    inside = trial.inside(value)
    # Outside of the project it is as far away in the image: of this machine's folders nothing is said.
    whole = inside or (
        os.path.relpath(str(value), trial.root) if str(value).startswith("/") else shown(value, trial.root)
    )
    return Found(whole, trial.place(setting), sure=inside is not None)


def _debug(trial: Trial, environment: dict[str, str]) -> Found | None:
    """What DEBUG is when only the variables are set that were found for it."""
    value = trial.value("DEBUG")
    if value is None:
        return None
    text = str(value).lower() if isinstance(value, bool) else ""
    return Found(text, trial.place("DEBUG"), sure=isinstance(value, bool) and not environment)


def _switched(trial: Trial, setting: str) -> Found | None:
    """A setting that is on: NAME=VALUE that turns it off, or nothing where no variable does."""
    if trial.value(setting) is not True:
        return None
    switch = off(trial, setting)
    return Found("=".join(switch) if switch else "", trial.place(setting))


def _configuration(trial: Trial) -> Found | None:
    name = trial.configuration
    return Found(name, Place(trial.classes[name].file, 1), sure=False) if name else None


def _commands(files: Files, trial: Trial, said: tuple[Found, ...]) -> list[Worker]:
    """compilemessages, where translations are there and not compiled; compress, where it is done ahead."""
    found = []
    catalogues = [file for file in files.all if file.endswith(".po") and "/LC_MESSAGES/" in file]
    compiled = any(file.endswith(".mo") for file in files.all)
    docker = any("Dockerfile" in hint.place.file and "/" not in hint.place.file for hint in said)
    told = any("compilemessages" in hint.value for hint in say(said, "build"))
    if catalogues and not compiled and (told or not docker) and trial.value("USE_I18N") is not False:
        found.append(Worker("compilemessages", ("python", "manage.py", "compilemessages"), Place(catalogues[0])))
    if trial.installed("compressor") and trial.value("COMPRESS_OFFLINE") is True:
        found.append(Worker("compress", ("python", "manage.py", "compress"), trial.place("COMPRESS_OFFLINE")))
    return found


def _groups(files: Files, root: Path, declared: Dependencies | None) -> list[Found]:
    """Groups of dependencies that modules beside the tests import from: what `--no-dev` would break.

    Seen by a production module that imports the project's tests, whose tools are in the group.
    """
    known = {name: each for name, each in groups(root).items() if name in ("dev", "test", "tests", "development")}
    if not known or declared is None:
        return []
    tools = {tool.replace("-", "_") for each in known.values() for tool in each if tool not in declared.packages} or {
        "-"
    }
    tests = re.compile(rb"^(?:from|import) \.*[\w.]*\btests\b", re.MULTILINE)
    either = re.compile(
        rb"^(?:from|import) (?:(?:%s)\b|\.*[\w.]*\btests\b)" % "|".join(sorted(tools)).encode(), re.MULTILINE
    )
    for file in files.search(either):
        # A command that a developer runs may need a developer's tools; one that needs the tests does not even load.
        pattern = tests if "management/commands" in file else either
        content = files.text(file).encode()
        if "/" in file and not _development(file) and (match := pattern.search(content)):
            if not _reaches(files, file, tools):
                continue  # tests that load without the tools
            line = content[: match.start()].count(b"\n") + 1
            return [Found(next(iter(known)), Place(file, line), sure=False)]
    return []


def _reaches(files: Files, start: str, tools: set[str]) -> bool:
    """Whether loading a module loads one of these tools: by itself, or by tests that it imports."""
    todo, seen = [start], {start}
    while todo and len(seen) < 40:
        file = todo.pop()
        tree = parse(files.root / file, file)
        # What a function imports is loaded only when it is called.
        for node in tree.body if tree else []:
            for name in imported(node, file):
                if name.partition(".")[0] in tools:
                    return True
                path = module_path(files.root, name)
                found = str(path.relative_to(files.root)) if path else ""
                if found and found not in seen and re.search(r"(^|[/_])(tests?|conftest|fixtures)([/._]|$)", found):
                    seen.add(found)
                    todo.append(found)
    return False


def _development(file: str) -> bool:
    return bool(
        re.search(
            r"(^|/)(settings/)?(dev|local|development|debug|test\w*|ci|conftest|\w*_test)\.py$|(^|/)(docs|scripts)/",
            file,
        )
    )
