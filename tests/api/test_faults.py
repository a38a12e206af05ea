"""A seeded sample of what `python -m benchmarks faults` does to every call: it ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import hashlib

import beside
import faultstory
import pytest
from faults import Ground, Kind

pytestmark = pytest.mark.api
SEED = 20261121
EACH = (Kind.LOSE, Kind.KILL, Kind.TWICE, Kind.BROKEN)
ACTION = "change"


@pytest.fixture(scope="module")
def ground(kubeconfig, tmp_path_factory):
    """An API server, a PostgreSQL and a project."""
    packages = beside.packages()
    if packages is None:
        pytest.skip("no Django is at hand for this Python")
    faultstory.hurry()
    with beside.module("postgres").postgres(tmp_path_factory.mktemp("postgres")) as address:
        database = f"postgres://blog:{beside.module('postgres').ENCODED}@{address}"
        yield Ground(kubeconfig, tmp_path_factory.mktemp("faults"), database, packages)


async def test_a_command_that_is_disturbed_or_killed_ends_as_the_undisturbed_one(ground):
    undisturbed = await ground.tried(ACTION, None)
    assert (undisturbed.attempts, undisturbed.said) == (1, ())
    assert set(undisturbed.applied.values()) == {1}
    # Of calls that only ask the sweep has them all.
    faults = [min((one for one in ground.faults(ACTION, [kind]) if "GET " not in one.call), key=drawn) for kind in EACH]
    for pair in zip(faults[::2], faults[1::2], strict=True):
        for end in await asyncio.gather(*(ground.tried(ACTION, fault) for fault in pair)):
            assert not ground.difference(ACTION, end), f"{end.fault} {end.said}"
            assert end.attempts <= 2, end.said


def drawn(fault):
    """A place in a lot that is the same in every run, whatever else is called: a lock is renewed more or less often."""
    return hashlib.sha256(f"{SEED} {fault}".encode()).hexdigest()
