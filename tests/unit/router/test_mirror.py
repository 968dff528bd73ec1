"""The mirror's rules on one engine: who is asked, what waits, what the host is told."""

import errno

import pytest

from reference_router.messages import LegState, UnitState
from reference_router.mirror import Command, Mirror, Outbox
from reference_router.scsi import (
    COMMUNICATION_FAILURE,
    INTERNAL_TARGET_FAILURE,
    UNRECOVERED_READ_ERROR,
    WRITE_ERROR,
)

IN_SYNC, RESYNCING, STALE = LegState.IN_SYNC, LegState.RESYNCING, LegState.STALE


class Bench:
    """A mirror of 64 blocks in regions of 8, at an epoch."""

    def __init__(self, *states: LegState) -> None:
        self.outbox = Outbox()
        self.mirror = Mirror("lu0", legs=("A", "B"), blocks=64, region_blocks=8, outbox=self.outbox)
        self.commit(1, *states)

    def commit(self, epoch: int, *states: LegState) -> None:
        self.mirror.commit(UnitState("lu0", epoch, states), 0)

    def submit(self, write: bool, lba: int, blocks: int, now_ns: int = 0) -> Command:
        command = Command(None, write, lba, blocks)
        self.mirror.submit(command, now_ns)
        return command

    def issued(self) -> list[tuple[int, bool, int, int]]:
        return [(io.leg, io.write, io.lba, io.blocks) for io in self.outbox.leg_io]

    def end(self, error: int = 0, *, leg: int | None = None) -> None:
        for io in list(self.outbox.leg_io):
            if leg is None or io.leg == leg:
                self.outbox.leg_io.remove(io)
                self.mirror.leg_done(io, error, 0)


def test_write_goes_to_every_leg_in_use():
    bench = Bench(IN_SYNC, RESYNCING)

    bench.submit(True, 3, 2)

    assert bench.issued() == [(0, True, 3, 2), (1, True, 3, 2)]


def test_write_is_answered_when_the_last_leg_has_it():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(True, 3, 2)

    bench.end(leg=0)
    assert bench.outbox.completions == []
    bench.end(leg=1)

    assert (bench.outbox.completions, command.sense) == ([command], None)


def test_reads_are_spread_by_region_and_split_at_its_end():
    bench = Bench(IN_SYNC, IN_SYNC)

    bench.submit(False, 6, 4)

    assert bench.issued() == [(0, False, 6, 2), (1, False, 8, 2)]


@pytest.mark.parametrize("states", [(IN_SYNC, STALE), (IN_SYNC, RESYNCING)])
def test_only_legs_in_sync_are_read(states):
    bench = Bench(*states)

    bench.submit(False, 6, 4)

    assert bench.issued() == [(0, False, 6, 4)]


def test_medium_error_is_read_from_the_other_leg():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(False, 0, 1)

    bench.end(errno.ENODATA)
    assert bench.issued() == [(1, False, 0, 1)]
    bench.end()

    assert (bench.outbox.completions, command.sense) == ([command], None)
    assert bench.mirror.suspects == {}


def test_block_that_no_leg_can_read_is_a_medium_error():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(False, 0, 1)

    bench.end(errno.ENODATA)
    bench.end(errno.ENODATA)

    assert bench.outbox.completions == [command]
    assert command.sense == UNRECOVERED_READ_ERROR


@pytest.mark.parametrize(
    ("write", "error", "sense"),
    [
        (True, errno.EIO, COMMUNICATION_FAILURE),
        (False, errno.ENODEV, COMMUNICATION_FAILURE),
        (True, errno.ENODATA, WRITE_ERROR),
        (False, errno.EREMOTEIO, INTERNAL_TARGET_FAILURE),
    ],
)
def test_host_is_told_what_the_last_leg_says(write, error, sense):
    bench = Bench(STALE, IN_SYNC)
    command = bench.submit(write, 0, 1)

    bench.end(error)

    assert bench.outbox.completions == [command]
    assert (command.sense, bench.mirror.suspects) == (sense, {})


def test_failed_write_of_the_source_gives_up_the_copy():
    """The two legs may differ there, and the copy may have passed already."""
    bench = Bench(IN_SYNC, RESYNCING)
    bench.submit(True, 0, 1)

    bench.end(errno.EIO, leg=0)

    assert list(bench.mirror.suspects) == [1]


def test_command_waits_for_the_leg_to_be_dropped():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(True, 0, 1)
    bench.end(errno.EIO, leg=1)
    bench.end(leg=0)
    assert bench.outbox.completions == []
    assert bench.mirror.suspects == {1: "write: EIO"}

    bench.commit(2, IN_SYNC, STALE)

    assert (bench.outbox.completions, command.sense) == ([command], None)


def test_read_under_way_on_a_dropped_leg_is_asked_of_the_other():
    bench = Bench(IN_SYNC, IN_SYNC)
    command = bench.submit(False, 8, 1)
    (late,) = bench.outbox.leg_io
    bench.outbox.leg_io.clear()

    bench.commit(2, IN_SYNC, STALE)
    assert bench.issued() == [(0, False, 8, 1)]
    bench.mirror.leg_done(late, errno.EIO, 0)
    bench.end()

    assert (bench.outbox.completions, command.sense) == ([command], None)


def test_overlapping_writes_go_one_after_the_other():
    bench = Bench(IN_SYNC, STALE)
    first = bench.submit(True, 6, 4)
    second = bench.submit(True, 9, 2)
    apart = bench.submit(True, 12, 1)
    assert bench.issued() == [(0, True, 6, 4), (0, True, 12, 1)]

    bench.end()
    assert bench.issued() == [(0, True, 9, 2)]
    bench.end()

    assert bench.outbox.completions == [first, apart, second]


def test_commands_are_held_in_a_barrier_and_go_first_after_it():
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.mirror.proposal = UnitState("lu0", 2, (IN_SYNC, STALE))
    bench.submit(True, 0, 1)
    assert bench.issued() == []
    assert bench.mirror.drained()

    bench.commit(2, IN_SYNC, STALE)

    assert bench.issued() == [(0, True, 0, 1)]


def test_command_held_too_long_fails_and_is_never_run():
    """Past the kernel's time-out the host has sent it again: running it would be a ghost write."""
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.mirror.proposal = UnitState("lu0", 2, (IN_SYNC, STALE))
    command = bench.submit(True, 0, 1, now_ns=100)

    bench.mirror.tick(5000, leg_deadline_ns=400, command_deadline_ns=4000)
    bench.commit(2, IN_SYNC, STALE)

    assert (bench.outbox.completions, command.sense) == ([command], COMMUNICATION_FAILURE)
    assert bench.issued() == []


def test_leg_that_passes_its_deadline_is_suspected_but_the_last_one_is_not():
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.submit(True, 0, 1)
    bench.end(leg=0)
    bench.mirror.tick(2_000_001, leg_deadline_ns=2_000_000, command_deadline_ns=1 << 60)
    assert bench.mirror.suspects == {1: "no answer in 2 ms"}

    bench.commit(2, STALE, IN_SYNC)
    bench.mirror.tick(9_000_001, leg_deadline_ns=2_000_000, command_deadline_ns=1 << 60)

    assert bench.mirror.suspects == {}
