"""find(path) -> the folder of manage.py: here, or the one below that has it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nuages.errors import Refused
from nuages.findings import Finding, Level, Place
from nuages.project.ignored import SKIPPED

DEEPEST = 3
# Projects that a repository has beside its own: to try it, to test it, to make others of.
_BESIDE = re.compile(r"^(tests?|testproject|test_project|examples?|demo|sandbox|docs?|templates?|.*\{\{.*|.*-tpl)$")


def find(path: Path) -> Path:
    """The project's folder: absolute, links resolved.

    Raises:
        Refused: there is no manage.py of Django's, or there are several (project.E201, project.E202).
    """
    root = path.resolve()
    if _is_django(root / "manage.py"):
        return root
    found = _below(root)
    own = [folder for folder in found if not any(_BESIDE.match(part) for part in folder.relative_to(root).parts)]
    if len(own or found) == 1:
        return (own or found)[0]
    if not found:
        raise Refused(
            f"no Django project in {path}",
            findings=[
                Finding(
                    "project.E201",
                    Level.ERROR,
                    "no manage.py here or in the folders below, " + _flask(root),
                    Place(str(path)),
                    "name the folder that has the project's manage.py: nuages init DIR",
                )
            ],
        )
    where = ", ".join(str(folder.relative_to(root) / "manage.py") for folder in own or found)
    raise Refused(
        f"which project in {path}?",
        findings=[
            Finding(
                "project.E202",
                Level.ERROR,
                f"several manage.py: {where}",
                Place(str(path)),
                "name the folder of one of them: nuages init DIR",
            )
        ],
    )


def _below(root: Path) -> list[Path]:
    found = []
    for folder, folders, files in os.walk(root):
        depth = len(Path(folder).relative_to(root).parts)
        folders[:] = sorted(each for each in folders if each not in SKIPPED and depth < DEEPEST)
        if depth and "manage.py" in files and _is_django(Path(folder, "manage.py")):
            found.append(Path(folder))
            folders[:] = []
    return found


def _is_django(manage: Path) -> bool:
    """Whether a manage.py is Django's; Flask and others have had one, too."""
    try:
        return "django" in manage.read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return False


def _flask(root: Path) -> str:
    return "that is Django's" if (root / "manage.py").is_file() else "which every Django project has"
