"""A leg that was away is taken back when it is the same leg, known, quiet and reached by both."""

import errno

import pytest
from core_bench import IN_SYNC, MS, RESYNCING, STALE, Bench, alone, key, pair

from reference_router.keys import ControlOp
from reference_router.messages import Enrolled, LegState

LONG_MS = 1000  # longer than the pause before a leg is tried again
STRANGERS = 0xDEADBEEF


def drop(bench: Bench, leg: int = 1, engine: int = 1) -> None:
    """Let a leg fail by a write to region 0, and be dropped."""
    bench.arrays[leg].error = errno.EIO
    bench.write(engine, 3, "x")
    bench.until(lambda: bench.unit(1).state.states[leg] is STALE)


def states(bench: Bench, engine: int = 1) -> tuple[LegState, ...]:
    return bench.unit(engine).state.states


def is_back(bench: Bench) -> bool:
    return states(bench) == (IN_SYNC, IN_SYNC)


def keeps_out(bench: Bench, leg: int = 1) -> bool:
    """Let the leg answer again, and tell whether it is left out all the same."""
    bench.arrays[leg].error, bench.arrays[leg].silent = 0, False
    bench.run(LONG_MS)
    return states(bench)[leg] is STALE


@pytest.mark.parametrize("make", [alone, pair])
@pytest.mark.parametrize("leg", [0, 1])
def test_leg_that_answers_again_comes_back_equal(make, leg):
    bench = make()
    drop(bench, leg)
    bench.write(1, 12, "meanwhile")
    bench.run()
    bench.arrays[leg].error = 0

    bench.until(lambda: is_back(bench))

    assert bench.arrays[0].blocks == bench.arrays[1].blocks
    assert bench.arrays[leg].blocks[12] == "meanwhile"


def test_leg_that_was_dropped_is_not_tried_again_at_once():
    """A leg that flaps would cost a barrier each time."""
    bench = alone()
    drop(bench)
    bench.arrays[1].error = 0
    began_ns = bench.now_ns

    bench.until(lambda: is_back(bench))

    assert bench.now_ns - began_ns >= 400 * MS


def test_leg_that_fails_again_and_again_is_tried_less_often():
    bench = alone()
    took = []
    for _ in range(3):
        drop(bench)
        bench.arrays[1].error = 0
        began_ns = bench.now_ns
        bench.until(lambda: is_back(bench), limit_ms=20_000)
        took.append(bench.now_ns - began_ns)

    assert took[1] > 1.5 * took[0]
    assert took[2] > 1.5 * took[1]


# Which leg


def test_leg_without_a_key_waits_to_be_attached():
    """An array that was replaced, or wiped: nobody has said that it may be written over."""
    bench = alone()
    drop(bench)
    bench.arrays[1].keys = {}
    assert keeps_out(bench)
    assert any("no key of the router: it waits" in note for note in bench.nodes[1].notes)

    bench.nodes[1].cluster.manage("lu0", 1, attach=True)

    bench.until(lambda: is_back(bench))


def test_leg_with_a_strangers_key_is_refused():
    bench = alone()
    drop(bench)
    bench.arrays[1].keys[9] = STRANGERS

    assert keeps_out(bench)

    assert any("somebody else's key" in note for note in bench.nodes[1].notes)
    assert bench.arrays[1].keys[9] == STRANGERS


def test_leg_that_was_detached_stays_out_until_it_is_attached():
    bench = pair()
    bench.nodes[2].cluster.manage("lu0", 1, attach=False)
    bench.until(lambda: states(bench, 2) == (IN_SYNC, STALE))
    assert keeps_out(bench)
    assert bench.arrays[1].keys == {}

    bench.nodes[2].cluster.manage("lu0", 1, attach=True)

    bench.until(lambda: is_back(bench))


def test_last_leg_in_sync_is_not_detached():
    bench = alone()
    drop(bench)

    bench.nodes[1].cluster.manage("lu0", 0, attach=False)
    bench.run(100)

    assert states(bench) == (IN_SYNC, STALE)


def test_leg_is_not_taken_back_when_the_engines_reach_different_ones():
    bench = pair()
    drop(bench)
    bench.nodes[2].cluster.reach("lu0", 1, available=True, identity="another")
    bench.run()

    assert keeps_out(bench)


@pytest.mark.parametrize("engine", [1, 2])
def test_leg_is_not_taken_back_while_one_engine_does_not_reach_it(engine):
    """It would come to be written by one of them only."""
    bench = pair()
    drop(bench)
    bench.run(100)
    bench.arrays[1].error = 0
    other = 3 - engine
    bench.nodes[other].cluster.reach("lu0", 1, available=True, identity="wwn-1")
    look, bench._look_for_legs = bench._look_for_legs, lambda _: None
    bench.run(LONG_MS)
    assert states(bench) == (IN_SYNC, STALE)

    bench._look_for_legs = look

    bench.until(lambda: is_back(bench))


# Old I/O


@pytest.mark.parametrize("engine", [1, 2])
def test_leg_is_not_taken_back_while_old_io_of_either_engine_is_under_way(engine):
    """A late write would land on what the resync has copied. Hosts go on."""
    bench = pair()
    bench.arrays[1].silent = True
    bench.write(engine, 3, "late")
    bench.until(lambda: states(bench) == (IN_SYNC, STALE))
    outbox = bench.nodes[engine].outbox
    stuck = [io for io in outbox.leg_io if io.abandoned]
    assert stuck
    outbox.leg_io[:] = []  # the array speaks again, but not of this one
    assert keeps_out(bench)
    new = bench.write(1, 3, "new")
    bench.run()
    assert bench.is_done(new)

    outbox.leg_io += stuck

    bench.until(lambda: is_back(bench))
    assert bench.arrays[1].blocks[3] == "new"


