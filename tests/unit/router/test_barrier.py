"""A barrier: both hold and drain, then the epoch is recorded, then the new state holds in both."""

import errno

import pytest
from core_bench import IN_SYNC, MS, RESYNCING, STALE, TIMING, Bench, alone, key, pair

from reference_router.barrier import in_sync
from reference_router.commands import Op
from reference_router.keys import unpack
from reference_router.messages import Commit, Prepare, Prepared, Suspect, UnitState
from reference_router.scsi import COMMUNICATION_FAILURE, GOOD, check_condition
from reference_router.service import ServiceRequest

RESERVE_6 = bytes((0x16, 0, 0, 0, 0, 0))


def stop_at(bench: Bench, kind: type | None) -> None:
    """Let messages of a kind not arrive, nor what comes behind them; None: let all arrive."""
    bench.stops_at = lambda _, message: kind is not None and isinstance(message, kind)


def reserve(bench: Bench, engine: int) -> None:
    """Begin a barrier that changes no leg."""
    request = ServiceRequest(host="alpha", engine=engine, cdb=RESERVE_6)
    bench.nodes[engine].cluster.ask("lu0", request, "token", bench.now_ns)


def recorded(bench: Bench, leg: int) -> dict[int, int]:
    """Return the epochs in the keys of a leg, by engine."""
    known = {engine: unpack(each) for engine, each in bench.arrays[leg].keys.items()}
    return {engine: each.epoch for engine, each in known.items() if each is not None}


def fail(bench: Bench, leg: int, engine: int = 1) -> None:
    """Let a write fail on a leg, and with it the leg."""
    bench.arrays[leg].error = errno.EIO
    bench.write(engine, 3, "x")


# In order


def test_nothing_is_recorded_before_the_follower_has_drained():
    """A follower that dies before has left the old state in force, and knows it."""
    bench = pair()
    before = recorded(bench, 0)
    stop_at(bench, Prepared)

    reserve(bench, 1)
    bench.run(40)
    assert recorded(bench, 0) == before
    stop_at(bench, None)
    bench.run()

    assert recorded(bench, 0)[1] == before[1] + 1


def test_follower_says_prepared_only_when_its_writes_have_ended():
    bench = pair()
    bench.arrays[1].silent = True
    bench.write(2, 3, "x")
    bench.run()
    reserve(bench, 1)
    bench.run(40)
    assert not any(isinstance(each, Prepared) for _, each in bench.sent)

    bench.arrays[1].silent = False
    bench.run()

    assert any(isinstance(each, Prepared) for _, each in bench.sent)


@pytest.mark.parametrize("engine", [1, 2])
def test_commands_wait_for_the_end_of_a_barrier_and_none_fails(engine):
    bench = pair()
    bench.write(engine, 3, "lease")
    bench.run()
    stop_at(bench, Prepared)
    reserve(bench, 1)
    bench.run(40)

    command = bench.submit(engine, Op.READ, 3)
    bench.run(40)
    assert not bench.is_done(command)
    stop_at(bench, None)
    bench.run()

    assert bench.is_done(command)
    assert command.pieces == [(3, ["lease"])]


def test_both_engines_are_in_the_same_state_afterwards():
    bench = pair()
    fail(bench, 1)
    bench.run(100)

    assert bench.unit(1).state == bench.unit(2).state
    assert bench.unit(1).mirror.states == bench.unit(2).mirror.states == (IN_SYNC, STALE)


def test_follower_has_a_leg_dropped_by_its_leader():
    bench = pair()

    fail(bench, 0, engine=2)
    bench.run(100)

    assert (2, Suspect) in [(sender, type(each)) for sender, each in bench.sent]
    assert bench.unit(2).state.states == (STALE, IN_SYNC)


def test_suspicion_of_an_older_epoch_is_passed_over():
    """The leg may have come back since."""
    bench = pair()
    unit = bench.unit(1)

    unit.leading.take_suspect(1, unit.state.epoch - 1, "late")
    bench.run(50)

    assert unit.state.states == (IN_SYNC, IN_SYNC)


def test_epoch_is_recorded_only_on_legs_in_sync():
    """A leg that is copied to must not look whole."""
    bench = alone()
    fail(bench, 1)
    bench.run(100)
    old = recorded(bench, 1)

    reserve(bench, 1)
    bench.run(20)

    assert recorded(bench, 0)[1] == bench.unit(1).state.epoch
    assert recorded(bench, 1) == old


# An engine dies in between


def test_follower_that_said_prepared_goes_on_to_the_new_state():
    """The leader may have committed it, and answered hosts by it."""
    bench = pair()
    stop_at(bench, Commit)
    fail(bench, 1)
    bench.run(40)
    assert recorded(bench, 0)[1] == 3

    bench.kill(1)
    bench.run()

    assert bench.unit(2).state.states == (IN_SYNC, STALE)


def test_follower_that_heard_of_no_barrier_goes_on_from_the_old_state():
    bench = pair()
    stop_at(bench, Prepare)
    reserve(bench, 1)
    bench.run(40)

    bench.kill(1)
    bench.run(40)

    assert bench.unit(2).state.services.legacy is None
    assert bench.unit(2).serves


def test_request_that_was_prepared_holds_after_the_leaders_death():
    bench = pair()
    stop_at(bench, Commit)
    reserve(bench, 1)
    bench.run(40)

    bench.kill(1)
    bench.run(40)

    assert bench.unit(2).state.services.legacy == ("alpha", 1)


