"""What an image says of itself: asked of the project inside a container, kept in a label, read back from it."""

from __future__ import annotations

import json
import re
import shlex
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec

from nuages.app import stores
from nuages.app.build import Build, Gate
from nuages.app.components import App
from nuages.errors import BuildFailed, CommandFailed, MissingTool, NuagesError, Refused
from nuages.host.command import run as run_program
from nuages.host.files import replace
from nuages.image import chroot, container, cures, providers, system
from nuages.image.container import Volume
from nuages.image.dependencies import VENV, Environment
from nuages.progress import Step
from nuages.project.facts import Facts, Variable
from nuages.render.environment import settings_variables

WORKING_DIR = "/app"
LIBRARY = "/run/nuages/lib"  # where the runtime is found while an image is built
# Settings that decide what is in the image: a variable that they read has the environment's value at build time too.
_SHAPING = re.compile(r"^(MEDIA|STATIC|INSTALLED_APPS|STORAGES|DEBUG|WSGI|BASE|DATABASES)")
_DATABASE = "postgres://build:build@localhost:5432/build"
_REDIS = "redis://localhost:6379/0"
_AMQP = "amqp://localhost:5672/build"
_MEMCACHED = "memcached://localhost:11211"
# Long enough for whoever checks that.
SECRET_KEY = "only-for-the-build-" + "x" * 40
_OF_SERVICES = {"port": "5432", "url": _DATABASE, "host": "localhost", "address": "redis://localhost:6379"}
_BY_KIND = {"int": "1", "bool": "false", "list": "build.invalid", "db": _DATABASE}
_BY_NAME = (
    (re.compile(r"DATABASE_URL|POSTGRES_URL"), _DATABASE),
    (re.compile(r"(REDIS|CACHE|BROKER|CELERY)\w*URL"), _REDIS),
    (re.compile(r"EMAIL_URL"), "consolemail://"),
    (re.compile(r"(URL|DSN|ORIGINS?)$"), "https://key@build.invalid/1"),
    (re.compile(r"PORT$"), "1"),
    (re.compile(r"SECRET_KEY$"), SECRET_KEY),
)


class Change(msgspec.Struct, frozen=True):
    """What the overlay does to one setting: added, replaced or kept, and why."""

    setting: str
    action: str
    why: str


class Told(msgspec.Struct, frozen=True):
    """The answer of `nuages_runtime.facts`."""

    settings: str
    wsgi: str
    migrations: dict[str, list[str]]
    media_root: str | None
    static_root: str | None
    static_url: str | None
    static_skipped: str
    """Why static files were not collected; "" where they were."""
    static_missing: tuple[str, ...] = ()
    """Static files that others refer to and that nobody has."""
    static_tree: str = ""
    """The hash of all static files that were collected; "" where there are none."""
    static_hashed: bool = False
    """Whether the name of each has a hash of its own."""
    asgi: str = ""
    django: str = ""
    python: str = ""
    engines: dict[str, str] = {}
    tasks: dict[str, str] | None = None
    gates: tuple[Gate, ...] = ()
    staticfiles: bool = True
    overlay: tuple[Change, ...] = ()
    read: tuple[str, ...] | None = None
    """The project's files that were opened while it was asked; None where not everything was seen."""


