"""What may talk to what, measured on the node, is what the topology says (all components: benchmarks/matrix)."""

from __future__ import annotations

import pytest
from matrix import Matrix, servers_outside
from waiting import wait_for

from nuages.image import base
from nuages.local.cluster import load

pytestmark = pytest.mark.e2e

SOME = ("web", "static", "backup", "postgres")
"""Of each sort one: the project, who serves files, who looks after data, and a data store."""


def test_every_pair_on_every_port_and_the_outside_are_open_exactly_where_the_topology_says(cluster, namespace):
    load(cluster.name, [base.archive("python:3.13-slim")])
    matrix = Matrix(cluster, namespace, SOME)
    with servers_outside():
        try:
            matrix.start()
            computed = matrix.computed()
            ways = [pair for pair, is_open in computed.items() if is_open]
            # The kernel's rules can be asked for their effect only; pods are closed before they start.
            wait_for(lambda: all(matrix.measured(ways).values()))
            measured = matrix.measured(list(computed))
            # Of all at once, one that is open may take longer; one that is to be closed is not asked anew.
            late = [pair for pair in ways if not measured[pair]]
            measured |= wait_for(lambda: all((again := matrix.measured(late)).values()) and again) if late else {}
        finally:
            matrix.end()
    assert measured == computed
    assert {False, True} == set(computed.values())
