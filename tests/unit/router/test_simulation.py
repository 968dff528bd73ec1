"""The core keeps its promises in a simulated world: durable, converged, no stale read, bounded.

Method: `simulation.World` runs two cores over two arrays in virtual time, with messages and I/O in
an order drawn from a seed, and checks every completion.
"""

import pytest
from simulation import LEGS, MS, World

from reference_router.cluster import Role
from reference_router.messages import LegState

IN_SYNC, RESYNCING, STALE = LegState.IN_SYNC, LegState.RESYNCING, LegState.STALE


def started(seed: int = 1) -> World:
    world = World(seed)
    world.run(200, load=0.2)
    assert world.completed
    return world


def test_two_engines_meet_and_one_leads():
    world = started()

    roles = {number: engine.cluster.role for number, engine in world.engines.items()}
    assert roles == {1: Role.LEADER, 2: Role.FOLLOWER}


@pytest.mark.parametrize("seed", range(10))
def test_legs_are_equal_after_load_through_both_engines(seed):
    world = World(seed)
    world.run(1500)
    world.settle()

    world.check_end()
    assert world.errors == 0
    assert world.completed > 200


@pytest.mark.parametrize("leg", [0, 1])
def test_dead_array_is_dropped_without_an_error_and_comes_back(leg):
    world = started()
    world.arrays[leg].dead = True
    world.run(300)
    agreed = [engine.mirror.states[leg] for engine in world.engines.values()]
    assert agreed == [STALE, STALE]

    world.arrays[leg].dead = False
    world.run(1500)
    world.settle()

    world.check_end()
    assert world.errors == 0


@pytest.mark.parametrize("seed", range(30))
def test_writes_during_a_resync_reach_both_legs(seed):
    world = started(seed)
    world.arrays[0].dead = True
    world.run(200)
    world.mend(0)

    world.run(3000, load=0.8)
    world.settle()

    world.check_end()
    assert world.errors == 0


@pytest.mark.parametrize("seed", range(30))
def test_changes_of_state_under_heavy_load_leave_reads_in_order(seed):
    """Barriers drain both engines: what was read from the old leg is on the new one."""
    world = started(seed)
    for leg in (0, 1, 0):
        world.arrays[leg].dead = True
        world.run(150, load=0.9)
        world.mend(leg)
        world.run(1500, load=0.5)
    world.settle()

    world.check_end()


@pytest.mark.parametrize("leg", [0, 1])
def test_hung_array_is_dropped_at_its_deadline(leg):
    """Its late writes land before it is admitted again, and are overwritten by the resync."""
    world = started()
    world.arrays[leg].hangs = True
    world.run(600)
    assert world.engines[1].mirror.states[leg] == STALE
    late = [io for io in world.engines[1].under_way + world.engines[2].under_way if io.abandoned]
    assert late

    world.mend(leg)
    world.run(1500)
    world.settle()

    world.check_end()
    assert world.errors == 0


@pytest.mark.parametrize("slow_engine", [1, 2])
def test_leg_is_not_admitted_while_old_io_is_under_way(slow_engine):
    """A late write of either engine would land on what the resync has copied. Hosts go on."""
    world = started()
    world.arrays[0].hangs = True
    world.run(600)
    world.mend(0)
    old = [io for io in world.engines[slow_engine].under_way if io.abandoned and io.write]
    assert old
    world.stuck_until_ns = dict.fromkeys(old, world.now_ns + 10_000 * MS)

    world.run(2000, load=0.1)
    before = world.completed
    world.run(1000, load=0.1)
    assert world.engines[1].mirror.states[0] is STALE
    assert world.completed > before

    world.stuck_until_ns = {}
    world.run(2000)
    world.settle()
    world.check_end()


def test_last_leg_in_sync_is_never_dropped():
    """With both arrays dead hosts get errors; when they are back, nothing acknowledged is lost."""
    world = started()
    world.arrays[0].dead = True
    world.run(300)
    world.arrays[1].dead = True
    world.run(300)
    assert world.errors > 0
    assert world.engines[1].mirror.states == (STALE, IN_SYNC)

    world.arrays[0].dead = world.arrays[1].dead = False
    world.run(1500)
    world.settle()

    world.check_end()


