"""The cluster `test`, as the tests in tests/e2e have it."""

from __future__ import annotations

import pytest

from nuages.local.cluster import up


@pytest.fixture(scope="session")
def cluster():
    """As scripts/test started it; started here where a single test is run by hand."""
    return up("test")
