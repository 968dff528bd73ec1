"""What a fault costs hosts: no error, and nothing that was acknowledged, whatever fails."""

import errno

import pytest
from core_bench import BLOCKS, IN_SYNC, MS, RESYNCING, STALE, TIMING, Bench, alone, is_settled, pair
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_router.commands import Command, Op
from reference_router.messages import LegState
from reference_router.scsi import COMMUNICATION_FAILURE, check_condition
from reference_router.unit import Phase

SLOW = 8 * 512 * 10  # bytes per second: a region in 100 ms


def states(bench: Bench, engine: int = 1) -> tuple[LegState, ...]:
    return bench.unit(engine).state.states


def is_whole(bench: Bench) -> bool:
    """Tell whether both engines serve with both legs, and nothing is left to do."""
    units = [node.unit for node in bench.nodes.values()]
    return len(units) == 2 and all(
        is_settled(each) and each.state.states == (IN_SYNC, IN_SYNC) for each in units
    )


# Arrays


@pytest.mark.parametrize("leg", [0, 1])
@pytest.mark.parametrize("engine", [1, 2])
def test_dead_array_is_dropped_without_an_error(leg, engine):
    bench = pair()
    bench.arrays[leg].error = errno.EIO

    commands = [bench.write(engine, 3, "x"), bench.submit(engine, Op.READ, 8 * leg)]
    bench.run(20)

    assert all(bench.is_done(each) for each in commands)
    assert states(bench, 1) == states(bench, 2)
    assert states(bench)[leg] is STALE


@pytest.mark.parametrize("leg", [0, 1])
def test_hung_array_is_dropped_at_its_deadline(leg):
    bench = pair()
    bench.arrays[leg].silent = True
    command = bench.write(2, 3, "x")

    bench.run(TIMING.leg_deadline_ns // MS)
    assert not bench.is_done(command)
    bench.run(60)

    assert bench.is_done(command)
    assert states(bench, 2)[leg] is STALE


def test_late_write_of_a_hung_array_is_overwritten_before_it_is_read():
    bench = pair()
    bench.arrays[0].silent = True
    bench.write(2, 3, "late")
    bench.until(lambda: states(bench)[0] is STALE)
    bench.write(1, 3, "new")
    bench.run()

    bench.arrays[0].silent = False
    bench.until(lambda: is_whole(bench))

    assert [array.blocks[3] for array in bench.arrays] == ["new", "new"]


@pytest.mark.parametrize("first", [0, 1])
def test_last_leg_in_sync_is_never_dropped(first):
    """With both arrays dead hosts get errors; when they are back, nothing is lost."""
    bench = pair()
    bench.arrays[first].error = errno.EIO
    bench.write(1, 3, "acknowledged")
    bench.run(40)
    bench.arrays[1 - first].error = errno.EIO

    failed = bench.write(2, 11, "x")
    bench.run(200)
    assert failed.response == check_condition(COMMUNICATION_FAILURE)
    assert states(bench)[1 - first] is IN_SYNC

    bench.arrays[0].error = bench.arrays[1].error = 0
    bench.until(lambda: is_whole(bench), limit_ms=20_000)
    assert [array.blocks[3] for array in bench.arrays] == ["acknowledged"] * 2


@pytest.mark.parametrize("fault", ["error", "silent"])
def test_both_arrays_failing_at_once_leaves_one_in_sync(fault):
    bench = pair()
    for array in bench.arrays:
        array.error = errno.EIO if fault == "error" else 0
        array.silent = fault == "silent"

    bench.write(1, 3, "x")
    bench.write(2, 11, "x")
    bench.run(500)

    assert states(bench, 1) == states(bench, 2)
    assert states(bench).count(IN_SYNC) >= 1


def test_writes_during_a_resync_reach_both_legs():
    bench = pair(rate_bytes_per_s=SLOW)
    bench.arrays[0].error = errno.EIO
    for region in range(8):
        bench.write(1, 8 * region, "before")
    bench.until(lambda: states(bench)[0] is STALE)
    bench.arrays[0].error = 0
    bench.until(lambda: states(bench)[0] is RESYNCING)

    number = 0
    while not is_whole(bench):
        number += 1
        for engine in (1, 2):
            command = bench.write(engine, (number * 7 + engine * 3) % BLOCKS, number)
            bench.run(20)
            assert bench.is_done(command)

    assert number > 5
    assert bench.arrays[0].blocks == bench.arrays[1].blocks


# Engines


@pytest.mark.parametrize("dies", [1, 2])
def test_restarted_engine_comes_back_as_a_follower(dies):
    bench = pair()
    bench.kill(dies)
    bench.run(100)
    bench.start(dies)
    bench.meet()

    bench.until(lambda: is_whole(bench))

    assert bench.unit(3 - dies).leads


def test_engine_that_was_left_behind_serves_nothing_before_its_peer_told_it():
    """Engine 2 went on alone and wrote; engine 1, started first, must not serve what is older."""
    bench = pair()
    bench.kill(1)
    bench.write(2, 3, "new")
    bench.run(100)
    del bench.nodes[2]

    bench.start(1, cold_start=True)
    bench.run(2000)
    assert bench.unit(1).phase is Phase.STARTING
    assert bench.unit(1).starting.assessment.operator

    bench.start(2)
    bench.meet()
    bench.until(lambda: is_whole(bench))
    assert bench.unit(2).leads
    assert bench.arrays[0].blocks[3] == bench.arrays[1].blocks[3] == "new"


def test_both_engines_lost_cost_no_operator():
    """Each was a member to the end; legs are compared, for writes may have reached one only."""
    bench = pair()
    bench.write(2, 3, "x")
    bench.run()
    bench.nodes.clear()
    bench.linked = False
    bench.arrays[1].blocks[3] = "half"

    bench.start(1)
    bench.run(10)
    bench.start(2)
    bench.run(10)
    bench.meet()
    bench.until(lambda: is_whole(bench) and not bench.unit(1).mirror.repairs)

    assert bench.arrays[0].blocks == bench.arrays[1].blocks


def test_array_that_is_away_holds_up_a_start_until_the_operator_forces_it():
    bench = alone()
    del bench.nodes[1]
    bench.arrays[0].silent = True
    bench.start(1)
    bench.run(1000)
    assert bench.unit(1).phase is Phase.STARTING

    bench.start(1, force=True)
    bench.until(lambda: bench.unit(1).serves)

    assert states(bench) == (STALE, IN_SYNC)


def test_array_that_was_away_at_a_forced_start_is_copied_to_as_a_whole():
    """Nobody remembers what it lacks."""
    bench = alone()
    bench.nodes[1].cluster.stop()
    bench.until(lambda: bench.nodes[1].cluster.stopped)
    bench.arrays[0].silent = True
    bench.start(1, force=True)
    bench.until(lambda: bench.unit(1).serves)

    bench.arrays[0].silent = False
    bench.until(lambda: states(bench) == (IN_SYNC, IN_SYNC))

    assert bench.unit(1).copier.copied_regions == 8


# Any faults


class Host:
    """Writes a block again only when it knows of the write before; believes what it was told."""

    def __init__(self) -> None:
        self.known: dict[int, object] = {}
        self.open: dict[int, list[Command]] = {}
        self.reads: list[tuple[Command, set[object]]] = []
        self.number = 0

    def write(self, bench: Bench, engine: int, lba: int) -> None:
        if not self.open.get(lba):
            self.number += 1
            self.open[lba] = [bench.write(engine, lba, self.number)]

    def read(self, bench: Bench, engine: int, lba: int) -> None:
        allowed = {self.known.get(lba, 0), *(each.token for each in self.open.get(lba, ()))}
        command = bench.submit(engine, Op.READ, lba)
        self.reads.append((command, allowed))

    def look(self, bench: Bench) -> None:
        """Take what was answered. A write that failed, or died, may have happened or not."""
        for lba, commands in self.open.items():
            for command in [each for each in commands if bench.is_done(each)]:
                self.known[lba] = command.token
                commands.remove(command)
        for command, allowed in self.reads:
            if bench.is_done(command):
                ((lba, (value,)),) = command.pieces
                later = {each.token for each in self.open.get(lba, ())} | {self.known.get(lba, 0)}
                assert value in allowed | later, f"block {lba}: read {value}, not in {allowed}"
        self.reads = [each for each in self.reads if not bench.is_done(each[0])]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 2), st.integers(0, 23)),
        st.tuples(st.just("read"), st.integers(1, 2), st.integers(0, 23)),
        st.tuples(st.just("step"), st.integers(1, 2), st.just(0)),
        st.tuples(st.just("time"), st.just(0), st.sampled_from((20, 100, 400, 1000))),
        st.tuples(st.sampled_from(("error", "silent", "mend")), st.integers(0, 1), st.just(0)),
        st.tuples(st.sampled_from(("kill", "start")), st.integers(1, 2), st.just(0)),
        st.tuples(st.sampled_from(("cut", "meet")), st.just(0), st.just(0)),
    ),
    max_size=25,
)


