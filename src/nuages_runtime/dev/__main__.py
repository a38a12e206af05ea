"""`python -m nuages_runtime.dev`"""

from __future__ import annotations

import sys

from nuages_runtime.dev.supervisor import main

if __name__ == "__main__":
    sys.exit(main())
