"""Engines that have lost each other: one goes on, and only one, whatever came before."""

import errno

import pytest
from core_bench import BLOCKS, IN_SYNC, MS, STALE, TIMING, Bench, is_settled, pair
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_router.commands import Op
from reference_router.messages import Commit, Prepare, Prepared, Suspect
from reference_router.scsi import COMMUNICATION_FAILURE, check_condition

NOT_READY = check_condition(COMMUNICATION_FAILURE)
STAGES = st.sampled_from((None, Suspect, Prepare, Prepared, Commit))


def alone(bench: Bench) -> list[int]:
    """Return the engines that go on without the other one."""
    return [each for each in bench.nodes if bench.unit(each).state.members == (each,)]


@settings(max_examples=60, deadline=None)
@given(
    leg=st.integers(0, 1),
    fault=st.sampled_from(("none", "silent", "error", "path")),
    late=st.sets(st.tuples(st.integers(1, 2), st.integers(0, 1)), max_size=2),
    stage=STAGES,
    order=st.lists(st.sampled_from((1, 2)), max_size=30),
    witness=st.booleans(),
    parted=st.sets(st.integers(1, 2)),
)
def test_of_two_that_lost_each_other_exactly_one_goes_on(
    leg, fault, late, stage, order, witness, parted
):
    """The link is lost at any stage of dropping a leg, and the race is run in any order.

    `late` are paths from an engine to an array that are lost with the link; engines `parted` do not
    reach the witness for as long.
    """
    bench = pair(witness=witness)
    bench.stops_at = lambda _, message: stage is not None and isinstance(message, stage)
    bench.arrays[leg].silent = fault == "silent"
    bench.arrays[leg].error = errno.EIO if fault == "error" else 0
    bench.arrays[leg].cut_off = {2} if fault == "path" else set()
    bench.write(1, 3, "before")
    bench.write(2, 11, "before")
    bench.run(0 if fault == "none" else 150)

    bench.cut()
    for engine, array in late:
        bench.arrays[array].cut_off.add(engine)
    for engine in parted if witness else ():
        bench.part_from_witness(engine)
    for engine in order:
        bench.step(engine, controls=1)
        assert len(alone(bench)) < 2
    for _ in range(20):
        bench.run(20)
        assert len(alone(bench)) < 2
    for array in bench.arrays:
        array.silent, array.error, array.cut_off = False, 0, set()
    for engine in parted if witness else ():
        bench.meet_witness(engine)
    bench.until(lambda: len(alone(bench)) == 1)
    bench.run(500)
    (winner,) = alone(bench)

    write = bench.write(winner, 3, "after")
    bench.run()
    assert bench.is_done(write)
    bench.stops_at = lambda _, __: False
    bench.meet()
    bench.until(lambda: all(is_settled(bench.unit(each)) for each in (1, 2)), limit_ms=20_000)
    bench.until(lambda: bench.unit(winner).state.states == (IN_SYNC, IN_SYNC), limit_ms=20_000)
    assert bench.arrays[0].blocks == bench.arrays[1].blocks
    assert bench.arrays[0].blocks[3] == "after"


@pytest.mark.parametrize("first", [1, 2])
def test_who_is_first_at_the_tie_break_leg_goes_on(first):
    bench = pair()
    bench.cut()
    for _ in range(4):
        bench.step(first, controls=1)

    bench.run(100)

    assert alone(bench) == [first]
    assert list(bench.arrays[0].keys) == list(bench.arrays[1].keys) == [first]


def test_race_costs_hosts_of_the_winner_no_error_and_those_of_the_loser_a_not_ready():
    bench = pair()
    bench.cut()
    writes = {engine: bench.write(engine, 3 + engine, "x") for engine in (1, 2)}

    bench.run(100)

    (winner,) = alone(bench)
    assert bench.is_done(writes[winner])
    assert writes[3 - winner].response == NOT_READY


