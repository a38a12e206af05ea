"""What a failed installation or start means: the lines that say it, and what usually helps. Pure: a program's words
in, advice out.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from nuages.errors import BuildFailed
from nuages.image import providers

# What the output says -> what to do. The first that is found wins.
CURES = (
    (
        r"Unable to locate package (\S+)",
        "build.packages or build.buildPackages names a package that Debian does not have",
    ),
    (r"not found in the package registry", "is the name right? A private index is given by UV_INDEX or PIP_INDEX_URL"),
    (r"ABI tags?:|Python ABI tag", ""),  # answered by `wheels`
    (
        r"does not satisfy Python|the current Python version|requires-python|Requires-Python|needs Python",
        "set django.python to a version that the packages support",
    ),
    (
        r"use_2to3|configparser.*SafeConfigParser|No module named 'distutils'|ast\.Str|pkgutil\.ImpImporter",
        "too old for the Python of the image: a newer version of the package, or an older django.python",
    ),
    (
        r"No solution found|unsatisfiable",
        "the requirements exclude each other, or a version does not exist; see the lines above",
    ),
    (r"error sending request|dns error|Could not resolve|timed out", "the package index does not answer; try again"),
)
# Lines of an installer that are no reason: progress, and a compiler's command lines.
_MARK = re.compile(r"\s*(×|error:|E: )")
_TELLING = re.compile(r"error:|fatal|not found|no such|unable|cannot", re.IGNORECASE)
_NOISE = re.compile(
    r"^\s*(Resolved|Prepared|Downloading|Downloaded|Building|Built|Using|running|creating|copying|writing)\b|^\s*$"
)
_FAILED = re.compile(r"Failed to (?:build|download and build|download)\s+`([^`]+)`")
_URL = re.compile(r"https?://[^\s`'\")]+")
_OFFLINE = re.compile(
    r"error sending request|dns error|Could not connect|Connection refused|connection closed|timed out"
    r"|tcp connect error|Network is unreachable",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(401|403) (Unauthorized|Forbidden)|HTTP status client error \((401|403)", re.IGNORECASE)


def not_installed(output: str, app_python: str = "") -> BuildFailed:
    """The error for dependencies that could not be installed, by what the installer said."""
    named = _FAILED.search(output)
    host = _host(output)
    if "No space left on device" in output:
        return BuildFailed("the disk is full", hint="free some space and build again; nothing half-made was kept")
    if "hash mismatch" in output.lower() or "Hash mismatch" in output:
        return BuildFailed(
            f"{named[1] if named else 'a package'} is not what the lock says: its hash differs",
            detail=reason(output),
            hint="the index has another file than when the lock was made; lock again only if you trust it",
        )
    if _DENIED.search(output) and host:
        return BuildFailed(
            f"the package index at {host} refuses",
            detail=reason(output, 4),
            hint="credentials come from the variables that the index line names, from UV_INDEX_…, or from ~/.netrc",
        )
    if _OFFLINE.search(output) and host:
        return BuildFailed(
            f"the package index at {host} does not answer",
            hint="is it reached from this machine, and is a proxy or another index set (UV_DEFAULT_INDEX)?",
        )
    if "git executable not found" in output.lower() or ("git" in output and "could not read Username" in output):
        return BuildFailed(
            "a dependency's git repository can't be read without a password",
            detail=reason(output, 4),
            hint="a build has no credentials of git: publish the package to an index, or vendor it",
        )
    message = f"{named[1]} could not be built" if named else "the project's dependencies could not be installed"
    return BuildFailed(message, detail=reason(output), hint=cure(output, app_python))


def cure(output: str, python: str = "") -> str:
    """What probably helps; "" where nothing is known."""
    if packages := providers.needed(output):
        compilers = [] if {"gcc", "g++", "cargo"} & set(packages) == {"g++"} else ["gcc", "python3-dev"]
        wanted = sorted({*packages, *compilers, *(["libc6-dev"] if compilers else [])} - {"cc"})
        advice = f"build.buildPackages: [{', '.join(wanted)}]"
        if run := _RUN.get(next((name for name in packages if name in _RUN), "")):
            advice += f", packages: [{run}]"
        if "libpq-dev" in packages:
            advice += "; or depend on psycopg[binary], which needs neither"
        return advice
    if tags := wheels(output):
        return f"set django.python to one that it has a wheel for: {', '.join(tags)}"
    return next((advice for pattern, advice in CURES if re.search(pattern, output)), "")


# What a program that was linked with a -dev package needs while it runs.
_RUN = {
    "libpq-dev": "libpq5",
    "default-libmysqlclient-dev": "libmariadb3",
    "libmariadb-dev": "libmariadb3",
    "libxmlsec1-dev": "libxmlsec1-openssl",
    "libmagic-dev": "libmagic1",
    "libcurl4-openssl-dev": "libcurl4",
    "libcairo2-dev": "libcairo2",
    "unixodbc-dev": "libodbc2",
}


def wheels(output: str) -> list[str]:
    """The Pythons that a package has wheels for, where uv lists them: `cp310`, `cp311` -> 3.10, 3.11."""
    listed = re.search(r"following Python (?:ABI|implementation) tags?: ([^\n]+)", output)
    found = re.findall(r"cp3(\d+)\b", listed[1]) if listed else []
    return [f"3.{minor}" for minor in sorted({int(minor) for minor in found})]


def reason(output: str, lines: int = 12) -> str:
    """The lines that say why: from the installer's own mark of failure on, without progress; or else the last ones.

    Where there are too many, the first ones, those that name an error, and the very last.
    """
    told = [line for line in output.splitlines() if not _NOISE.match(line)]
    start = next((index for index, line in enumerate(told) if _MARK.match(line)), None)
    wanted = told[-lines:] if start is None else told[start:]
    if len(wanted) <= lines:
        return "\n".join(wanted)
    if lines < 6:
        return "\n".join(wanted[:lines])
    first, middle, last = wanted[:3], wanted[3:-2], wanted[-2:]
    telling = [line for line in middle if _TELLING.search(line)]
    return "\n".join([*first, *telling[: lines - 5], *last])


class Raised(NamedTuple):
    """What a traceback ends in, and the last line of the project's own code on the way there (file and number)."""

    error: str
    file: str
    line: int


def raised(output: str, root: str) -> Raised | None:
    """The end of the last traceback in a program's output; `root` is where the project's code lies: "/app"."""
    lines = output.splitlines()
    starts = [index for index, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    if not starts:
        return None
    ends = [line for line in lines[starts[-1] + 1 :] if line and not line[0].isspace()]
    own = re.findall(rf'^  File "{re.escape(root)}/([^"]+)", line (\d+)', "\n".join(lines[starts[-1] :]), re.MULTILINE)
    file, line = own[-1] if own else ("", "0")
    return Raised(ends[0], file, int(line)) if ends else None


def _host(output: str) -> str:
    """The host of the last URL that a program named, without what may stand before it."""
    urls = _URL.findall(output)
    return urlsplit(urls[-1]).netloc.rpartition("@")[2] if urls else ""
