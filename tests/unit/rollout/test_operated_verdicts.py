"""When a PostgreSQL answers that an operator runs, and when all of it is as it is wanted."""

import pytest

from nuages.rollout.cloudnativepg import HEALTHY, answers, settled
from nuages.rollout.kinds import Done, Failed, Waiting


def cluster(**status):
    return {"spec": {"instances": 3}, "status": status}


SEEN = Waiting("not seen by its operator yet")


@pytest.mark.parametrize(
    ("status", "answering", "complete"),
    [
        ({}, SEEN, SEEN),
        (
            {"phase": "Setting up primary", "phaseReason": "Creating primary instance blog-db-1"},
            Waiting("setting up primary: Creating primary instance blog-db-1"),
            Waiting("setting up primary: Creating primary instance blog-db-1"),
        ),
        (
            {"phase": "Creating a new replica", "readyInstances": 1, "currentPrimary": "a", "targetPrimary": "a"},
            Done("1 of 3 instances ready"),
            Waiting("creating a new replica"),
        ),
        (
            {"phase": "Failing over", "readyInstances": 2, "currentPrimary": "a", "targetPrimary": "b"},
            Waiting("failing over"),
            Waiting("failing over"),
        ),
        (
            {"phase": HEALTHY, "readyInstances": 2, "currentPrimary": "a", "targetPrimary": "a"},
            Done("2 of 3 instances ready"),
            Waiting("2 of 3 instances ready"),
        ),
        (
            {"phase": HEALTHY, "readyInstances": 3, "currentPrimary": "a", "targetPrimary": "a"},
            Done("3 of 3 instances ready"),
            Done("3 of 3 instances ready"),
        ),
        (
            {"phase": "Cluster is unrecoverable and needs manual intervention"},
            Failed("cluster is unrecoverable and needs manual intervention"),
            Failed("cluster is unrecoverable and needs manual intervention"),
        ),
    ],
)
def test_its_operators_words_are_judged(status, answering, complete):
    assert (answers(cluster(**status)), settled(cluster(**status))) == (answering, complete)