def test_leader_whose_follower_dies_in_a_barrier_ends_it_alone():
    bench = pair()
    stop_at(bench, Prepared)
    fail(bench, 1)
    bench.run(40)

    bench.kill(2)
    bench.run(200)

    assert bench.unit(1).state.states == (IN_SYNC, STALE)
    assert bench.unit(1).state.members == (1,)


def test_newcomer_that_dies_while_it_is_let_in_holds_nobody_up():
    bench = alone()
    bench.start(2)
    stop_at(bench, Prepared)
    bench.meet()
    bench.until(lambda: bench.unit(1).barrier.proposal is not None)
    command = bench.write(1, 3, "x")

    bench.kill(2)
    bench.run()

    assert bench.is_done(command)
    assert bench.unit(1).state.members == (1,)


# A leg fails in a barrier


def test_barrier_is_proposed_anew_without_a_leg_that_fails_in_it():
    bench = pair()
    bench.arrays[1].silent = True
    bench.write(1, 3, "x")
    bench.run()

    reserve(bench, 1)
    bench.run(300)

    for engine in (1, 2):
        state = bench.unit(engine).state
        assert (state.states, state.services.legacy) == ((IN_SYNC, STALE), ("alpha", 1))


def test_request_of_a_barrier_that_was_proposed_anew_is_answered_once():
    bench = pair()
    bench.arrays[1].silent = True
    bench.write(1, 3, "x")
    bench.run()

    reserve(bench, 2)
    bench.run(300)

    assert bench.nodes[2].answers == [("token", GOOD)]


@pytest.mark.parametrize("leg", [0, 1])
def test_leg_that_does_not_take_the_epoch_is_dropped(leg):
    bench = alone()
    bench.arrays[leg].silent = True

    reserve(bench, 1)
    bench.run(300)

    assert bench.unit(1).state.states[leg] is STALE
    assert bench.unit(1).barrier.proposal is None
    assert bench.nodes[1].answers == [("token", GOOD)]


def test_last_leg_that_does_not_take_the_epoch_is_waited_for():
    bench = alone()
    fail(bench, 1)
    bench.run(100)
    bench.arrays[1].silent = bench.arrays[0].silent = True

    reserve(bench, 1)
    bench.run(500)
    assert bench.unit(1).state.states == (IN_SYNC, STALE)
    assert bench.nodes[1].answers == []
    bench.arrays[0].silent = False
    bench.run(500)

    assert bench.nodes[1].answers == [("token", GOOD)]


def test_leader_whose_key_is_gone_has_lost():
    """Whoever took it goes on alone; this one must not commit anything."""
    bench = alone()
    bench.arrays[0].keys = {2: key(2, 9)}

    reserve(bench, 1)
    bench.run(20)

    assert not bench.unit(1).serves
    assert bench.nodes[1].answers == [("token", check_condition(COMMUNICATION_FAILURE))]
    assert any(
        note.startswith("lu0: fenced: its key on a leg is gone") for note in bench.nodes[1].notes
    )


def test_follower_goes_on_when_its_leader_has_lost():
    bench = pair()
    del bench.arrays[0].keys[1]
    reserve(bench, 1)

    bench.run(300)

    assert bench.unit(2).serves
    assert bench.unit(2).leads


# A promise to a peer that may still live


def silent_leg_after(bench: Bench, *, dead: bool) -> int:
    """Lose the peer while leg B is silent; return how long a promise goes on from there, in ms."""
    bench.run(100)
    bench.arrays[1].silent = True
    bench.nodes[2].hung = True
    bench.cut(dead=dead, tell=(1,))
    return (bench.unit(1).promised_until_ns - bench.now_ns) // MS


def test_leg_is_dropped_only_when_a_lost_peer_reads_no_more_by_the_old_state():
    """A peer that is only cut off reads from any leg in sync, as it was promised."""
    bench = pair()
    left_ms = silent_leg_after(bench, dead=False)
    assert left_ms > TIMING.leg_deadline_ns // MS + 20

    bench.run(left_ms - 5)
    assert not bench.unit(1).serves or bench.unit(1).shared
    bench.run(50)

    assert bench.unit(1).state.states == (IN_SYNC, STALE)


def test_no_promise_holds_towards_a_peer_that_is_dead():
    bench = pair()
    left_ms = silent_leg_after(bench, dead=True)

    bench.run(TIMING.leg_deadline_ns // MS + 30)

    assert left_ms > TIMING.leg_deadline_ns // MS + 30
    assert bench.unit(1).state.states == (IN_SYNC, STALE)


def test_promise_delays_nothing_when_no_leg_changes():
    bench = pair()
    bench.run(100)
    bench.nodes[2].hung = True

    bench.cut(tell=(1,))
    bench.run()

    assert bench.unit(1).state.members == (1,)


# Words


@pytest.mark.parametrize(
    ("states", "legs"),
    [
        ((IN_SYNC, IN_SYNC), (0, 1)),
        ((RESYNCING, IN_SYNC), (1,)),
        ((STALE, STALE, IN_SYNC), (2,)),
    ],
)
def test_legs_in_sync_come_in_their_order(states, legs):
    state = UnitState(epoch=1, states=states, members=(1,))

    assert in_sync(state) == legs
