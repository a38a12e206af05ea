"""What a project may give itself: a variable that its own code writes, or a file of its image says. Found by words, so
it says what may be: whoever refuses something may do so only where nothing of this is found.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import PurePosixPath

from nuages.project.facts import Facts, Variable
from nuages.project.files import Files

# Given to every pod: by what is rendered, by its image, by the kubelet.
ALWAYS = {"DJANGO_SETTINGS_MODULE", "HOSTNAME", "PATH", "HOME", "PORT", "RELEASE", "PYTHONPATH"}
ALWAYS |= {"LANG", "VIRTUAL_ENV", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}  # by the image
ALWAYS |= {f"KUBERNETES_SERVICE_{part}" for part in ("HOST", "PORT")}  # by the kubelet
ALWAYS |= {f"NUAGES_{part}" for part in ("COMPONENT", "RELEASE", "WSGI", "ASGI")}

# With a name that stands nowhere: of a loop, of a file that was read.
_ANY = re.compile(
    rb"""environ\s*\|=|environ\s*\.\s*update\s*\(|putenv\s*\(|environ\s*\.\s*setdefault\s*\(\s*[^\s"']"""
    rb"""|environ\s*\[\s*[^\s"'\]][^\]]*\]\s*=(?!=)"""
)
_LOADS = re.compile(rb"load_dotenv|dotenv_values|read_env|RepositoryEnv|RepositoryIni|decouple|env_file")
# What is read only where a file is missing that the cluster may have, or whose absence ends nothing.
_PERHAPS = re.compile(rb"""suppress\s*\(|secrets_dir|(?:exists|is_file|isfile)\s*\((?=[\s\S]*["']/\w)""")
_ABSOLUTE = re.compile(rb"""["']/\w[\s\S]*(?:exists|is_file|isfile)\s*\(""")
# Files named .env, or so, are in no image (image/ignore.py).
_NEVER = re.compile(r"^\.env|\.env$")
_SAYS = re.compile(r"env|settings|config|conf$|\.ini$|\.cfg$|default", re.IGNORECASE)
_CODE = frozenset((".py", ".md", ".rst", ".html", ".js", ".ts", ".css", ".lock", ".po", ".sh"))


class Own:
    """A project's code and files, looked through once."""

    def __init__(self, facts: Facts) -> None:
        """Nothing is read yet."""
        self._files = Files(facts.root)

    def may_give(self, variable: Variable) -> bool:
        """Whether a variable may be there by the project itself, or not be needed."""
        return self._writes_any or self._writes(variable.name) or self._spares(variable) or self._says(variable.name)

    @cached_property
    def _writes_any(self) -> bool:
        return any(self._files.search(_ANY))

    @cached_property
    def _told(self) -> tuple[str, ...]:
        """The files that variables may be loaded from."""
        if not any(self._files.search(_LOADS)):
            return ()
        paths = (PurePosixPath(file) for file in self._files.all)
        return tuple(
            str(path)
            for path in paths
            if path.suffix not in _CODE and not _NEVER.search(path.name) and _SAYS.search(path.name)
        )

    def _writes(self, name: str) -> bool:
        quoted = rb"""["']""" + re.escape(name).encode() + rb"""["']"""
        ways = rb"environ\s*(?:\.\s*setdefault\s*\(\s*" + quoted + rb"|\[\s*" + quoted + rb"\s*\]\s*=(?!=))"
        return any(self._files.search(re.compile(ways)))

    def _spares(self, variable: Variable) -> bool:
        read = (variable.place.file,)
        return any(self._files.search(_PERHAPS, read)) or any(self._files.search(_ABSOLUTE, read))

    def _says(self, name: str) -> bool:
        line = re.compile(rb"^\s*(?:export\s+)?" + re.escape(name).encode() + rb"\s*[=:]", re.IGNORECASE | re.MULTILINE)
        return any(self._files.search(line, self._told))