def test_hung_engine_that_wakes_up_writes_nothing_and_answers_nothing_good():
    bench = pair()
    bench.write(2, 3, "lease")
    bench.run()
    late = bench.write(2, 3, "late")
    bench.nodes[2].hung = True
    assert bench.nodes[2].outbox.leg_io
    bench.cut(tell=(1,))
    bench.run(100)
    assert alone(bench) == [1]
    new = bench.write(1, 3, "new")
    bench.run()
    assert bench.is_done(new)

    bench.nodes[2].hung = False
    bench.run(1000)

    assert late.response == NOT_READY
    assert [array.blocks[3] for array in bench.arrays] == ["new", "new"]


def test_loser_comes_back_as_a_newcomer():
    bench = pair()
    bench.cut()
    bench.run(100)
    (winner,) = alone(bench)

    bench.meet()

    bench.until(lambda: all(is_settled(bench.unit(each)) for each in (1, 2)))
    assert bench.unit(winner).leads


def test_loser_comes_back_only_when_its_old_io_has_ended():
    """Registered again, a late write of its former life would land."""
    bench = pair()
    bench.write(2, 3, "first")
    bench.run()
    bench.write(2, 3, "late")
    bench.nodes[2].hung = True
    bench.cut(tell=(1,))
    bench.run(100)
    bench.nodes[2].hung = False
    outbox = bench.nodes[2].outbox
    stuck, outbox.leg_io[:] = list(outbox.leg_io), []
    bench.cut(tell=(2,))
    bench.meet()
    bench.run(1000)
    assert stuck
    assert not bench.unit(2).serves

    outbox.leg_io += stuck
    bench.until(lambda: bench.unit(2).serves)

    assert [array.blocks[3] for array in bench.arrays] == ["first", "first"]


def test_nobody_goes_on_while_the_tie_break_leg_is_out_of_reach():
    """Else each could win on the legs that it reaches. Hosts wait; none gets an error yet."""
    bench = pair()
    bench.arrays[0].silent = True
    bench.cut()
    write = bench.write(1, 3, "x")

    bench.run(1500)
    assert alone(bench) == []
    assert write.response is None
    bench.arrays[0].silent = False
    bench.run(500)

    assert len(alone(bench)) == 1


def test_leader_counts_the_tie_break_of_a_state_that_its_follower_may_have_taken():
    """The follower said Prepared to a state without leg A: leg B is its tie-break by then."""
    bench = pair()
    bench.stops_at = lambda _, message: isinstance(message, Prepared)
    bench.arrays[0].error = errno.EIO
    bench.write(1, 3, "x")
    bench.run(20)
    assert bench.unit(2).barrier.prepared

    bench.cut()
    bench.arrays[1].cut_off = {1}
    bench.run(1000)

    assert alone(bench) == [2]
    bench.arrays[1].cut_off = set()
    bench.run(1000)
    assert alone(bench) == [2]


def test_leg_that_is_no_tie_break_and_does_not_answer_is_left_out():
    bench = pair()
    bench.arrays[1].silent = True
    bench.cut()

    bench.run(1000)

    (winner,) = alone(bench)
    assert bench.unit(winner).state.states == (IN_SYNC, STALE)


@pytest.mark.parametrize("dies", [1, 2])
def test_survivor_of_a_dead_engine_leaves_out_a_leg_that_is_no_tie_break(dies):
    bench = pair()
    bench.arrays[1].silent = True

    bench.kill(dies)
    bench.run(1000)

    assert alone(bench) == [3 - dies]
    assert bench.unit(3 - dies).state.states == (IN_SYNC, STALE)


