"""One release at a time, on a real Lease."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime

import pytest

from nuages.errors import Gone, Locked, Superseded, UsageError
from nuages.release.locks import holder, lock

pytestmark = pytest.mark.api


def silent(line):
    """Nobody listens."""


async def lease(cluster, namespace, holder, *, epoch=1, duration=1):
    """A Lease as somebody else left it."""
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return await cluster.create(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "blog-release", "namespace": namespace},
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": duration,
                "acquireTime": now,
                "renewTime": now,
                "leaseTransitions": epoch,
            },
        }
    )


async def taken_over(cluster, namespace, **spec):
    """Another one holds it from now on, whatever its holder writes at the same time."""
    patch = {"spec": {"holderIdentity": "eve@desk/1-1", **spec}}
    await cluster.patch_merge("Lease", namespace, "blog-release", patch)


async def test_a_free_lock_is_taken_and_given_back(cluster, namespace):
    async with lock.held(cluster, namespace, "blog-release", waiting=silent) as held:
        assert held.epoch == 1
        await held.check()
    assert (await cluster.get("Lease", namespace, "blog-release"))["spec"]["holderIdentity"] == ""
    async with lock.held(cluster, namespace, "blog-release", waiting=silent) as held:
        assert held.epoch == 2


async def test_one_that_is_alive_is_named_and_left_alone(cluster, namespace):
    other = await lease(cluster, namespace, "ada@laptop/1-1", duration=15)

    async def renewing():
        live = other
        while True:
            await asyncio.sleep(0.3)
            live["spec"]["renewTime"] = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
            live = await cluster.replace(live)

    renewer = asyncio.create_task(renewing())
    said = []
    with pytest.raises(Locked, match="ada@laptop is at work on"):
        async with lock.held(cluster, namespace, "blog-release", waiting=said.append):
            pytest.fail("held what another one holds")
    renewer.cancel()
    assert "ada@laptop" in said[0]


async def test_one_that_died_elsewhere_is_waited_out_and_its_epoch_is_over(cluster, namespace):
    await lease(cluster, namespace, "ada@laptop/1-1", epoch=4, duration=1)
    async with lock.held(cluster, namespace, "blog-release", waiting=silent) as held:
        assert held.epoch == 5


async def test_a_dead_process_of_this_machine_is_taken_over_at_once(cluster, namespace):
    await lease(cluster, namespace, f"{holder.user()}/{os.getpid()}-1-{holder.machine()}", duration=3600)
    async with lock.held(cluster, namespace, "blog-release", waiting=silent) as held:
        assert held.epoch == 2


async def test_a_machine_of_the_same_name_is_not_taken_for_this_one(cluster, namespace):
    await lease(cluster, namespace, f"{holder.user()}/{os.getpid()}-1-another", duration=15)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1), lock.held(cluster, namespace, "blog-release", waiting=silent):
            pytest.fail("held what a process elsewhere holds")


async def test_a_change_of_the_lease_that_takes_nothing_over_is_no_loss(cluster, namespace):
    async with lock.held(cluster, namespace, "blog-release", waiting=silent) as held:
        await cluster.patch_merge("Lease", namespace, "blog-release", {"metadata": {"annotations": {"seen": "by-ada"}}})
        await held.renew()
        await held.check()
        await held.renew()


async def test_a_lock_whose_lease_somebody_annotated_is_given_back_all_the_same(cluster, namespace):
    async with lock.held(cluster, namespace, "blog-release", waiting=silent):
        await cluster.patch_merge("Lease", namespace, "blog-release", {"metadata": {"annotations": {"seen": "by-ada"}}})
    live = await cluster.get("Lease", namespace, "blog-release")
    assert (live["spec"]["holderIdentity"], live["metadata"]["annotations"]) == ("", {"seen": "by-ada"})


async def test_a_lease_that_was_made_anew_with_the_same_epoch_is_not_ours(cluster, namespace):
    with pytest.raises(Superseded, match="eve@desk"):
        async with lock.held(cluster, namespace, "blog-release", waiting=silent) as held:
            await cluster.delete("Lease", namespace, "blog-release")
            await lease(cluster, namespace, "eve@desk/1-1", epoch=held.epoch)
            await held.check()


async def test_where_the_namespace_is_missing_it_says_so_and_does_not_try_for_ever(cluster):
    with pytest.raises(Gone, match="not found"):
        async with asyncio.timeout(60), lock.held(cluster, "nowhere", "blog-release", waiting=silent):
            pytest.fail("held a lock that has no place")


async def test_a_laptop_that_wakes_up_writes_nothing(cluster, namespace):
    with pytest.raises(Superseded, match="eve@desk"):
        async with lock.held(cluster, namespace, "blog-release", waiting=silent) as held:
            await taken_over(cluster, namespace, leaseTransitions=2)
            await held.check()
    assert (await cluster.get("Lease", namespace, "blog-release"))["spec"]["holderIdentity"] == "eve@desk/1-1"


async def test_the_body_is_stopped_when_the_lock_is_lost(cluster, namespace, monkeypatch):
    monkeypatch.setattr(lock, "RENEW", 0.05)
    with pytest.raises(Superseded):
        async with lock.held(cluster, namespace, "blog-release", waiting=silent):
            await taken_over(cluster, namespace)
            await asyncio.sleep(60)
            pytest.fail("went on without the lock")


async def test_the_body_is_stopped_when_the_lock_cannot_be_renewed_for_long(cluster, namespace, monkeypatch):
    monkeypatch.setattr(lock, "RENEW", 0.01)

    async def logged_out(_):
        raise UsageError("exec plugin aws ended with 255: the session has expired")

    monkeypatch.setattr(lock.Lock, "renew", logged_out)
    with pytest.raises(UsageError, match="expired"):
        async with lock.held(cluster, namespace, "blog-release", waiting=silent):
            monkeypatch.setattr(lock, "DURATION", 0.01)
            await asyncio.sleep(60)
            pytest.fail("went on without the lock")


async def test_of_two_who_come_at_once_one_gets_it(cluster, namespace):
    entered = []

    async def one(name):
        async with lock.held(cluster, namespace, "blog-release", waiting=silent) as held:
            entered.append((name, held.epoch))
            await asyncio.sleep(0.2)

    await asyncio.gather(one("a"), one("b"), return_exceptions=True)
    assert len(entered) == len({epoch for _, epoch in entered})
