"""One engine writes in a region at a time, a hot region costs no message, none gets stuck."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_router.commands import Outbox
from reference_router.leases import Leases
from reference_router.messages import Given, Want, Yours


class Side:
    """One engine's leases. `leads`: the other follows."""

    def __init__(self, *, leads: bool = True, limit: int = 8) -> None:
        self.outbox = Outbox()
        self.leases = Leases("lu0", limit=limit, outbox=self.outbox)
        self.leases.share(leads=leads)
        self.marked: list[int] = []
        self.leases.on_given = self.marked.append

    def sent(self) -> list[object]:
        messages, self.outbox.messages[:] = list(self.outbox.messages), []
        return messages

    def take(self, message: object) -> None:
        match message:
            case Want(region=region):
                self.leases.asked_for(region)
            case Yours(region=region):
                self.leases.received(region, lambda: None)
            case Given(region=region):
                self.leases.given_back(region)

    def holder_of(self, *regions: int) -> "Side":
        for region in regions:
            self.leases.received(region, lambda: None)
        self.sent()
        return self


def test_without_a_peer_all_is_allowed_and_nothing_is_said():
    outbox = Outbox()
    leases = Leases("lu0", limit=1, outbox=outbox)

    assert all(leases.pin(region) for region in range(5))
    assert (outbox.messages, leases.mine) == ([], {})


def test_region_is_asked_for_once_until_it_comes():
    side = Side()

    assert not side.leases.pin(3)
    assert not side.leases.pin(3)
    assert side.sent() == [Want("lu0", 3)]
    side.leases.received(3, lambda: None)

    assert side.leases.pin(3)
    assert side.sent() == []


def test_hot_region_costs_no_message():
    side = Side().holder_of(3)
    for _ in range(5):
        assert side.leases.pin(3)
        assert not side.leases.unpin(3)

    assert side.sent() == []


def test_region_that_nothing_keeps_is_given_at_once():
    side = Side().holder_of(3)

    side.leases.asked_for(3)

    assert side.sent() == [Yours("lu0", 3)]
    assert (side.leases.mine, side.leases.theirs) == ({}, {3})


def test_free_region_is_given_too():
    side = Side()

    side.leases.asked_for(3)

    assert side.sent() == [Yours("lu0", 3)]


def test_region_that_commands_keep_is_given_when_the_last_one_ends():
    side = Side().holder_of(3)
    side.leases.pin(3)
    side.leases.pin(3)

    side.leases.asked_for(3)
    assert not side.leases.unpin(3)
    assert side.sent() == []
    assert side.leases.unpin(3)

    assert side.sent() == [Yours("lu0", 3)]


def test_new_commands_queue_behind_a_peer_that_waits():
    """Else a hot region would never change hands."""
    side = Side().holder_of(3)
    side.leases.pin(3)
    side.leases.asked_for(3)

    assert not side.leases.pin(3)
    side.leases.unpin(3)
    assert not side.leases.pin(3)

    assert side.sent() == [Yours("lu0", 3), Want("lu0", 3)]


def test_receiver_uses_a_region_before_it_is_asked_to_give_it_away():
    """Both want it again and again: each gets something done every time."""
    side = Side(leads=True)
    side.leases.pin(3)
    side.leases.asked_for(3)  # the peer wants it at the same time
    assert side.sent() == [Want("lu0", 3)]
    used = []

    side.leases.received(3, lambda: used.append(side.leases.pin(3)))
    assert (used, side.sent()) == ([True], [])
    side.leases.unpin(3)

    assert side.sent() == [Yours("lu0", 3)]


@pytest.mark.parametrize(("leads", "answer"), [(True, []), (False, [Yours("lu0", 3)])])
def test_of_two_that_want_a_free_region_at_once_the_leader_has_it_first(leads, answer):
    side = Side(leads=leads)
    side.leases.pin(3)
    side.sent()

    side.leases.asked_for(3)

    assert side.sent() == answer


def test_region_used_longest_ago_is_given_back_when_there_are_many():
    side = Side(limit=3).holder_of(1, 2, 3)
    side.leases.pin(1)
    side.leases.unpin(1)

    side.leases.received(4, lambda: None)

    assert side.sent() == [Given("lu0", 2)]
    assert set(side.leases.mine) == {1, 3, 4}


def test_region_in_use_is_not_given_back():
    side = Side(limit=1).holder_of(1)
    side.leases.pin(1)

    side.leases.received(2, lambda: side.leases.pin(2))

    assert side.sent() == []
    assert set(side.leases.mine) == {1, 2}


def test_region_given_back_is_nobodys():
    side = Side()
    side.leases.asked_for(3)

    side.leases.given_back(3)

    assert side.leases.theirs == set()


def test_where_the_peer_may_write_is_noted_before_it_is_told():
    side = Side().holder_of(3)
    order = []
    side.leases.on_given = lambda region: order.append((region, list(side.outbox.messages)))

    side.leases.asked_for(3)

    assert order == [(3, [])]


def test_survivor_learns_where_the_peer_may_have_been_writing():
    side = Side().holder_of(1)
    side.leases.asked_for(5)
    side.leases.asked_for(6)
    side.leases.given_back(6)

    assert side.leases.keep_all() == {5}
    assert side.leases.pin(5)
    assert side.leases.mine == {}


def test_new_peer_starts_with_nothing_held():
    side = Side().holder_of(1)
    side.leases.asked_for(5)

    side.leases.share(leads=False)

    assert (side.leases.mine, side.leases.theirs) == ({}, set())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("pin", "unpin", "deliver")), st.integers(0, 1), st.integers(0, 3)
        ),
        max_size=60,
    ),
    st.integers(1, 4),
)
def test_no_two_engines_keep_a_region_and_every_wish_comes_true(steps, limit):
    """Any order of wishes and ends on both sides, with messages in order and late at will."""
    sides = (Side(leads=True, limit=limit), Side(leads=False, limit=limit))
    wires: tuple[list[object], list[object]] = ([], [])
    pins: list[tuple[int, int]] = []

    def deliver(to: int) -> None:
        if wires[to]:
            sides[to].take(wires[to].pop(0))

    def collect() -> None:
        for index in (0, 1):
            wires[1 - index].extend(sides[index].sent())
        kept = [{region for who, region in pins if who == index} for index in (0, 1)]
        assert not kept[0] & kept[1]
        # Where one keeps a region, the other knows that it is there.
        assert kept[0] <= sides[1].leases.theirs
        assert kept[1] <= sides[0].leases.theirs

    for step, who, region in steps:
        if step == "pin" and sides[who].leases.pin(region):
            pins.append((who, region))
        elif step == "unpin" and (who, region) in pins:
            pins.remove((who, region))
            sides[who].leases.unpin(region)
        elif step == "deliver":
            deliver(who)
        collect()
    for who, region in pins:
        sides[who].leases.unpin(region)
    pins.clear()
    for who in (0, 1):
        for _ in range(20):
            if sides[who].leases.pin(2):
                break
            collect()
            deliver(0)
            deliver(1)
        else:
            raise AssertionError("the region never came")
        sides[who].leases.unpin(2)
        collect()