def test_death_is_no_proof_that_the_dead_one_had_not_gone_on_alone():
    """Engine 1 goes on with leg A, which engine 2 has lost; then it dies, and 2 learns of that."""
    bench = pair()
    bench.arrays[0].cut_off = {2}
    bench.arrays[1].cut_off = {1}
    bench.cut()
    bench.run(500)
    assert alone(bench) == [1]
    write = bench.write(1, 3, "acknowledged")
    bench.run()
    assert bench.is_done(write)

    bench.nodes[2].cluster.peer.dead = True
    del bench.nodes[1]
    bench.run(1000)
    assert alone(bench) == []

    bench.arrays[0].cut_off = bench.arrays[1].cut_off = set()
    bench.start(1)
    bench.meet()
    bench.until(lambda: all(is_settled(bench.unit(each)) for each in (1, 2)), limit_ms=20_000)
    assert bench.arrays[0].blocks[3] == "acknowledged"


def test_survivor_goes_on_at_once():
    bench = pair()
    bench.kill(1)
    bench.run()

    assert bench.unit(2).serves
    assert alone(bench) == [2]


def test_tie_break_leg_is_waited_for_even_if_the_peer_is_dead():
    bench = pair()
    bench.arrays[0].silent = True
    bench.kill(1)
    bench.run(1000)
    assert alone(bench) == []

    bench.arrays[0].silent = False
    bench.run(1000)

    assert alone(bench) == [2]


def test_survivor_repairs_where_the_dead_engine_may_have_been_writing_and_nowhere_else():
    """A write of the dead one may have reached one leg only."""
    bench = pair()
    bench.write(2, 3, "x")
    bench.write(2, 20, "x")
    bench.write(1, 40, "x")
    bench.run()
    bench.arrays[1].blocks[3] = "half"

    bench.kill(2)
    bench.until(lambda: bench.unit(1).idle)

    assert bench.arrays[0].blocks == bench.arrays[1].blocks
    assert bench.unit(1).copier.copied_regions == 2


def test_write_under_way_of_the_survivor_is_answered_after_the_race():
    bench = pair()
    bench.write(1, 0, "lease")
    bench.run()
    bench.arrays[1].silent = True
    write = bench.write(1, 3, "x")
    bench.run()
    assert not bench.is_done(write)

    bench.kill(2)
    bench.arrays[1].silent = False
    bench.run(100)

    assert bench.is_done(write)
    assert [array.blocks[3] for array in bench.arrays] == ["x", "x"]


def test_engine_alone_whose_write_is_refused_looks_whether_another_one_goes_on():
    """A reservation conflict says that its key is gone: an operator forced the other one."""
    bench = pair()
    bench.kill(2)
    bench.run(500)
    for array in bench.arrays:
        array.keys = {2: array.keys[1] ^ 3 << 44}
    write = bench.write(1, 3, "x")

    bench.run(500)

    assert write.response == NOT_READY
    assert not bench.unit(1).serves
    assert [array.blocks[3] for array in bench.arrays] == [0, 0]


def test_reads_of_the_loser_are_not_answered_from_what_is_old():
    """It reads on until it knows; what it read may be old by then, so it is not told."""
    bench = pair()
    bench.cut(tell=(1,))
    bench.run(TIMING.lease_ns // MS + 100)
    assert alone(bench) == [1]
    bench.write(1, 3, "new")
    bench.run()

    read = bench.submit(2, Op.READ, 3, 1)
    bench.run(1000)

    assert read.response == NOT_READY
    assert bench.arrays[0].blocks.count("new") == 1
    assert len(bench.arrays[0].blocks) == BLOCKS


def test_leader_that_had_let_the_other_go_may_have_written_anywhere():
    """The other does not know that it was let go, when it finds the leader gone."""
    bench = pair()
    bench.stops_at = lambda _, message: isinstance(message, Commit)
    bench.nodes[2].cluster.stop()
    while bench.unit(1).state.members != (1,):  # and no further: its housekeeping takes 2's key
        for number in (1, 2):
            bench.step(number)

    bench.kill(1)
    bench.until(lambda: bench.unit(2).state.members == (2,))

    unit = bench.unit(2)
    assert unit.copier.copied_regions + len(unit.mirror.repairs) == unit.mirror.regions
