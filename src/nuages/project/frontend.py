"""Whether a package.json builds something that the project serves, and where that lands."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import PurePosixPath
from typing import Any

from nuages.findings import Place
from nuages.project.facts import Found, Frontend
from nuages.project.files import Files
from nuages.project.trial import Trial

# Scripts that make what is served, the first that is there is run.
_SCRIPTS = ("build", "build:prod", "build:production", "production", "prod", "compile", "dist")
_BUILDERS = re.compile(
    r"\b(webpack|rollup|vite|esbuild|parcel|gulp|grunt|tsc|sass|node-sass|postcss|tailwindcss|tailwind|babel"
    r"|snowpack|rspack|mix|encore|less|lessc|swc|npm run|yarn|pnpm|run-s|run-p|npm-run-all"
    r"|ng build|react-scripts|vue-cli-service|quasar"
    r"|node|bun)\b"
)
_TOOLS = re.compile(r"^(webpack|vite|esbuild|rollup|parcel|gulp|sass|tailwindcss|@tailwindcss/cli|laravel-mix)$")
_ONLY_LOOKING = re.compile(
    r"^(?:\S*(eslint|stylelint|prettier|jest|vitest|cypress|playwright|release-it|tsc --noEmit)\b)"
)
_RUNS = re.compile(r"(?:npm run|yarn(?: run)?|pnpm(?: run)?)\s+([\w:.-]+)")
# Where the builders' configurations say they write; a path, or the parts of a join.
_OUTPUT = (
    re.compile(
        r"(?:outDir|outdir|\bdir|\bfile|output_path|destination)\s*:\s*(?:[\w.]+\(\s*)?(?:__dirname\s*,\s*)?[\"'`]([^\"'`]+)[\"'`]"
    ),
    re.compile(r"\bpath\s*:\s*path\.(?:resolve|join)\(\s*(?:__dirname\s*,\s*)?[\"'`]([^\"'`]+)[\"'`]", re.DOTALL),
    re.compile(r"\bpath\s*:\s*[\"'`]([^\"'`]+)[\"'`]"),
)
_OPTION = re.compile(r"(?:--outdir[= ]|--out-dir[= ]|--outfile[= ]|--output[= ]|--dist-dir[= ]|\s-o[= ])([^\s\"']+)")
# Its output is its second argument: sass style.scss static/style.css, or sass scss:static/css.
_SASS = re.compile(r"\bsass(?:\s+--?[\w-]+(?:=\S+)?)*\s+[^\s:-][^\s:]*[\s:]([^\s:-]\S*)")
_CONFIGS = re.compile(
    r"(^|/)(webpack|rollup|vite|esbuild|gulpfile|rspack|postcss|parcel)[\w.-]*\.(js|mjs|cjs|ts|mts)$|(^|/)webpack/[\w.-]+\.js$"
)
_LOADERS = {"webpack_loader": "WEBPACK_LOADER", "django_vite": "DJANGO_VITE", "manifest_loader": "MANIFEST_LOADER"}


def frontend(files: Files, trial: Trial) -> Frontend | None:
    """The build whose output the project serves; None where package.json is for linters, releases or development."""
    for file in files.named("package.json"):
        folder = posixpath.dirname(file) or "."
        said = _json(files.text(file))
        scripts = said.get("scripts")
        if file.count("/") > 2 or not isinstance(scripts, dict):
            continue
        # A part of a build where there is no whole: build:css.
        parts = [each for each in scripts if each.startswith("build:") and not re.search("dev|watch|test", each)]
        name = next((each for each in _SCRIPTS if each in scripts), parts[0] if len(parts) == 1 else None)
        if name is None:
            continue
        command = _whole(str(scripts[name]), scripts)
        if not _BUILDERS.search(command) or _ONLY_LOOKING.match(command):
            continue
        output = _output(files, trial, folder, command)
        if output is None:
            continue
        line = next((line for line, text in files.lines(file) if f'"{name}"' in text), 1)
        return Frontend(folder, (_manager(files, folder), "run", name), output, Place(file, line))
    return None


def unsaid(files: Files) -> Found | None:
    """A package.json that has a builder and no script that runs it: something else does, and it can't be told what."""
    for file in files.named("package.json"):
        said = _json(files.text(file))
        scripts = said.get("scripts") or {}
        tools = [name for key in ("dependencies", "devDependencies") for name in said.get(key) or {}]
        builder = next((name for name in tools if _TOOLS.match(name)), None)
        told = isinstance(scripts, dict) and any(_BUILDERS.search(str(each)) for each in scripts.values())
        if builder and not told and file.count("/") <= 2:
            return Found(builder, Place(file, 1), sure=False)
    return None


