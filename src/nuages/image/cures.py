"""What a failed installation means: the lines that say it, and what usually helps. Pure: the installer's words in,
advice out.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# What the output says -> what to write into nuages.yaml, or what else to do. The first that is found wins.
CURES = (
    (
        r"pg_config",
        "build.buildPackages: [gcc, libpq-dev, python3-dev], packages: [libpq5], or depend on psycopg[binary]",
    ),
    (
        r"mysql_config|mysqlclient|mariadb_config",
        "build.buildPackages: [gcc, pkg-config, default-libmysqlclient-dev, python3-dev], packages: [libmariadb3]",
    ),
    (r"Python\.h", "build.buildPackages: [gcc, python3-dev]"),
    (r"ffi\.h", "build.buildPackages: [gcc, libffi-dev, python3-dev]"),
    (r"jpeglib|zlib\.h|libjpeg", "build.buildPackages: [gcc, libjpeg-dev, zlib1g-dev, python3-dev]"),
    (r"xmlsec|libxml", "build.buildPackages: [gcc, pkg-config, libxml2-dev, libxmlsec1-dev, python3-dev]"),
    (r"\bcargo\b|\brustc\b", "build.buildPackages: [cargo]"),
    (
        r"(gcc|cc|g\+\+|c\+\+)['\"]?:? (command )?(not found|failed: No such file)|unable to execute '?(x86_64|gcc|cc)",
        "build.buildPackages: [gcc, python3-dev]",
    ),
    (
        r"Unable to locate package (\S+)",
        "build.packages or build.buildPackages names a package that Debian does not have",
    ),
    (r"not found in the package registry", "is the name right? A private index is given by UV_INDEX or PIP_INDEX_URL"),
    (r"the current Python version|requires-python", "set django.python to a version that the packages support"),
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


def cure(output: str) -> str:
    """What probably helps; "" where nothing is known."""
    return next((advice for pattern, advice in CURES if re.search(pattern, output)), "")


def reason(output: str, lines: int = 12) -> str:
    """The lines that say why: from the installer's own mark of failure on, without progress; or else the last ones.

    Where there are too many, the first ones, those that name an error, and the very last.
    """
    told = [line for line in output.splitlines() if not _NOISE.match(line)]
    start = next((index for index, line in enumerate(told) if _MARK.match(line)), None)
    wanted = told[-lines:] if start is None else told[start:]
    if len(wanted) <= lines:
        return "\n".join(wanted)
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
