"""Fixtures for tests in the image's own Python, on each Django that is supported."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import environments as made
import pytest
from environments import Environment
from postgres import postgres


@pytest.fixture(scope="session")
def environments() -> Callable[[str], Environment]:
    """Gives the environment of a name in environments.MATRIX, made once."""
    kept: dict[str, Environment] = {}

    def get(name: str) -> Environment:
        if name not in kept:
            kept[name] = made.ensure(name)
        return kept[name]

    return get


@pytest.fixture(params=list(made.MATRIX))
def environment(request: pytest.FixtureRequest, environments: Callable[[str], Environment]) -> Environment:
    """Each environment of the matrix in turn."""
    return environments(request.param)


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of a real PostgreSQL; user and database `blog`, the password is postgres.PASSWORD."""
    with postgres(tmp_path_factory.mktemp("postgres")) as address:
        yield address