# What is copied


def copied(bench: Bench) -> int:
    bench.arrays[1].error = 0
    before = bench.unit(1).copier.copied_regions
    bench.until(lambda: is_back(bench))
    return bench.unit(1).copier.copied_regions - before


def test_only_what_a_leg_lacks_is_copied_if_it_is_as_it_was_left():
    bench = alone()
    drop(bench)
    bench.write(1, 40, "meanwhile")
    bench.run()

    assert copied(bench) == 2


@pytest.mark.parametrize(
    "found",
    [
        pytest.param({1: key(1, 0)}, id="it was a copy's target when it left"),
        pytest.param({2: key(2, 9)}, id="others have used it since"),
        pytest.param({1: key(1, 0), 2: key(2, 0)}, id="its keys say nothing"),
    ],
)
def test_all_is_copied_if_the_leg_is_not_as_it_was_left(found):
    bench = alone()
    drop(bench)
    bench.arrays[1].keys = found

    assert copied(bench) == 8


def test_all_is_copied_to_a_blank_leg_that_was_attached():
    bench = alone()
    drop(bench)
    bench.arrays[1].keys = {}
    keeps_out(bench)
    bench.nodes[1].cluster.manage("lu0", 1, attach=True)

    assert copied(bench) == 8


def test_leg_that_leaves_in_its_resync_lacks_what_was_not_copied_yet():
    bench = alone(rate_bytes_per_s=8 * 512 * 50)  # a region in 20 ms
    drop(bench)
    for region in range(8):
        bench.write(1, 8 * region, "meanwhile")
    bench.run()
    bench.arrays[1].error = 0
    bench.until(lambda: len(bench.unit(1).mirror.dirty[1]) == 4)

    drop(bench)
    before = len(bench.unit(1).mirror.dirty[1])
    assert copied(bench) == before
    assert 4 <= before <= 5
    assert bench.arrays[0].blocks == bench.arrays[1].blocks


def test_survivor_of_the_leader_knows_what_a_leg_lacks():
    """The follower has kept the same map."""
    bench = pair()
    drop(bench)
    bench.write(1, 40, "meanwhile")
    bench.run()
    bench.kill(1)
    bench.arrays[1].error = 0

    bench.until(lambda: bench.unit(2).state.states == (IN_SYNC, IN_SYNC), limit_ms=20_000)

    assert bench.unit(2).copier.copied_regions <= 3
    assert bench.arrays[0].blocks == bench.arrays[1].blocks


def test_newcomer_is_told_what_a_leg_lacks():
    bench = alone()
    drop(bench)
    bench.start(2)
    bench.meet()
    bench.until(lambda: bench.unit(2).serves)

    assert list(bench.unit(2).mirror.dirty[1]) == [0]
    assert bench.unit(2).admission.left == bench.unit(1).admission.left


# Keys


def test_keys_of_the_leg_say_that_it_is_not_whole_before_it_is_written():
    """Died in its resync, it must never be taken for the newest."""
    bench = pair(rate_bytes_per_s=8 * 512 * 50)
    drop(bench)
    for region in range(8):
        bench.write(1, 8 * region, "meanwhile")
    bench.run()
    bench.arrays[1].error = 0

    bench.until(lambda: states(bench) == (IN_SYNC, RESYNCING))

    assert bench.arrays[1].keys == {1: key(1, 0), 2: key(2, 0)}


def test_leg_is_used_only_when_both_engines_are_registered():
    """Else a write of one of them would be refused."""
    bench = pair()
    drop(bench)
    bench.arrays[1].error = 0
    bench.stops_at = lambda _, message: isinstance(message, Enrolled)
    bench.until(lambda: any(isinstance(each, Enrolled) for each in bench.nodes[2].outbox.messages))
    bench.run(200)
    assert states(bench) == (IN_SYNC, STALE)

    bench.stops_at = lambda _, __: False

    bench.until(lambda: is_back(bench))


def test_engine_that_left_while_the_leg_was_away_has_its_key_removed_there():
    """Its late writes could land there else."""
    bench = pair()
    drop(bench)
    bench.kill(2)
    bench.run(100)
    assert 2 in bench.arrays[1].keys
    bench.arrays[1].done.clear()
    bench.arrays[1].error = 0

    bench.until(lambda: is_back(bench))

    assert 2 not in bench.arrays[1].keys
    assert (1, ControlOp.PREEMPT_AND_ABORT) in bench.arrays[1].done


def test_leg_that_does_not_answer_the_survey_is_tried_again():
    bench = alone()
    drop(bench)
    bench.nodes[1].cluster.reach("lu0", 1, available=True, identity="wwn-1")
    bench.arrays[1].error, bench.arrays[1].silent = 0, True
    look, bench._look_for_legs = bench._look_for_legs, lambda _: None
    bench.run(3000)
    assert any("leg B is not taken back yet: no answer" in each for each in bench.nodes[1].notes)

    bench.arrays[1].silent, bench._look_for_legs = False, look

    bench.until(lambda: is_back(bench))
