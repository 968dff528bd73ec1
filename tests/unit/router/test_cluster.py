"""Engines that meet agree who leads, or refuse each other for a reason that is told."""

import pytest
from simulation import Engine, World

from reference_router.cluster import Role
from reference_router.messages import Hello, LegState, UnitState

IN_SYNC, STALE = LegState.IN_SYNC, LegState.STALE


def hello(**changes: object) -> Hello:
    fields = {
        "version": 1,
        "engine": 2,
        "config": "x",
        "serving": False,
        "serving_ms": 0,
        "may_cold_start": False,
        "units": (UnitState("lu0", 0, (STALE, STALE)),),
    }
    return Hello(**{**fields, **changes})


def serving_engine(states: tuple[LegState, ...] = (IN_SYNC, IN_SYNC)) -> Engine:
    engine = Engine(1, 0, may_cold_start=True)
    for leg in (0, 1):
        engine.coordinator.reach(leg, available=True, identity="")
    engine.cluster.tick(60_000_000)
    assert engine.cluster.leads
    engine.coordinator.adopt(UnitState("lu0", 3, states), 60_000_000)
    engine.cluster.link_up(100_000_000)
    return engine


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 2}, "version 2"),
        ({"config": "y"}, "config y"),
        (
            {
                "serving": True,
                "serving_ms": 5,
                "units": (UnitState("lu0", 2, (STALE, IN_SYNC)),),
            },
            "split brain on lu0",
        ),
    ],
)
def test_peer_is_refused(changes, reason):
    engine = serving_engine((IN_SYNC, STALE))

    engine.cluster.take(hello(**changes), 100_000_000)

    assert reason in engine.outbox.refuse_link
    assert not engine.cluster.peer_joined


@pytest.mark.parametrize(("serving_ms", "role"), [(10, Role.LEADER), (100, Role.FOLLOWER)])
def test_of_two_that_served_apart_the_longer_one_leads(serving_ms, role):
    engine = serving_engine()
    units = (UnitState("lu0", 5, (IN_SYNC, STALE)),)

    engine.cluster.take(hello(serving=True, serving_ms=serving_ms, units=units), 100_000_000)

    assert engine.cluster.role is role
    proposal = engine.mirror.proposal
    expected = UnitState("lu0", 6, (IN_SYNC, STALE)) if role is Role.LEADER else None
    assert proposal == expected


def test_engines_that_started_apart_come_together():
    world = World(7)
    world.linked = True  # nobody meets anybody yet
    world.run(200)
    assert [engine.cluster.leads for engine in world.engines.values()] == [True, True]

    world.linked = False
    world.run(300)
    world.settle()

    roles = sorted(engine.cluster.role for engine in world.engines.values())
    assert roles == [Role.FOLLOWER, Role.LEADER]
    world.check_end()


def test_joining_engine_whose_peer_dies_at_once_does_not_start_from_the_operators_word():
    """The peer served, so it knew which legs are right; that word is older."""
    engine = Engine(1, 0, may_cold_start=True)
    for leg in (0, 1):
        engine.coordinator.reach(leg, available=True, identity="")
    engine.cluster.link_up(1)
    engine.cluster.take(hello(serving=True, serving_ms=5), 2)

    engine.cluster.link_down(3)
    engine.cluster.tick(10_000_000_000)

    assert engine.cluster.role is Role.WAITING
    assert engine.cluster.waits_for_operator


def test_two_newcomers_start_by_the_one_that_may():
    engine = Engine(2, 0, may_cold_start=True)
    for leg in (0, 1):
        engine.coordinator.reach(leg, available=True, identity="")
    engine.cluster.link_up(1)

    engine.cluster.take(hello(engine=1, may_cold_start=False), 2)

    assert engine.cluster.leads
    assert engine.cluster.peer_joined