def variables(facts: Facts, app: App) -> dict[str, str]:
    """The environment that the settings are loaded with at build time: no secret, and nothing that reaches a server.

    What the spec says, but for what the settings read and can do without: a change of that builds no other image. A
    harmless value for whatever else is required, and for the services that the app will have.
    """
    found = {"DJANGO_SETTINGS_MODULE": app.django.settings or facts.settings.value, "SECRET_KEY": SECRET_KEY}
    if facts.wsgi:
        found["NUAGES_WSGI"] = facts.wsgi.value
    if facts.asgi:
        found["NUAGES_ASGI"] = facts.asgi.value
    celery = [worker.celery.app for worker in app.workers.values() if worker.celery]
    if celery := sorted({*celery, *([app.beat.app] if app.beat else [])}):
        found["NUAGES_CELERY_APP"] = ",".join(celery)
    found |= {name: value for name, value in settings_variables(app).items() if value}
    if app.databases.default is not None or app.postgres is not None:
        found["DATABASE_URL"] = _DATABASE
    there = stores.declared(app)
    if "redis" in there:
        found |= {"REDIS_URL": _REDIS, "CELERY_BROKER_URL": _REDIS}
    if "rabbitmq" in there:
        found |= {"RABBITMQ_URL": _AMQP, "CELERY_BROKER_URL": _AMQP}
    if "memcached" in there:
        found["MEMCACHED_URL"] = _MEMCACHED
    known = {variable.name: variable for variable in facts.variables}
    for variable in facts.variables:
        if variable.required or (variable.kind == "db" and "DATABASE_URL" in found):
            found[variable.name] = placeholder(variable)
    for name in app.secrets:
        if name not in known:  # read where nobody saw it
            found.setdefault(name, placeholder(Variable(name=name, place=facts.settings.place, required=True)))
    for name, said in app.env.items():
        shaping = name not in known or known[name].required or _SHAPING.match(known[name].setting)
        if said.value is not None and shaping:
            found[name] = said.value
        elif said.service and (name not in known or known[name].required):
            found[name] = _OF_SERVICES.get(said.key or "", "build")
    return found


def placeholder(variable: Variable) -> str:
    """A value that settings of this kind accept and that means nothing."""
    if re.search(r"PRIVATE_KEY|RSA_KEY", variable.name) and (key := private_key()):
        return key
    named = next((value for pattern, value in _BY_NAME if pattern.search(variable.name)), None)
    return named or _BY_KIND.get(variable.kind, "only-for-the-build")


def private_key() -> str:
    """A private key that nobody uses, for settings that parse theirs while they are loaded; made once on this machine.

    "" where there is no openssl.
    """
    kept = system.home() / "key-for-builds.pem"
    if not kept.is_file():
        try:
            replace(kept, run_program(["openssl", "genrsa", "2048"]), mode=0o600)
        except (CommandFailed, MissingTool):
            return ""
    return kept.read_text()


def ask(environment: Environment, name: str, *, stage: Path, out: Path, env: dict[str, str], told: Step) -> Told:
    """Load the project from the folder `stage` in a container called `name`, in the image's own Python; static files
    and bytecode go to the folder `out`.

    Raises:
        BuildFailed: it does not load; the detail is the error, the place the line of its own code.
        Refused: it loads nowhere: it asks a server while it is loaded, or has no settings module.
    """
    script = f"{VENV}/bin/python -m nuages_runtime.facts --static /run/nuages/out/static && {_COMPILE}"
    try:
        answer = _python(environment, name, script, stage=stage, out=out, env=env, told=told)
    except CommandFailed as failed:
        raise does_not_load(failed.detail, env.get("DJANGO_SETTINGS_MODULE", "")) from None
    return msgspec.json.decode(answer, type=Told)


def compiled(environment: Environment, name: str, *, stage: Path, out: Path, told: Step) -> None:
    """Only the bytecode of the project in the folder `stage`, into the folder `out`; see `ask`."""
    _python(environment, name, _COMPILE, stage=stage, out=out, env={}, told=told)


_COMPILE = f"exec {VENV}/bin/python -m nuages_runtime.bytecode /run/nuages/out/bytecode"


def _python(
    environment: Environment, name: str, script: str, *, stage: Path, out: Path, env: dict[str, str], told: Step
) -> str:
    runtime = runtime_folder()
    volumes = [
        Volume(environment.folder, VENV),
        Volume(stage, WORKING_DIR, writable=True),
        Volume(runtime, f"{LIBRARY}/{runtime.name}"),
        Volume(out, "/run/nuages/out", writable=True),
    ]
    known = {**environment.system.image.env, **_env(env)}
    return chroot.inside(name, ["sh", "-c", f"cd {WORKING_DIR} && {script}"], told.say, volumes=volumes, env=known)


