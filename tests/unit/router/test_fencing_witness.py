"""Engines that have lost each other and have a witness: who goes on when a leg does not answer."""

import errno

import pytest
from core_bench import IN_SYNC, STALE, TIMING, Bench, is_settled, pair

from reference_router.messages import Prepared
from reference_router.scsi import COMMUNICATION_FAILURE, check_condition

NOT_READY = check_condition(COMMUNICATION_FAILURE)
LIMIT_MS = 4 * TIMING.leg_deadline_ns // 1_000_000


def alone(bench: Bench) -> list[int]:
    """Return the engines that go on without the other one."""
    return [each for each in bench.nodes if bench.unit(each).state.members == (each,)]


@pytest.mark.parametrize("leg", [0, 1])
@pytest.mark.parametrize("gone", [1, 2])
def test_site_that_is_left_goes_on_by_the_vote(gone, leg):
    """An engine and an array go dark at once: that an engine is dead, nobody can prove."""
    bench = pair(witness=True)
    bench.arrays[leg].silent = True
    bench.nodes[gone].hung = True
    bench.cut(tell=(3 - gone,))
    write = bench.write(3 - gone, 3, "x")

    bench.run(500)

    assert alone(bench) == [3 - gone]
    assert bench.unit(3 - gone).state.states[leg] is STALE
    assert bench.is_done(write)


def test_two_sites_with_an_array_each_do_not_both_go_on():
    bench = pair(witness=True)
    bench.arrays[0].cut_off = {2}
    bench.arrays[1].cut_off = {1}
    bench.cut()
    writes = {engine: bench.write(engine, 3, f"of {engine}") for engine in (1, 2)}

    bench.run(200 + 2 * LIMIT_MS)

    (winner,) = alone(bench)
    assert bench.is_done(writes[winner])
    assert writes[3 - winner].response == NOT_READY  # soon: its hosts look elsewhere

    bench.arrays[0].cut_off = bench.arrays[1].cut_off = set()
    bench.meet()
    bench.until(lambda: all(is_settled(bench.unit(each)) for each in (1, 2)), limit_ms=20_000)
    bench.until(lambda: bench.unit(winner).state.states == (IN_SYNC, IN_SYNC), limit_ms=20_000)
    assert [array.blocks[3] for array in bench.arrays] == [f"of {winner}"] * 2


def test_engine_with_the_tie_break_leg_alone_needs_the_vote_too():
    """Without a witness leg A would be enough; the other site may have the vote."""
    bench = pair(witness=True)
    bench.arrays[1].silent = True
    bench.part_from_witness(1)
    bench.nodes[2].hung = True
    bench.cut(tell=(1,))

    bench.run(1000)
    assert alone(bench) == []
    bench.meet_witness(1)
    bench.run(200)

    assert alone(bench) == [1]


def test_all_legs_are_won_without_the_witness():
    bench = pair(witness=True)
    for engine in (1, 2):
        bench.part_from_witness(engine)
    bench.cut()

    bench.run(100)

    assert len(alone(bench)) == 1


def test_vote_does_not_stand_for_the_only_leg_that_the_peer_may_need():
    """The follower said Prepared to a state without leg A: it needs leg B, and nothing else."""
    bench = pair(witness=True)
    bench.stops_at = lambda _, message: isinstance(message, Prepared)
    bench.arrays[0].error = errno.EIO
    bench.write(1, 3, "x")
    bench.run(20)
    assert bench.unit(2).barrier.prepared

    bench.arrays[1].cut_off = {1}
    bench.cut()
    bench.run(1000)

    assert alone(bench) == [2]
    bench.arrays[1].cut_off = set()
    bench.run(1000)
    assert alone(bench) == [2]


def test_engine_with_the_vote_and_no_leg_gives_it_back():
    """Engine 2 is first at the witness, and reaches no array; engine 1 has array A."""
    bench = pair(witness=True)
    bench.arrays[0].cut_off = {2}
    bench.arrays[1].silent = True
    bench.nodes[1].hung = True
    bench.cut(tell=(2,))
    bench.until(lambda: bench.unit(2).vote.held, limit_ms=500)

    bench.nodes[1].hung = False
    bench.cut(tell=(1,))
    bench.until(lambda: alone(bench) == [1], limit_ms=2000)

    bench.arrays[0].cut_off = set()
    bench.run(500)
    assert alone(bench) == [1]


def test_next_membership_has_a_vote_of_its_own():
    """Engine 2 went on by the vote; they meet again; then engine 1 needs it."""
    bench = pair(witness=True)
    bench.arrays[0].silent = True
    bench.cut()
    bench.nodes[1].hung = True
    bench.until(lambda: alone(bench) == [2], limit_ms=1000)
    bench.arrays[0].silent = False
    bench.nodes[1].hung = False
    bench.run(500)
    bench.meet()
    bench.until(lambda: all(is_settled(bench.unit(each)) for each in (1, 2)), limit_ms=20_000)
    bench.until(lambda: bench.unit(2).state.states == (IN_SYNC, IN_SYNC), limit_ms=20_000)

    bench.arrays[1].silent = True
    bench.nodes[2].hung = True
    bench.cut(tell=(1,))
    bench.run(1000)

    assert alone(bench) == [1]


def test_answer_that_got_lost_is_asked_for_again():
    bench = pair(witness=True)
    bench.rulings_arrive = False
    bench.arrays[0].silent = True
    bench.nodes[1].hung = True
    bench.cut(tell=(2,))
    bench.run(200)
    assert alone(bench) == []
    bench.part_from_witness(2)
    bench.rulings_arrive = True
    bench.meet_witness(2)

    bench.run(300)

    assert alone(bench) == [2]


def test_witness_that_does_not_answer_is_given_up_and_greeted_anew():
    bench = pair(witness=True)
    node = bench.nodes[1]
    assert node.cluster.witness.linked
    bench.run(2000)
    assert not node.outbox.refuse_witness

    silent_ms = TIMING.peer_timeout_ns // 1_000_000 + 1
    node.cluster.tick(bench.now_ns + silent_ms * 1_000_000)

    assert "silent" in node.outbox.refuse_witness


def test_stopping_engine_does_not_go_on_by_the_vote():
    bench = pair(witness=True)
    bench.stops_at = lambda *_: True
    bench.arrays[0].silent = True
    bench.nodes[2].cluster.stop()
    bench.nodes[1].hung = True
    bench.cut(tell=(2,))

    bench.run(1000)

    assert alone(bench) == []
