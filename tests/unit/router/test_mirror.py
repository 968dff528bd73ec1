"""The mirror's rules on one engine: who is asked, what waits, what the host is told."""

import errno

import pytest
from mirror_bench import IN_SYNC, NO_ANSWER, RESYNCING, STALE, Bench

from reference_router.commands import Op
from reference_router.latency import WINDOW_NS
from reference_router.scsi import (
    COMMUNICATION_FAILURE,
    INTERNAL_TARGET_FAILURE,
    MISCOMPARE_DURING_VERIFY,
    UNRECOVERED_READ_ERROR,
    WRITE_ERROR,
    Response,
    Status,
    check_condition,
)


def test_write_goes_to_every_leg_in_use():
    bench = Bench(IN_SYNC, RESYNCING)

    bench.submit(Op.WRITE, 3, 2)

    assert bench.issued() == [(0, True, 3, 2), (1, True, 3, 2)]


def test_write_is_answered_when_the_last_leg_has_it():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(Op.WRITE, 3, 2)

    bench.end(leg=0)
    assert bench.ended() == []
    bench.end(leg=1)

    assert bench.ended() == [(command, None)]


def test_reads_are_spread_by_region_and_split_at_its_end():
    bench = Bench(IN_SYNC, IN_SYNC)

    bench.submit(Op.READ, 6, 4)

    assert bench.issued() == [(0, False, 6, 2), (1, False, 8, 2)]


@pytest.mark.parametrize("states", [(IN_SYNC, STALE), (IN_SYNC, RESYNCING)])
def test_only_legs_in_sync_are_read(states):
    bench = Bench(*states)

    bench.submit(Op.READ, 6, 4)

    assert bench.issued() == [(0, False, 6, 4)]


# Commands with several phases


def test_write_and_verify_writes_then_reads():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(Op.WRITE_AND_VERIFY, 8, 1)
    assert bench.issued() == [(0, True, 8, 1), (1, True, 8, 1)]
    bench.end()
    assert bench.issued() == [(1, False, 8, 1)]
    bench.end()

    assert bench.ended() == [(command, None)]


@pytest.mark.parametrize("op", [Op.COMPARE, Op.COMPARE_AND_WRITE, Op.WRITE_AND_COMPARE])
def test_miscompare_tells_where_and_writes_nothing_more(op):
    """SBC-3 5.2, 5.22: MISCOMPARE, INFORMATION is the offset of the first byte that differs."""
    bench = Bench(IN_SYNC, STALE)
    command = bench.submit(op, 8, 1)
    while not bench.outbox.compares:
        bench.end()

    bench.mirror.compared(command, 17, 0)

    expected = check_condition(MISCOMPARE_DURING_VERIFY, information=17)
    assert (bench.ended(), bench.issued()) == ([(command, expected)], [])


def test_compare_and_write_writes_what_compared_equal():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(Op.COMPARE_AND_WRITE, 8, 1)
    bench.end()
    assert bench.outbox.compares == [command]

    bench.mirror.compared(command, None, 0)
    assert bench.issued() == [(0, True, 8, 1), (1, True, 8, 1)]
    bench.end()

    assert bench.ended() == [(command, None)]


def test_compare_and_write_keeps_other_writes_off_from_its_first_read_on():
    bench = Bench(IN_SYNC, STALE)
    bench.submit(Op.COMPARE_AND_WRITE, 8, 1)

    bench.submit(Op.WRITE, 8, 1)

    assert bench.issued() == [(0, False, 8, 1)]


def test_barrier_waits_for_a_comparison():
    """The write that follows it would be of the old state."""
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(Op.COMPARE_AND_WRITE, 8, 1)
    bench.mirror.hold()
    bench.end()
    assert not bench.mirror.drained((0, 1))

    bench.mirror.compared(command, 0, 0)

    assert bench.mirror.drained((0, 1))


# Errors


def test_medium_error_is_read_from_the_other_leg_and_noted_for_repair():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(Op.READ, 0, 1)

    bench.end(errno.ENODATA)
    assert bench.issued() == [(1, False, 0, 1)]
    bench.end()

    assert bench.ended() == [(command, None)]
    assert (bench.mirror.suspects, list(bench.mirror.weak)) == ({}, [(0, 0)])


def test_block_that_no_leg_can_read_is_a_medium_error():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(Op.READ, 0, 1)

    bench.end(errno.ENODATA)
    bench.end(errno.ENODATA)

    assert bench.ended() == [(command, check_condition(UNRECOVERED_READ_ERROR))]


@pytest.mark.parametrize(
    ("op", "error", "sense"),
    [
        (Op.WRITE, errno.EIO, COMMUNICATION_FAILURE),
        (Op.READ, errno.ENODEV, COMMUNICATION_FAILURE),
        (Op.WRITE, errno.ENODATA, WRITE_ERROR),
        (Op.READ, errno.EREMOTEIO, INTERNAL_TARGET_FAILURE),
    ],
)
def test_host_is_told_what_the_last_leg_says(op, error, sense):
    bench = Bench(STALE, IN_SYNC)
    command = bench.submit(op, 0, 1)

    bench.end(error)

    assert bench.ended() == [(command, check_condition(sense))]
    assert bench.mirror.suspects == {}


