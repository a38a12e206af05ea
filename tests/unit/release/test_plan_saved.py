"""A plan that was kept holds as long as what it looked at is the same, and says what moved."""

from __future__ import annotations

import msgspec
import pytest

from nuages.errors import UsageError
from nuages.release.plan.saved import Looked, differences, read
from nuages.release.plan.saved import _looked as looked

pytestmark = pytest.mark.unit

WANTED = {"kind": "Service", "metadata": {"name": "blog"}, "spec": {"type": "ClusterIP"}}


def live(version="1", uid="u1", **spec):
    return {
        "kind": "Service",
        "metadata": {"name": "blog", "uid": uid, "resourceVersion": version},
        "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.1", **spec},
        "status": {"version": version},
    }


def moved(then: Looked, now) -> list[str]:
    return [f"{finding.place}: {finding.message}" for finding in differences(then, now, WANTED)]


THEN = looked("Service", "blog", live(), WANTED)


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        (THEN, live(), []),
        (THEN, live("2"), []),
        (THEN, live("2", clusterIP="10.0.0.2"), []),
        (THEN, live("2", type="NodePort"), ["Service/blog: spec.type was changed"]),
        (THEN, live(uid="u2"), ["Service/blog: is another one of that name"]),
        (THEN, None, ["Service/blog: was removed"]),
        (looked("Service", "blog", None, WANTED), live(), ["Service/blog: was made since"]),
        (looked("Service", "blog", None, WANTED), None, []),
    ],
)
def test_what_moved_is_named_and_the_clusters_own_bookkeeping_is_no_move(then, now, said) -> None:
    assert moved(then, now) == said


def test_no_value_is_kept_only_what_tells_it_from_another_one() -> None:
    assert "ClusterIP" not in msgspec.json.encode(THEN).decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "there is no"), ("no json", "is no plan"), ("{}", "is no plan"), ('{"schema": 99}', "newer nuages")],
)
def test_a_file_that_is_no_plan_is_told(tmp_path, text, said) -> None:
    path = tmp_path / "plan.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read(path)
