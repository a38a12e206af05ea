"""Folders that are no part of a project, whatever is in them."""

SKIPPED = frozenset(
    {
        "venv",
        ".venv",
        "env",
        "node_modules",
        "bower_components",
        "site-packages",
        ".git",
        ".hg",
        ".svn",
        ".tox",
        ".nox",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        "__pycache__",
        "__pypackages__",
        ".terraform",
        ".next",
    }
)
