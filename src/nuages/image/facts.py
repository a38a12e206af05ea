"""What an image says of itself: asked of the project inside a container, kept in a label, read back from it."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

import msgspec

from nuages.app.build import Build
from nuages.app.components import App
from nuages.errors import BuildFailed, CommandFailed
from nuages.image import container, cures
from nuages.image.container import Volume
from nuages.image.dependencies import VENV, Environment
from nuages.progress import Step
from nuages.project.facts import Facts, Variable

WORKING_DIR = "/app"
# Settings that decide what is in the image: a variable that they read has the environment's value at build time too.
_SHAPING = re.compile(r"^(MEDIA|STATIC|INSTALLED_APPS|STORAGES|DEBUG|WSGI|BASE|DATABASES)")
_DATABASE = "postgres://build:build@localhost:5432/build"
_BY_KIND = {"int": "1", "bool": "false", "list": "build.invalid", "db": _DATABASE}
_BY_NAME = (
    (re.compile(r"DATABASE_URL|POSTGRES_URL"), _DATABASE),
    (re.compile(r"(REDIS|CACHE|BROKER|CELERY)\w*URL"), "redis://localhost:6379/0"),
    (re.compile(r"EMAIL_URL"), "consolemail://"),
    (re.compile(r"(URL|DSN|ORIGINS?)$"), "https://key@build.invalid/1"),
    (re.compile(r"PORT$"), "1"),
)


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


def variables(facts: Facts, app: App) -> dict[str, str]:
    """The environment that the settings are loaded with at build time: no secret, and nothing that reaches a server.

    What the spec says where it shapes the image or is required; a harmless value for whatever else is required.
    """
    found = {"DJANGO_SETTINGS_MODULE": app.django.settings or facts.settings.value}
    if facts.wsgi:
        found["NUAGES_WSGI"] = facts.wsgi.value
    for variable in facts.variables:
        said = app.env.get(variable.name)
        if said is not None and said.value is not None and (variable.required or _SHAPING.match(variable.setting)):
            found[variable.name] = said.value
        elif variable.required or (variable.kind == "db" and app.postgres is not None):
            found[variable.name] = placeholder(variable)
    return found


def placeholder(variable: Variable) -> str:
    """A value that settings of this kind accept and that means nothing."""
    named = next((value for pattern, value in _BY_NAME if pattern.search(variable.name)), None)
    return named or _BY_KIND.get(variable.kind, "only-for-the-build")


def ask(environment: Environment, name: str, *, stage: Path, out: Path, env: dict[str, str], told: Step) -> Told:
    """Load the project from the folder `stage` in a container called `name`, in the image's own Python; static files
    and bytecode go to the folder `out`.

    Raises:
        BuildFailed: it does not load; the detail is the error, the place the line of its own code.
    """
    runtime = runtime_folder()
    volumes = [
        Volume(environment.folder, VENV),
        Volume(stage, WORKING_DIR, writable=True),
        Volume(runtime, f"/run/nuages/lib/{runtime.name}"),
        Volume(out, "/run/nuages/out", writable=True),
    ]
    script = (
        f"cd {WORKING_DIR} && {VENV}/bin/python -m nuages_runtime.facts"
        " --static /run/nuages/out/static --bytecode /run/nuages/out/bytecode"
    )
    known = {**env, "PYTHONPATH": "/run/nuages/lib", "PATH": f"{VENV}/bin:/usr/local/bin:/usr/bin:/bin"}
    try:
        answer = container.inside(name, ["sh", "-c", script], told.say, volumes=volumes, env=known)
    except CommandFailed as failed:
        raise _does_not_load(failed.detail) from None
    return msgspec.json.decode(answer, type=Told)


def _does_not_load(output: str) -> BuildFailed:
    """The one line that matters of a traceback, with the project's own line as its place."""
    ended = cures.raised(output, WORKING_DIR)
    if ended is None:
        return BuildFailed("the project does not load in its image", detail="\n".join(output.splitlines()[-15:]))
    missing = re.search(r"No module named '([\w.]+)'", ended.error)
    return BuildFailed(
        "the project does not load in its image",
        place=f"{ended.file}:{ended.line}" if ended.file else "",
        detail=ended.error,
        hint=f"add the package that has {missing[1]} to the project's requirements" if missing else "",
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
