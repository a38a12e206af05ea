"""A short soak; `python -m benchmarks soak` is the long one. Old pages and new ones ask both old pods and new ones."""

from __future__ import annotations

import time

import pytest
import ring_project
from disturbance import Site
from project import Project
from traffic import Traffic
from waiting import status_of, steady

# It counts what a site loses by its releases: what a whole machine's other tests take from it is not asked here.
pytestmark = [pytest.mark.e2e, pytest.mark.alone]

CLIENTS = {"kept": 2, "new": 2, "slow": 1, "socket": 2}


def site(cluster, folder, namespace, interface) -> Site:
    ring_project.write(folder, cluster.context, namespace, interface)
    project = Project(folder, cluster.kubeconfig)
    kubectl = (*cluster.kubectl, "--namespace", namespace)
    return Site(interface, folder, ring_project.STYLE, lambda *arguments: project.nuages(*arguments).stdout, kubectl)


def test_no_request_is_lost_while_releases_come_and_go_and_pods_are_taken_away(cluster, namespace, tmp_path):
    ring = site(cluster, tmp_path / "ring", namespace, "asgi")
    ring.ship()
    steady(lambda: status_of(f"http://{ring.address()}/") == 200)  # the node's proxy learns of pods a moment later
    with Traffic({"asgi": (ring.address(), CLIENTS)}) as traffic:
        for name in ("ship", "evict", "rollback", "evict_static"):
            traffic.during = name
            getattr(ring, name)()
        time.sleep(1)
    assert [str(loss) for loss in traffic.lost] == []
    assert {"kept", "new", "slow", "socket"} <= traffic.answered.keys()
    assert traffic.seen["release 1"] > 0 < traffic.seen["release 2"], "pages of both were seen"
    closed = {name for name in traffic.seen if name.startswith("websockets closed")}
    assert closed == {"websockets closed with 1001"}
    assert len(ring.pods("static")) == 2
