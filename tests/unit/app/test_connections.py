"""Processes from the CPU request, connections from the memory, and whether they fit."""

from __future__ import annotations

import pytest

from nuages.app.connections import budget, max_connections, pool, processes, surge

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("millicores", "workers"), [(50, 1), (100, 1), (1000, 1), (1500, 2), (4000, 4)])
def test_a_worker_per_core_that_is_set_aside_and_at_least_one(millicores: int, workers: int) -> None:
    assert processes(millicores).workers == workers


@pytest.mark.parametrize(("replicas", "more"), [(0, 1), (1, 1), (3, 1), (4, 1), (5, 2), (10, 3)])
def test_a_rollout_adds_a_quarter_and_at_least_one(replicas: int, more: int) -> None:
    assert surge(replicas) == more


@pytest.mark.parametrize(("mebibytes", "connections"), [(128, 20), (512, 25), (2048, 102), (65536, 500)])
def test_connections_follow_from_the_memory(mebibytes: int, connections: int) -> None:
    assert max_connections(mebibytes * 2**20) == connections


def test_the_budget_counts_the_rollout_and_what_runs_beside() -> None:
    needed = budget([(3 + 1) * 4], 25)
    assert (needed.wanted, needed.fits) == ((3 + 1) * 4 + 5, True)


@pytest.mark.parametrize("replicas", [4, 20, 60])
def test_the_memory_that_is_advised_is_enough(replicas: int) -> None:
    wanted = [(replicas + surge(replicas)) * 4]
    advised = budget(wanted, 20).memory_megabytes
    assert budget(wanted, max_connections(advised * 2**20)).fits


@pytest.mark.parametrize(
    ("kind", "declared", "millicores", "at_once", "per_process"),
    [
        ("prefork", None, 100, 1, 1),
        ("prefork", None, 2500, 3, 1),
        ("prefork", 8, 100, 8, 1),
        ("threads", None, 1000, 4, 4),
        ("gevent", 50, 100, 50, 50),
        ("solo", 8, 4000, 1, 1),
    ],
)
def test_a_worker_runs_what_its_cpu_allows_unless_it_is_told(
    kind: str, declared: int | None, millicores: int, at_once: int, per_process: int
) -> None:
    made = pool(kind, declared, millicores)
    assert (made.concurrency, made.connections, made.per_process) == (at_once, at_once, per_process)