def strike(bench: Bench, fault: str, which: int, ms: int) -> None:
    match fault:
        case "time":
            bench.run(ms)
        case "step" if which in bench.nodes:
            bench.step(which, controls=1)
        case "error":
            bench.arrays[which].error = errno.EIO
        case "silent":
            bench.arrays[which].silent = True
        case "mend":
            bench.arrays[which].error, bench.arrays[which].silent = 0, False
        case "kill" if len(bench.nodes) == 2:
            bench.kill(which)
        case "start" if which not in bench.nodes:
            bench.start(which)
        case "cut":
            bench.cut()
        case "meet" if not bench.linked and len(bench.nodes) == 2:
            bench.meet()


def heal(bench: Bench) -> None:
    """Mend what is broken, and let the engines come together again."""
    for leg in (0, 1):
        strike(bench, "mend", leg, 0)
    for engine in (1, 2):
        strike(bench, "start", engine, 0)
    for _ in range(300):
        bench.run(200)
        strike(bench, "meet", 0, 0)
        if is_whole(bench) and not bench.unit(1).mirror.repairs:
            return
    raise AssertionError(
        f"not whole after a minute: {[each.notes for each in bench.nodes.values()]}"
    )


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_nothing_acknowledged_is_lost_and_nothing_old_is_read_under_any_faults(steps):
    bench, host = pair(), Host()
    for name, which, number in steps:
        if name == "write" and which in bench.nodes:
            host.write(bench, which, number)
        elif name == "read" and which in bench.nodes:
            host.read(bench, which, number)
        else:
            strike(bench, name, which, number)
        host.look(bench)
    heal(bench)
    host.look(bench)

    assert bench.arrays[0].blocks == bench.arrays[1].blocks
    for lba, value in host.known.items():
        maybe = {each.token for each in host.open.get(lba, ())}
        assert bench.arrays[0].blocks[lba] in {value, *maybe}
