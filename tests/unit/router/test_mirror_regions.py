"""The mirror's rules about regions: leases, what a leg lacks, repair, copies; its last words."""

import errno

import pytest
from mirror_bench import IN_SYNC, NO_ANSWER, RESYNCING, STALE, Bench

from reference_router.commands import Op
from reference_router.messages import LegState

# Leases, dirty regions and repair


def shared(*states: LegState) -> Bench:
    bench = Bench(*states)
    bench.mirror.leases.share(leads=True)
    return bench


def test_write_waits_for_the_leases_of_all_its_regions_and_a_read_for_none():
    bench = shared(IN_SYNC, STALE)
    write = bench.submit(Op.WRITE, 6, 4)
    bench.submit(Op.READ, 40)
    assert bench.issued() == [(0, False, 40, 1)]
    bench.end()

    bench.mirror.lease_received(0, 0)
    assert bench.issued() == []
    bench.mirror.lease_received(1, 0)
    assert bench.issued() == [(0, True, 6, 4)]
    bench.end()

    assert (write, None) in bench.ended()


def test_command_that_is_given_up_lets_its_leases_go():
    bench = shared(IN_SYNC, STALE)
    bench.submit(Op.WRITE, 6, 4)
    bench.mirror.lease_received(0, 0)
    bench.tick(5000, command_ns=4000)

    bench.mirror.leases.asked_for(0)

    assert bench.mirror.leases.theirs == {0}


def test_what_is_written_while_a_leg_is_away_is_dirty():
    bench = Bench(IN_SYNC, STALE)

    bench.submit(Op.WRITE, 6, 4)
    bench.submit(Op.READ, 40)

    assert list(bench.mirror.dirty[1]) == [0, 1]


def test_leg_that_is_dropped_lacks_what_either_engine_may_be_writing():
    bench = shared(IN_SYNC, IN_SYNC)
    bench.mirror.leases.asked_for(2)
    bench.mirror.lease_received(5, 0)
    bench.mirror.lease_received(1, 0)
    bench.submit(Op.WRITE, 8)

    bench.commit(IN_SYNC, STALE)

    assert list(bench.mirror.dirty[1]) == [1, 2, 5]


def test_what_the_peer_writes_while_a_leg_is_away_is_dirty_too():
    bench = shared(IN_SYNC, STALE)

    bench.mirror.leases.asked_for(3)

    assert list(bench.mirror.dirty[1]) == [3]


@pytest.mark.parametrize("op", [Op.READ, Op.VERIFY, Op.COMPARE, Op.COMPARE_AND_WRITE])
def test_nothing_reads_a_region_that_may_differ_and_the_waiting_is_known(op):
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.mirror.repairs.add(1)

    waiting = bench.submit(op, 8)
    bench.submit(Op.READ, 0)

    assert bench.issued() == [(0, False, 0, 1)]
    assert list(bench.mirror.repairs.unequal) == [waiting]


@pytest.mark.parametrize("op", [Op.WRITE, Op.WRITE_AND_VERIFY, Op.WRITE_AND_COMPARE])
def test_what_writes_first_does_not_wait_for_a_repair(op):
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.mirror.repairs.add(1)

    bench.submit(op, 15, 2)

    assert bench.issued() == [(0, True, 15, 2), (1, True, 15, 2)]
    assert not bench.mirror.repairs.unequal
    assert not bench.mirror.repairs.demanded


def test_copy_keeps_writes_off_its_region_and_reads_not():
    bench = Bench(IN_SYNC, RESYNCING)
    bench.copy(1, 0, 1)
    bench.submit(Op.WRITE, 8)
    bench.submit(Op.READ, 8)
    assert bench.issued() == [(0, False, 8, 8), (0, False, 8, 1)]

    bench.end()
    assert bench.issued() == [(1, True, 8, 8)]
    bench.end()

    assert bench.issued() == [(0, True, 8, 1), (1, True, 8, 1)]


def test_copy_reads_its_source_as_a_whole():
    """Not spread over the legs: what the source has is what they are to have."""
    bench = Bench(IN_SYNC, IN_SYNC)

    bench.copy(1, 0, 1)

    assert bench.issued() == [(0, False, 8, 8)]


@pytest.mark.parametrize(("write", "leg"), [(False, 0), (True, 1)])
def test_copy_that_fails_says_which_leg_and_how(write, leg):
    bench = Bench(IN_SYNC, RESYNCING)
    copy = bench.copy(1, 0, 1)
    if write:
        bench.end()

    bench.end(errno.EIO)

    assert bench.mirror.copies == [copy]
    assert copy.failures == {leg: (write, errno.EIO)}


def test_copy_onto_a_leg_that_was_dropped_fails():
    bench = Bench(IN_SYNC, RESYNCING)
    copy = bench.copy(1, 0, 1)
    bench.end()

    bench.commit(IN_SYNC, STALE)

    assert (bench.mirror.copies, list(copy.failures)) == ([copy], [1])


# Reads without a word of the peer


def test_read_waits_for_a_word_of_the_peer_once_its_promise_has_run_out():
    """The peer may have gone on without this engine, and written."""
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.mirror.confirm_reads(1000, 0)
    read, write = bench.submit(Op.READ, 0), bench.submit(Op.WRITE, 1)
    bench.end(now_ns=1001)
    assert bench.ended() == [(write, None)]

    bench.mirror.confirm_reads(2000, 1500)

    assert bench.ended() == [(write, None), (read, None)]


def test_word_of_the_peer_that_comes_too_late_does_not_help():
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.mirror.confirm_reads(1000, 0)
    bench.submit(Op.READ, 0)
    bench.end(now_ns=1001)

    bench.mirror.confirm_reads(1100, 1101)

    assert bench.ended() == []


def test_read_that_no_word_of_the_peer_ever_confirms_is_answered_not_ready():
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.mirror.confirm_reads(1000, 0)
    read = bench.submit(Op.READ, 0)
    bench.end(now_ns=1001)

    bench.tick(5000, command_ns=4000)

    assert bench.ended() == [(read, NO_ANSWER)]


# The end of a membership


def test_engine_that_is_fenced_answers_everything_once_and_forgets_it():
    bench = Bench(IN_SYNC, IN_SYNC)
    under_way, waits = bench.submit(Op.WRITE, 0), bench.submit(Op.WRITE, 0)
    old = bench.take()
    bench.mirror.hold()
    held = bench.submit(Op.READ, 9)

    bench.mirror.lose()
    for io in old:
        bench.mirror.leg_done(io, errno.EBADE, 0)

    ended = bench.ended()
    assert {command for command, _ in ended} == {under_way, waits, held}
    assert [response for _, response in ended] == [NO_ANSWER] * 3
    assert (bench.mirror.busy, bench.mirror.fenced_off) == (0, False)


def test_late_end_of_a_comparison_that_was_given_up_does_nothing():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(Op.COMPARE_AND_WRITE, 0)
    bench.end()
    bench.mirror.lose()

    bench.mirror.compared(command, None, 0)

    assert bench.issued() == []
    assert bench.ended() == [(command, NO_ANSWER)]