def _whole(command: str, scripts: dict[str, Any], depth: int = 0) -> str:
    """A script with those that it runs written out."""
    if depth > 3:
        return command
    run = (each for each in _RUNS.findall(command) if each in scripts)
    inner = [_whole(str(scripts[each]), scripts, depth + 1) for each in run]
    return " && ".join([command, *inner])


def _output(files: Files, trial: Trial, folder: str, command: str) -> str | None:
    """The folder that is written and served: "." where a file beside it is needed, too (webpack's stats).

    None where nothing of it reaches Django: no folder of static files, no loader.
    """
    loader = next((setting for app, setting in _LOADERS.items() if trial.installed(app)), None)
    found = [_inside(folder, each) for each in _written(files, folder, command)]
    served = [each for each in found if each and _serves(files, trial, each)]
    if loader and any("STATS_FILE" in str(trial.value(loader)) for _ in (0,)):
        return "."
    if served:
        tops = sorted(set(served), key=lambda each: (each.count("/"), each))
        return tops[0] if len(tops) == 1 or all(_below(each, tops[0]) for each in tops) else "."
    if loader:
        return "."
    missing = [
        each for each in _looked(trial) if _below(each, folder) and not any(_below(one, each) for one in files.all)
    ]
    return missing[0] if missing else None  # a folder that is served, and that nothing but the build can make


def _written(files: Files, folder: str, command: str) -> list[str]:
    """Paths that the command and the builders' configurations name as output."""
    found = [match[1] for pattern in (_OPTION, _SASS) for match in pattern.finditer(command)]
    prefix = "" if folder == "." else f"{folder}/"
    for file in files.all:
        if not file.startswith(prefix) or not _CONFIGS.search(file.removeprefix(prefix)) or file.count("/") > 4:
            continue
        text = files.text(file)
        inside = posixpath.relpath(posixpath.dirname(file) or ".", folder)
        for pattern in _OUTPUT:
            for match in pattern.finditer(text):
                whole = match[1]
                found.append(whole)
                if whole.startswith("..") and inside != ".":
                    found.append(posixpath.join(inside, whole))
    return found


def _inside(folder: str, written: str) -> str | None:
    """A written path as a folder relative to the project; None where it is outside."""
    path = posixpath.normpath(posixpath.join(folder, written.strip("/")))
    if PurePosixPath(path).suffix in (".js", ".css", ".mjs", ".map"):
        path = posixpath.dirname(path)
    return None if path.startswith("..") or path in ("", ".") else path


def _serves(files: Files, trial: Trial, folder: str) -> bool:
    """Whether collectstatic or templates look there: in STATICFILES_DIRS, in an app's static folder, in TEMPLATES."""
    looked = [*_looked(trial), *(trial.inside(each) for each in _paths(trial, "STATIC_ROOT"))]
    if any(each and (_below(folder, each) or _below(each, folder)) for each in looked):
        return True
    parts = PurePosixPath(folder).parts
    # An app's static folder: the part before "static" is a package.
    for index, part in enumerate(parts):
        if part == "static" and index and files.has("/".join((*parts[:index], "__init__.py"))):
            return True
    return False


def _looked(trial: Trial) -> list[str]:
    """Folders of the project where Django looks for files that are served or rendered."""
    entries = trial.value("STATICFILES_DIRS")
    # ("prefix", folder) is one folder under another address.
    folders = [each[-1] if isinstance(each, tuple) and len(each) == 2 else each
               for each in (entries if isinstance(entries, list | tuple) else ())]  # fmt: skip
    given = (*folders, *_paths(trial, "TEMPLATES", "WHITENOISE_ROOT"))
    return [inside for each in given if (inside := trial.inside(each)) and inside.rpartition("/")[2] != "node_modules"]


def _paths(trial: Trial, *settings: str) -> list[object]:
    found: list[object] = []
    for setting in settings:
        value = trial.value(setting)
        stack = [value]
        while stack:
            each = stack.pop()
            if isinstance(each, dict):
                stack += each.values()
            elif isinstance(each, list | tuple):
                stack += each
            elif isinstance(each, PurePosixPath) or (isinstance(each, str) and each.startswith("/")):
                found.append(each)
    return found


def _below(path: str, folder: str) -> bool:
    return folder in (".", path) or path.startswith(f"{folder}/")


def _manager(files: Files, folder: str) -> str:
    prefix = "" if folder == "." else f"{folder}/"
    for lock, manager in (("yarn.lock", "yarn"), ("pnpm-lock.yaml", "pnpm"), ("bun.lockb", "bun"), ("bun.lock", "bun")):
        if files.has(prefix + lock) or files.has(lock):
            return manager
    return "npm"


def _json(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
