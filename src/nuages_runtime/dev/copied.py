"""`python -m nuages_runtime.dev.copied FROM TO`: the project of the image, where it can be written to.

Without byte code: that of an image is never compared with its source (bytecode.py), and the source changes here.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def copy(source: Path, target: Path) -> None:
    """All files that can be read; a file that cannot is another user's, and none of the project's code."""
    for folder, folders, names in os.walk(source):
        folders[:] = [name for name in folders if name != "__pycache__"]
        here = target / Path(folder).relative_to(source)
        here.mkdir(parents=True, exist_ok=True)
        for name in (*names, *(one for one in folders if (Path(folder) / one).is_symlink())):
            kept = here / name
            if (Path(folder) / name).is_symlink():
                kept.unlink(missing_ok=True)
                kept.symlink_to((Path(folder) / name).readlink())
            elif os.access(Path(folder) / name, os.R_OK):
                shutil.copyfile(Path(folder) / name, kept)
                kept.chmod(0o600 | (Path(folder) / name).stat().st_mode & 0o777)


if __name__ == "__main__":
    copy(Path(sys.argv[1]), Path(sys.argv[2]))
