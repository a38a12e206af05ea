"""How long a phase waits."""

from nuages.release.phases.bring import PATIENCE, overdue
from nuages.rollout.watcher import Survey


class View:
    """What was last seen: these objects."""

    def __init__(self, *items):
        self._items = {(item["kind"], item["metadata"]["name"]): item for item in items}

    def get(self, kind, name):
        """One of them."""
        return self._items.get((kind, name))

    def items(self, kind):
        """None are asked for here."""
        return []


def test_a_migration_takes_as_long_as_its_own_deadline_allows_and_a_data_store_does_not():
    job, store = ({"kind": kind, "metadata": {"name": "one"}} for kind in ("Job", "StatefulSet"))
    found = Survey(done=[], waiting=[(job, "running"), (store, "0 of 1 ready")], failed=[])
    assert overdue(found, View(job, store), 2 * PATIENCE) == [(store, "0 of 1 ready")]
    assert overdue(found, View(job, store), PATIENCE / 2) == []


def test_a_migration_that_is_not_there_has_no_deadline():
    job = {"kind": "Job", "metadata": {"name": "one"}}
    assert overdue(Survey(done=[], waiting=[(job, "not there yet")], failed=[]), View(), 2 * PATIENCE) == [
        (job, "not there yet")
    ]
