"""Waiting for the lock, holding it by hand and opening it, on real Leases."""

from __future__ import annotations

import asyncio

import pytest
from eventually import eventually
from test_lock import lease, silent

from nuages.errors import Gone, Locked, Refused, Superseded
from nuages.release.locks import hold, lock, queue
from nuages.release.locks.lease import claim
from nuages.release.locks.lock import FOR_EVER, Wish

pytestmark = pytest.mark.api
NAME = "blog-release"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Renewals often, so that a test sees within a second who is alive."""
    monkeypatch.setattr(lock, "RENEW", 0.2)
    monkeypatch.setattr(queue, "RENEW", 0.2)
    monkeypatch.setattr(lock, "LOOK_AGAIN", 0.1)


async def tickets(cluster, namespace):
    return (await cluster.list("Lease", namespace, labels={queue.LOCK: NAME})).items


async def test_they_get_it_in_the_order_in_which_they_came_and_leave_no_ticket(cluster, namespace):
    order, said = [], []

    async def one(who):
        wish = Wish(command=f"nuages deploy {who}", wait=FOR_EVER)
        async with lock.held(cluster, namespace, NAME, wish, waiting=said.append):
            order.append(who)

    async with lock.held(cluster, namespace, NAME, Wish("nuages rollback", "back to green"), waiting=silent):
        waiting = []
        for number, who in enumerate("ab", start=1):
            waiting.append(asyncio.create_task(one(who)))
            await eventually(lambda n=number: _count(cluster, namespace, n))
            await asyncio.sleep(1.1)  # the API server's clock orders them, and has seconds only
    await asyncio.gather(*waiting)
    assert order == ["a", "b"]
    assert await tickets(cluster, namespace) == []
    assert any("nuages rollback: back to green" in line and "before you: " in line for line in said)


async def _count(cluster, namespace, number):
    return len(await tickets(cluster, namespace)) == number


async def test_who_does_not_wait_is_told_what_is_under_way_and_why(cluster, namespace):
    async with lock.held(cluster, namespace, NAME, Wish("nuages deploy -e staging", "new colours"), waiting=silent):
        with pytest.raises(Locked, match=r"\(nuages deploy -e staging: new colours\)") as refused:
            async with lock.held(cluster, namespace, NAME, waiting=silent):
                pytest.fail("held what another one holds")
    assert "--wait" in refused.value.hint


async def test_who_waited_long_enough_gives_up(cluster, namespace):
    async with lock.held(cluster, namespace, NAME, waiting=silent):
        with pytest.raises(Locked, match="is at work"):
            async with lock.held(cluster, namespace, NAME, Wish(wait=0.5), waiting=silent):
                pytest.fail("held what another one holds")
    assert await tickets(cluster, namespace) == []


async def test_one_that_died_in_the_queue_is_passed_over_and_its_ticket_goes(cluster, namespace):
    dead = await lease(cluster, namespace, "", epoch=1)
    place = queue.Place(cluster, namespace, NAME, "nuages deploy")
    await place.take()
    place._keeper.cancel()
    patch = {"spec": {"leaseDurationSeconds": 1, "holderIdentity": "eve@desk/1-1"}}
    await cluster.patch_merge("Lease", namespace, place._ticket["metadata"]["name"], patch)
    async with lock.held(cluster, namespace, NAME, waiting=silent) as held:
        assert held.epoch == dead["spec"]["leaseTransitions"] + 1
    assert await tickets(cluster, namespace) == []


async def test_nobody_slips_past_those_who_wait(cluster, namespace):
    place = queue.Place(cluster, namespace, NAME, "nuages deploy")
    async with place:
        await place.take()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1), lock.held(cluster, namespace, NAME, waiting=silent):
                pytest.fail("was quicker than one who waits")
    async with lock.held(cluster, namespace, NAME, waiting=silent):
        pass


async def test_a_lock_by_hand_stands_without_a_process_until_it_is_given_back(cluster, namespace):
    await hold.hold(cluster, namespace, NAME, Wish("nuages lock", "incident 42"), waiting=silent)
    with pytest.raises(Locked, match=r"locked this environment, since .*: incident 42") as refused:
        async with lock.held(cluster, namespace, NAME, waiting=silent):
            pytest.fail("held what a person holds")
    assert "nuages unlock" in refused.value.hint
    said = await hold.hold(cluster, namespace, NAME, Wish("nuages lock", "still"), waiting=silent)
    assert said.message == "still"
    assert (await hold.give_back(cluster, namespace, NAME, force=False)).message == "still"
    assert await hold.give_back(cluster, namespace, NAME, force=False) is None
    async with lock.held(cluster, namespace, NAME, waiting=silent):
        pass
    assert claim(await cluster.get("Lease", namespace, NAME)).message == ""


async def test_a_person_waits_for_the_release_that_is_under_way(cluster, namespace):
    async with lock.held(cluster, namespace, NAME, waiting=silent):
        with pytest.raises(Locked):
            await hold.hold(cluster, namespace, NAME, Wish("nuages lock"), waiting=silent)
        later = asyncio.create_task(hold.hold(cluster, namespace, NAME, Wish(wait=FOR_EVER), waiting=silent))
        await eventually(lambda: _count(cluster, namespace, 1))
    assert (await later).by_hand


async def test_anothers_lock_is_opened_by_force_only(cluster, namespace):
    await lease(cluster, namespace, "eve@desk/by-hand", epoch=3, duration=hold.LONG)
    with pytest.raises(Locked, match="eve@desk locked it") as refused:
        await hold.give_back(cluster, namespace, NAME, force=False)
    assert "--force" in refused.value.hint
    assert (await hold.give_back(cluster, namespace, NAME, force=True)).who == "eve@desk"


async def test_a_release_whose_lock_was_opened_writes_nothing_more(cluster, namespace):
    with pytest.raises(Superseded):
        async with lock.held(cluster, namespace, NAME, waiting=silent) as held:
            assert await hold.give_back(cluster, namespace, NAME, force=True)
            await held.check()


async def test_where_there_is_no_namespace_there_is_nothing_to_lock(cluster):
    with pytest.raises(Refused, match="not there yet"):
        await hold.hold(cluster, "nowhere", NAME, Wish(), waiting=silent)
    with pytest.raises(Gone):
        async with lock.held(cluster, "nowhere", NAME, waiting=silent):
            pytest.fail("held what is nowhere")


async def test_a_lock_that_is_kept_for_somebody_is_theirs_before_all_who_wait(cluster, namespace):
    order = []

    async def one(who, wish):
        async with lock.held(cluster, namespace, NAME, wish, waiting=silent):
            order.append(who)

    async with lock.held(cluster, namespace, NAME, waiting=silent) as held:
        waits = asyncio.create_task(one("waits", Wish(wait=FOR_EVER)))
        await eventually(lambda: _count(cluster, namespace, 1))
        await held.hand_to("ada@laptop/driver-8", seconds=60)
        await held.check()
    with pytest.raises(Locked):
        await hold.give_back(cluster, namespace, NAME, force=False)
    await one("heir", Wish(heir="ada@laptop/driver-8"))
    await waits
    assert order == ["heir", "waits"]


async def test_a_lock_that_nobody_comes_for_is_free_after_its_time(cluster, namespace):
    async with lock.held(cluster, namespace, NAME, waiting=silent) as held:
        await held.hand_to("ada@laptop/driver-8", seconds=1)
    async with asyncio.timeout(60), lock.held(cluster, namespace, NAME, waiting=silent) as other:
        assert other.epoch == 3