def run(
    environment: Environment,
    name: str,
    commands: Sequence[Sequence[str]],
    *,
    stage: Path,
    env: dict[str, str],
    told: Step,
) -> None:
    """Run the project's own commands in the folder `stage`, with the overlay on and no network.

    Raises:
        BuildFailed: one ended with an error; the detail has its last lines.
    """
    runtime = runtime_folder()
    with tempfile.TemporaryDirectory() as temporary:
        hook = Path(temporary) / "sitecustomize.py"
        hook.write_text("from nuages_runtime import hook\n\nhook.start()\n")
        volumes = [
            Volume(environment.folder, VENV),
            Volume(stage, WORKING_DIR, writable=True),
            Volume(runtime, f"{LIBRARY}/{runtime.name}"),
            Volume(hook, f"{LIBRARY}/sitecustomize.py"),
        ]
        for command in commands:
            shown = shlex.join(command)
            told.say(shown)
            script = f"cd {WORKING_DIR} && exec {shown} >&2"
            known = {**_env(env), "PYTHONDONTWRITEBYTECODE": "1"}
            try:
                container.inside(name, ["sh", "-c", script], told.say, volumes=volumes, env=known, offline=True)
            except CommandFailed as failed:
                raise _did_not_run(shown, failed.detail) from None


def _env(env: dict[str, str]) -> dict[str, str]:
    path = f"{VENV}/bin:/usr/local/bin:/usr/bin:/bin"
    return {**env, "PYTHONPATH": LIBRARY, "PATH": path, "HOME": "/tmp"}  # noqa: S108 - a container's own


def _did_not_run(command: str, output: str) -> BuildFailed:
    ended = cures.raised(output, WORKING_DIR)
    return BuildFailed(
        f"build.commands: `{command}` ended with an error",
        place=f"{ended.file}:{ended.line}" if ended and ended.file else "",
        detail=ended.error if ended else "\n".join(output.splitlines()[-15:]),
        hint=f"build.buildPackages: [{', '.join(needed)}]" if (needed := providers.needed(output)) else "",
    )


def does_not_load(output: str, settings: str = "") -> NuagesError:
    """The one line that matters of a traceback, with the project's own line as its place."""
    if refused := re.findall(r"^nuages: (.+)$", output, re.MULTILINE):
        place, colon, said = refused[-1].partition(": ")
        placed = colon and re.search(r":\d+$", place)
        return Refused(said if placed else refused[-1], place=place if placed else "")
    ended = cures.raised(output, WORKING_DIR)
    if ended is None:
        return BuildFailed("the project does not load in its image", detail="\n".join(output.splitlines()[-15:]))
    missing = re.search(r"No module named '([\w.]+)'", ended.error)
    hint = ""
    if library := providers.library(output):
        hint = f"build.packages: [{library}]"
    elif missing and f"{settings}.".startswith(f"{missing[1]}."):
        hint = f"django.settings is {settings}: is it spelled as the project's module is, and in the image?"
    elif missing:
        hint = (
            f"add the package that has {missing[1]} to the project's requirements; "
            "where it is in a group or an extra of them, name that in build.dependencies"
        )
    return BuildFailed(
        "the project does not load in its image",
        place=f"{ended.file}:{ended.line}" if ended.file else "",
        detail=ended.error,
        hint=hint,
    )


def runtime_folder() -> Path:
    """Where the files of nuages_runtime lie; found, not imported: they are for the image's Python."""
    spec = find_spec("nuages_runtime")
    if spec is None or not spec.submodule_search_locations:
        raise BuildFailed("nuages_runtime is not installed beside nuages", hint="reinstall nuages")
    return Path(next(iter(spec.submodule_search_locations)))


def label(build: Build) -> str:
    """The label's text: all but the reference, which would have to contain its own digest."""
    known = msgspec.to_builtins(build)
    return json.dumps({name: value for name, value in known.items() if name != "reference"}, sort_keys=True)


def read(reference: str, text: str) -> Build:
    """The Build of an image from its label."""
    return msgspec.convert({**json.loads(text), "reference": reference}, Build)