def test_both_arrays_failing_at_once_leaves_one_in_sync():
    world = started()
    world.arrays[0].dead = world.arrays[1].dead = True
    world.run(300)

    states = [engine.mirror.states for engine in world.engines.values()]
    assert [each.count(IN_SYNC) for each in states] == [1, 1]


@pytest.mark.parametrize("victim", [1, 2])
@pytest.mark.parametrize("seed", range(5))
def test_survivor_goes_on_when_an_engine_dies(victim, seed):
    world = started(seed)
    world.kill(victim)
    world.run(400)
    survivor = world.engines[3 - victim]
    assert survivor.cluster.leads

    world.start(victim)
    world.run(400)
    world.settle()

    world.check_end()
    assert world.errors == 0
    assert world.engines[victim].cluster.role is Role.FOLLOWER


@pytest.mark.parametrize("victim", [1, 2])
@pytest.mark.parametrize("seed", range(20))
def test_barrier_is_finished_by_the_survivor(victim, seed):
    """An engine dies between Prepare and Commit: the other ends the barrier the same way."""
    world = started(seed)
    world.arrays[0].dead = True
    for _ in range(2000):
        world.run(1)
        if any(engine.mirror.proposal for engine in world.engines.values()):
            break
    assert any(engine.mirror.proposal for engine in world.engines.values())
    world.run(world.random.randrange(3))

    world.kill(victim)
    world.run(300)

    survivor = world.engines[3 - victim].mirror
    assert (survivor.proposal, survivor.states) == (None, (STALE, IN_SYNC))
    world.arrays[0].dead = False
    world.start(victim)
    world.run(1000)
    world.settle()
    world.check_end()


@pytest.mark.parametrize("victim", [1, 2])
@pytest.mark.parametrize("seed", range(20))
def test_resync_survives_the_death_of_an_engine(victim, seed):
    world = started(seed)
    world.arrays[1].dead = True
    world.run(200)
    world.arrays[1].dead = False
    for _ in range(5000):
        world.run(1)
        if world.engines[1].mirror.states[1] is RESYNCING:
            break
    assert world.engines[1].mirror.states[1] is RESYNCING
    world.run(world.random.randrange(60))

    world.kill(victim)
    world.run(500)
    world.start(victim)
    world.run(500)
    world.settle()

    world.check_end()


def test_source_dying_in_a_resync_gives_up_the_target():
    world = started(3)
    world.arrays[1].dead = True
    world.run(200)
    world.arrays[1].dead = False
    while world.engines[1].mirror.states[1] is not RESYNCING:
        world.run(1)

    world.arrays[0].dead = True
    world.run(600)

    assert world.engines[1].mirror.states == (IN_SYNC, STALE)


def test_restarted_engine_serves_nothing_before_its_peer_told_it():
    world = started()
    world.kill(1)
    world.kill(2)

    world.start(1)
    world.run(300, load=0.0)

    engine = world.engines[1]
    assert (engine.cluster.role, engine.serves) == (Role.WAITING, False)
    assert engine.cluster.waits_for_operator


def test_operator_may_say_that_legs_are_equal():
    world = started()
    world.settle()
    world.kill(1)
    world.kill(2)

    world.start(1, may_cold_start=True)
    world.run(300)

    assert world.engines[1].cluster.leads
    assert world.completed > 0


def test_cold_start_without_an_array_leaves_it_stale():
    world = World(5)
    world.arrays[0].dead = True
    world.run(1200)

    states = {engine.mirror.states for engine in world.engines.values()}
    assert states == {(STALE, IN_SYNC)}


@pytest.mark.parametrize("seed", range(60))
def test_promises_hold_under_random_faults(seed):
    """One fault after the other, drawn from the seed: arrays die and hang, engines die."""
    world = started(seed)
    for _ in range(6):
        fault = world.random.choice(("dead", "hangs", "kill", "none"))
        leg, victim = world.random.randrange(len(LEGS)), world.random.choice((1, 2))
        if fault == "kill":
            world.kill(victim)
        elif fault != "none":
            setattr(world.arrays[leg], fault, True)
        world.run(world.random.randrange(20, 500))
        world.mend(leg)
        if world.engines[victim] is None:
            world.start(victim)
        world.run(world.random.randrange(20, 800))
        for _ in range(20_000):
            if all(engine.cluster.peer_joined for engine in world.engines.values()):
                break
            world.run(1)
    world.settle()

    world.check_end()
