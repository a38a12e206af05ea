"""`nuages top`: a line for each component and pod."""

from __future__ import annotations

import pytest

from nuages.cli.top import UNMETERED, lines
from nuages.release.top import Pod, Top
from nuages.release.usage import Usage

pytestmark = pytest.mark.unit
MEBI = 1024**2


def page(*pods: Pod, metered: bool = True) -> list[str]:
    found = Top(1, "blog", "local", "blog-local", "here", metered, list(pods))
    return lines(found, lambda text, _: text)


def pod(name: str, component: str, cpu: int | None, memory: int | None, limit: int | None = 256) -> Pod:
    used = None if memory is None else memory * MEBI
    return Pod(name, component, "node", Usage(cpu, used, 50, 256 * MEBI, None if limit is None else limit * MEBI))


def test_several_pods_of_a_component_stand_below_their_sum_and_one_near_its_limit_is_marked():
    shown = page(
        pod("blog-postgres-0", "postgres", 5, 61, None),
        pod("blog-web-main-a", "web-main", 40, 240),
        pod("blog-web-main-b", "web-main", 10, 100),
    )
    assert shown == [
        "blog  in blog-local (here)",
        "              cpu          memory          limit",
        "postgres-0    5m of 50m    61Mi of 256Mi   none",
        "web-main      50m of 100m  340Mi of 512Mi  66% of 512Mi",
        "  web-main-a  40m of 50m   240Mi of 256Mi  94% of 256Mi !",
        "  web-main-b  10m of 50m   100Mi of 256Mi  39% of 256Mi",
        "all           55m of 150m  401Mi of 768Mi  none",
    ]
    assert max(map(len, shown)) <= 60


def test_where_nothing_measures_it_says_so_and_shows_what_was_asked_for():
    shown = page(pod("blog-web-main-a", "web-main", None, None), metered=False)
    assert "web-main-a  ? of 50m  ? of 256Mi  256Mi" in shown
    assert shown[-1] == UNMETERED


def test_nothing_that_runs_is_no_empty_table():
    assert page()[1] == "… no pod runs there: nuages status says more"
