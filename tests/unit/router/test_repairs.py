"""What waits for a repair, and for how much of it."""

import pytest

from reference_router.commands import Command, Op, Outbox
from reference_router.leases import Leases
from reference_router.repairs import Repairs


@pytest.fixture
def leases():
    return Leases("lu0", limit=4, outbox=Outbox())


@pytest.fixture
def repairs(leases):
    repairs = Repairs(8, leases)
    repairs.add(3)
    return repairs


def read(blocks=1):
    return Command(None, Op.READ, 24, blocks)


def test_what_reads_elsewhere_does_not_wait(repairs):
    assert not repairs.concern(read(), range(4, 6))
    assert repairs.next_unequal() is None


def test_what_was_made_equal_waits_no_more_until_the_next_barrier(repairs):
    command = read()
    assert repairs.concern(command, range(3, 4))
    assert repairs.next_unequal() is command

    command.equal_at = repairs.generation
    assert not repairs.concern(command, range(3, 4))

    repairs.generation += 1
    assert repairs.concern(command, range(3, 4))


def test_what_asks_again_while_it_is_copied_for_is_not_copied_for_twice(repairs):
    command = read()
    repairs.concern(command, range(3, 4))
    repairs.next_unequal()
    repairs.concern(command, range(3, 4))

    command.equal_at = repairs.generation

    assert repairs.next_unequal() is None


def test_a_follower_asks_for_the_region(repairs, leases):
    leases.share(leads=False)

    assert repairs.concern(read(), range(3, 4))

    assert list(repairs.demanded) == [3]
    assert repairs.next_unequal() is None


def test_a_leader_copies_for_itself(repairs, leases):
    leases.share(leads=True)
    command = read()

    assert repairs.concern(command, range(3, 4))

    assert not repairs.demanded
    assert repairs.next_unequal() is command