def test_failed_write_of_the_source_gives_up_the_copy():
    """The two legs may differ there, and the copy may have passed already."""
    bench = Bench(IN_SYNC, RESYNCING)
    bench.submit(Op.WRITE, 0, 1)

    bench.end(errno.EIO, leg=0)

    assert list(bench.mirror.suspects) == [1]


def test_command_waits_for_the_leg_to_be_dropped():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(Op.WRITE, 0, 1)
    bench.end(errno.EIO, leg=1)
    bench.end(leg=0)
    assert bench.ended() == []
    assert bench.mirror.suspects == {1: "write: EIO"}

    bench.commit(IN_SYNC, STALE)

    assert bench.ended() == [(command, None)]


def test_read_under_way_on_a_dropped_leg_is_asked_of_the_other():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(Op.READ, 8, 1)
    (late,) = bench.take()

    bench.commit(IN_SYNC, STALE)
    assert bench.issued() == [(0, False, 8, 1)]
    bench.mirror.leg_done(late, errno.EIO, 0)
    bench.end()

    assert bench.ended() == [(command, None)]


def test_reservation_conflict_of_a_leg_says_that_another_engine_may_go_on():
    """EBADE is what the kernel makes of RESERVATION CONFLICT (block/blk-core.c)."""
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.submit(Op.WRITE, 0, 1)

    bench.end(errno.EBADE, leg=0)

    assert bench.mirror.fenced_off


# Order


def test_overlapping_writes_go_one_after_the_other():
    bench = Bench(IN_SYNC, STALE)
    first = bench.submit(Op.WRITE, 6, 4)
    second = bench.submit(Op.WRITE, 9, 2)
    apart = bench.submit(Op.WRITE, 12, 1)
    assert bench.issued() == [(0, True, 6, 4), (0, True, 12, 1)]

    bench.end()
    assert bench.issued() == [(0, True, 9, 2)]
    bench.end()

    assert [command for command, _ in bench.ended()] == [first, apart, second]


def test_commands_are_held_in_a_barrier_and_go_first_after_it():
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.mirror.hold()
    bench.submit(Op.WRITE, 0, 1)
    assert bench.issued() == []
    assert bench.mirror.drained((0, 1))

    bench.commit(IN_SYNC, STALE)

    assert bench.issued() == [(0, True, 0, 1)]


def test_barrier_waits_only_for_the_legs_that_stay():
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.submit(Op.WRITE, 0, 1)
    bench.mirror.hold()

    bench.end(leg=0)

    assert bench.mirror.drained((0,))
    assert not bench.mirror.drained((0, 1))


def test_command_held_too_long_fails_and_is_never_run():
    """Past the kernel's time-out the host has sent it again: running it would be a ghost write."""
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.mirror.hold()
    command = bench.submit(Op.WRITE, 0, 1, now_ns=100)

    bench.tick(5000, command_ns=4000)
    bench.commit(IN_SYNC, STALE)

    assert (bench.ended(), bench.issued()) == ([(command, NO_ANSWER)], [])


def test_command_under_way_too_long_is_answered_once_and_keeps_its_range():
    """Its write may still land; what comes after must land later."""
    bench = Bench(STALE, IN_SYNC)
    late = bench.submit(Op.WRITE, 0, 1)
    under_way = bench.take()

    bench.tick(5000, command_ns=4000)
    assert bench.ended() == [(late, NO_ANSWER)]
    after = bench.submit(Op.WRITE, 0, 1, now_ns=5000)
    assert bench.issued() == []
    bench.mirror.leg_done(under_way[0], 0, 6000)
    bench.end(now_ns=6000)

    assert bench.ended() == [(late, NO_ANSWER), (after, None)]


def test_host_command_is_refused_by_a_reservation_that_came_while_it_was_held():
    conflict = Response(Status.RESERVATION_CONFLICT)
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.mirror.hold()
    command = bench.submit(Op.WRITE, 0, 1)
    bench.mirror.refuses = lambda _: conflict

    bench.commit(IN_SYNC, IN_SYNC)

    assert (bench.ended(), bench.issued()) == ([(command, conflict)], [])


# Deadlines of legs


def test_leg_that_passes_its_deadline_is_suspected_but_the_last_one_is_not():
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.submit(Op.WRITE, 0, 1)
    bench.end(leg=0)
    bench.tick(2_000_001, leg_ns=2_000_000)
    assert bench.mirror.suspects == {1: "no answer in 2 ms"}

    bench.commit(STALE, IN_SYNC)
    bench.tick(9_000_001, leg_ns=2_000_000)

    assert bench.mirror.suspects == {}


def test_leg_that_is_much_slower_than_the_other_is_suspected():
    bench = Bench(IN_SYNC, IN_SYNC, slow_ns=100)
    bench.tick(0)
    for second in range(1, 4):
        bench.submit(Op.WRITE, second)
        bench.end(leg=0, now_ns=1)
        bench.end(leg=1, now_ns=101)
        bench.tick(second * WINDOW_NS)

    assert bench.mirror.suspects == {1: "much slower than the others"}
