"""dockerfile(project, app) -> text: a Dockerfile that makes such an image, for people who want one.

It does in stages what the build does in layers, and has the same Python, dependencies, files and command. What it does
not have is the build's speed, its one digest for the same input, and the label that says what is in it.
"""

from __future__ import annotations

import json
import shlex
from importlib.metadata import version
from pathlib import Path

from nuages.app.components import App
from nuages.image import additions, facts, ignore, installation
from nuages.image.build import inspected
from nuages.image.dependencies import VENV
from nuages.project.facts import Facts
from nuages.spec.model import Frontend

USER = "1000:1000"
RUNTIME = "nuages_runtime"
# The name by which a folder of this machine is given to the builder: what Dockerfiles copy from, as from a stage.
CONTEXT = "runtime"
NODE = "docker.io/library/node:22-slim"
_UV_CACHE = "--mount=type=cache,target=/root/.cache/uv"
_INDEX = "--mount=type=secret,id=index"
# Lines `export UV_DEFAULT_INDEX=...`, if there are any: in a secret they are in no layer.
_INDEX_READ = "if [ -f /run/secrets/index ]; then . /run/secrets/index; fi"
_UV = "UV_LINK_MODE=copy UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never"


def dockerfile(project: Path, app: App) -> str:
    """The text, to be built in the folder of manage.py.

    Raises:
        UsageError: there is no Django project.
        Refused: what says what to install can't be used.
    """
    found = inspected(project, app)
    parts = [
        _head(found, app),
        *([_frontend(app.build.frontend)] if app.build.frontend else []),
        _base(app),
        _dependencies(found, app),
        _project(found, app),
        _image(found, app),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _head(found: Facts, app: App) -> list[str]:
    left_out = ignore.select(found.root).left_out
    return [
        "# Printed by `nuages build --dockerfile`. To be built where manage.py is (docker buildx, podman, buildah):",
        f"#   docker build -t {app.image} --build-context {CONTEXT}=$(python3 -c 'import {RUNTIME} as r; "
        "print(r.__path__[0])') .",
        "# A private index: --secret id=index,src=FILE, with lines such as export UV_DEFAULT_INDEX=https://...",
        *([f"# .dockerignore should name: {', '.join(left_out)}"] if left_out else []),
    ]


def _frontend(wanted: Frontend) -> list[str]:
    return [
        f"FROM {NODE} AS frontend",
        f"WORKDIR {facts.WORKING_DIR}",
        "COPY . .",
        f"WORKDIR {_below(wanted.directory)}",
        "RUN npm ci",
        f"RUN {shlex.join(wanted.command)}",
        *(["RUN rm -rf node_modules"] if (wanted.output or ".") == "." else []),
    ]


def _base(app: App) -> list[str]:
    return [
        f"FROM docker.io/library/python:{app.django.python}-slim AS base",
        *([_apt(app.build.packages)] if app.build.packages else []),
        f"ENV PATH={VENV}/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin VIRTUAL_ENV={VENV}",
        f"WORKDIR {facts.WORKING_DIR}",
    ]


def _dependencies(found: Facts, app: App) -> list[str]:
    """The virtual environment; what nuages adds is held to the versions of the project's own."""
    packages = found.dependencies.packages if found.dependencies else {}
    added = [addition.line() for addition in additions.wanted(app, packages)]
    install = f"uv pip install --python {VENV}/bin/python"
    lines = ["FROM base AS dependencies"]
    if app.build.build_packages:
        lines.append(_apt(app.build.build_packages))
    lines += [f"RUN {_INDEX} {_INDEX_READ} && pip install --no-cache-dir uv=={version('uv')}", f"ENV {_UV}"]
    copied, commands = _install(found, app, install)
    lines += copied
    commands = [_INDEX_READ, f"uv venv --python python3 {VENV}", *commands]
    if added:
        # What is there keeps its version; only what is missing comes.
        commands += [
            f"uv pip freeze --python {VENV}/bin/python > /tmp/held",
            f"{install} -c /tmp/held {shlex.join(added)}",
        ]
    lines.append(_run(commands, _INDEX, _UV_CACHE))
    python = ".".join(app.django.python.split(".")[:2])
    packages_folder = f"{VENV}/lib/python{python}/site-packages"
    lines += [
        f"COPY --from={CONTEXT} . {packages_folder}/{RUNTIME}/",
        f"COPY --from={CONTEXT} nuages.pth nuages.start {packages_folder}/",
        f"RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash {VENV}/lib || true",
    ]
    return lines


def _install(found: Facts, app: App, install: str) -> tuple[list[str], list[str]]:
    """Which files are copied, and the commands that install what they say: from the lock itself where uv reads it, else
    the list that nuages reads out of it.
    """
    declared, asked = found.dependencies, app.build.dependencies
    if declared is not None and not any(name.startswith("..") for name in declared.files):
        copied = [_copy(name) for name in declared.files]
        if declared.kind == "requirements":
            return copied, [f"{install} -r {shlex.quote(declared.files[0])}"]
        if declared.kind == "uv.lock":
            chosen = [f"--extra={name}" for name in asked.extras] + [f"--group={name}" for name in asked.groups]
            export = f"uv export --quiet --frozen --no-dev --no-emit-project --no-header {shlex.join(chosen)}".rstrip()
            return copied, [f"{export} > /tmp/requirements.txt", f"{install} -r /tmp/requirements.txt"]
    wanted = installation.of(found.root, app, app.django.python)
    source = declared.files[-1] if declared else "the project"
    listed = " ".join(f"\\\n      {shlex.quote(line)}" for line in wanted.lines)
    return [f"# The list is that of {source}; print this file anew when it changes."], [f"{install} {listed}"]


def _project(found: Facts, app: App) -> list[str]:
    """The project's files with what is made of them; variables of the build are in no image."""
    variables = " ".join(_variable(name, value) for name, value in sorted(facts.variables(found, app).items()))
    lines = ["FROM dependencies AS project", "COPY . ."]
    if (frontend := app.build.frontend) is not None:
        output = _below(frontend.output or frontend.directory)
        lines.append(f"COPY --from=frontend {output} {output}")
    own = [f"env {variables} {shlex.join(command)}" for command in app.build.commands]
    collect = (
        f"env {variables} python -m {RUNTIME}.facts --static /static > /tmp/facts.json",
        """python -c 'import json, shutil; root = json.load(open("/tmp/facts.json"))["static_root"]; """
        """root and shutil.copytree("/static", root, dirs_exist_ok=True)'""",
    )
    lines.append(_run(["mkdir /static", *own, *collect]))
    lines.append("RUN python -m compileall -q --invalidation-mode unchecked-hash . || true")
    return lines


def _image(found: Facts, app: App) -> list[str]:
    environment = {
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/tmp",  # noqa: S108 - a container's own
        "DJANGO_SETTINGS_MODULE": app.django.settings or found.settings.value,
        **({"NUAGES_WSGI": found.wsgi.value} if found.wsgi else {}),
        **({"NUAGES_ASGI": found.asgi.value} if found.asgi else {}),
    }
    return [
        "FROM base",
        f"COPY --from=dependencies {VENV} {VENV}",
        f"COPY --from=project {facts.WORKING_DIR} {facts.WORKING_DIR}",
        "ENV " + " \\\n    ".join(f"{name}={value}" for name, value in environment.items()),
        f"USER {USER}",
        "EXPOSE 8000",
        f'CMD ["python", "-m", "{RUNTIME}.serve"]',
    ]


def _copy(name: str) -> str:
    """A file under its own name; one with a space wants the form of a list."""
    return f"COPY {json.dumps([name, f'./{name}'])}" if " " in name else f"COPY {name} ./{name}"


def _variable(name: str, value: str) -> str:
    """`NAME=value` as a shell reads it, on one line; no key is printed, the build makes one."""
    if "PRIVATE KEY" in value:
        return f'{name}="$(openssl genrsa 2048 2>/dev/null)"'
    if "\n" in value:
        escaped = value.replace("\\", "\\\\").replace("\n", "\\n")
        return f'{name}="$(printf %b {shlex.quote(escaped)})"'
    return shlex.quote(f"{name}={value}")


def _apt(packages: list[str]) -> str:
    return _run(
        [
            "apt-get update -q",
            f"apt-get install -q --yes --no-install-recommends {shlex.join(packages)}",
            "rm -rf /var/lib/apt/lists/*",
        ]
    )


def _run(commands: list[str], *options: str) -> str:
    return "RUN " + "".join(f"{option} " for option in options) + " && \\\n    ".join(commands)


def _below(path: str) -> str:
    return f"{facts.WORKING_DIR}/{path}".removesuffix("/.") if path != "." else facts.WORKING_DIR
