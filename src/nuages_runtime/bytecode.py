"""`python -m nuages_runtime.bytecode FOLDER`: compile this package and the project in the current folder into FOLDER.

In a process of its own that has loaded nothing else: what is shared in memory shows in byte code, and the same source
is to give the same bytes, whatever was asked of the project before.
"""

from __future__ import annotations

import compileall
import sys
from pathlib import Path
from py_compile import PycInvalidationMode


def main() -> int:
    """Compile with hashes that nobody checks: all times in a layer are 0, and an image never changes. What does not
    parse is the project's own matter. This package comes first, so that its bytes don't depend on the project.
    """
    sys.pycache_prefix = sys.argv[1]
    for source in (Path(__file__).parent, Path.cwd()):
        compileall.compile_dir(source, quiet=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    return 0


if __name__ == "__main__":
    sys.exit(main())
