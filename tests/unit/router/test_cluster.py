"""Engines that meet come to serve together, or refuse each other for a reason that is told."""

import pytest
from core_bench import IN_SYNC, MS, STALE, TIMING, Bench, Node, alone, pair

from reference_router.commands import Op
from reference_router.messages import (
    PROTOCOL_VERSION,
    Available,
    Commit,
    Copied,
    Enrol,
    Enrolled,
    Given,
    Hello,
    Invite,
    LegState,
    Manage,
    Maps,
    Message,
    Ping,
    Pong,
    Prepare,
    Prepared,
    Refresh,
    Standing,
    Suspect,
    UnitState,
    Want,
    Yours,
)
from reference_router.unit import Phase


def hello(**changes: object) -> Hello:
    return Hello(**{"version": PROTOCOL_VERSION, "engine": 2, "config": "x", **changes})


def greeted() -> Node:
    """An engine whose peer has said hello."""
    node = Node(1, 0)
    node.cluster.link_up(0)
    node.cluster.take(hello(), 0)
    node.outbox.messages.clear()
    return node


# Greeting


def test_engine_greets_its_peer_first_of_all():
    node = Node(1, 0)

    node.cluster.link_up(0)

    assert node.outbox.messages == [hello(engine=1)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": PROTOCOL_VERSION + 1}, f"version {PROTOCOL_VERSION + 1}"),
        ({"config": "y"}, "config y"),
        ({"engine": 1}, "says that it is engine 1 too"),
    ],
)
def test_peer_is_refused(changes, reason):
    node = Node(1, 0)
    node.cluster.link_up(0)

    node.cluster.take(hello(**changes), 0)

    assert reason in node.outbox.refuse_link
    assert not node.cluster.peer.linked


def test_nothing_is_taken_before_hello():
    node = Node(1, 0)
    node.cluster.link_up(0)

    node.cluster.take(Ping(5), 0)

    assert node.outbox.refuse_link == "Ping before Hello"


STATE = UnitState(epoch=3, states=(IN_SYNC, IN_SYNC), members=(2,))


@pytest.mark.parametrize(
    "message",
    [
        Commit("lu9", 3),
        Standing(unit="", serving=True, epoch=1, may_start=False),
        Available(unit="lu0", leg=2, available=True, identity=""),
        Suspect("lu0", -1, 3, ""),
        Enrol("lu0", 2),
        Manage("lu0", 2, attach=True),
        Enrolled("lu0", -2, 3),
        Want("lu0", 8),
        Yours("lu0", -1),
        Given("lu0", 8),
        Copied("lu0", 0, 2),
        Copied("lu0", 8, -1),
        Refresh("lu0", 0, -1),
        Maps(unit="lu0", dirty=("",), left=((0, 0),), repairs=""),
        Maps(unit="lu0", dirty=("x", "x"), left=((0, 0), (0, 0)), repairs=""),
        Invite(
            unit="lu0", state=UnitState(epoch=3, states=(IN_SYNC, IN_SYNC, IN_SYNC), members=(2,))
        ),
        Prepare(unit="lu0", state=UnitState(epoch=3, states=(STALE, STALE), members=(2,))),
        Prepare(
            unit="lu0", state=UnitState(epoch=3, states=(IN_SYNC, LegState.ABSENT), members=(2,))
        ),
        Prepare(unit="lu0", state=UnitState(epoch=3, states=(IN_SYNC, STALE), members=())),
    ],
)
def test_message_that_cannot_be_right_ends_the_link(message):
    node = greeted()

    node.cluster.take(message, 0)

    assert type(message).__name__ in node.outbox.refuse_link


@pytest.mark.parametrize(
    "message",
    [
        Commit("lu0", 3),
        Prepared("lu0", 3),
        Prepare(unit="lu0", state=STATE),
        Suspect("lu0", 0, 3, "late"),
        Enrolled("lu0", 1, 3),
        Yours("lu0", 1),
    ],
)
def test_message_that_comes_too_late_is_passed_over(message):
    node = greeted()

    node.cluster.take(message, 0)
    node.cluster.drive(0)

    assert node.outbox.refuse_link == ""
    assert node.unit.phase is Phase.STARTING


# Heartbeat and promises


def test_engine_pings_at_its_interval():
    node = greeted()
    for now_ms in (20, 25, 30, 40):
        node.cluster.tick(now_ms * MS)

    pings = [each for each in node.outbox.messages if isinstance(each, Ping)]
    assert pings == [Ping(20 * MS), Ping(40 * MS)]


def test_silent_peer_is_given_up():
    node = greeted()

    node.cluster.tick(TIMING.peer_timeout_ns)
    assert node.outbox.refuse_link == ""
    node.cluster.tick(TIMING.peer_timeout_ns + 1)

    assert node.outbox.refuse_link == "the peer is silent for 300 ms"


def test_peer_that_never_says_hello_is_given_up_too():
    node = Node(1, 0)
    node.cluster.link_up(0)

    node.cluster.tick(TIMING.peer_timeout_ns + 1)

    assert "silent" in node.outbox.refuse_link


def test_pong_is_relied_on_from_when_it_was_asked_for():
    """Not from when it came: the answer may have been under way for long."""
    node = greeted()

    node.cluster.take(Pong(7 * MS), 50 * MS)

    assert node.cluster.peer.lease_until_ns == 7 * MS + TIMING.lease_ns


def test_pong_of_the_future_or_of_old_makes_no_longer_lease():
    node = greeted()
    node.cluster.take(Pong(90 * MS), 50 * MS)
    node.cluster.take(Pong(10 * MS), 60 * MS)

    assert node.cluster.peer.lease_until_ns == 50 * MS + TIMING.lease_ns


def test_promise_is_kept_longer_than_it_is_relied_on():
    """Clocks of two machines drift apart; 1/16 is far more than they do."""
    node = greeted()

    node.cluster.take(Ping(3 * MS), 50 * MS)

    assert node.outbox.messages == [Pong(3 * MS)]
    assert node.cluster.peer.promise_until_ns >= 50 * MS + TIMING.lease_ns * 17 // 16


def test_follower_that_hears_nothing_does_not_answer_reads():
    """A leader behind a cut link may have gone on alone, and written."""
    bench = pair()
    bench.nodes[1].hung = True
    bench.run(TIMING.lease_ns // MS + 20)

    read = bench.submit(2, Op.READ, 0)
    bench.run()

    assert not bench.is_done(read)
    bench.nodes[1].hung = False
    bench.until(lambda: bench.is_done(read))


# Coming together


def test_two_engines_meet_and_one_leads():
    bench = Bench(1, 2, cold_start=True)
    bench.meet()

    bench.until(lambda: bench.unit(1).shared and bench.unit(2).shared)

    assert sorted(bench.unit(each).leads for each in (1, 2)) == [False, True]
    assert bench.unit(1).state == bench.unit(2).state


def test_two_newcomers_start_by_the_one_that_may():
    bench = Bench()
    bench.start(1, cold_start=False)
    bench.start(2, cold_start=True)
    bench.meet()

    bench.until(lambda: bench.unit(1).serves and bench.unit(2).serves)

    assert bench.unit(2).leads


def test_engine_that_may_start_waits_for_a_peer_for_a_while():
    bench = Bench(1, cold_start=True)
    bench.run(TIMING.peer_wait_ns // MS - 5)
    assert bench.unit(1).phase is Phase.STARTING

    bench.until(lambda: bench.unit(1).serves, limit_ms=300)


def test_engines_that_started_apart_come_together():
    """Only one of them can have started; the other is let in."""
    bench = Bench(1, cold_start=True)
    bench.run(10)
    bench.start(2, cold_start=True)
    bench.run(1000)
    assert [bench.unit(each).serves for each in (1, 2)] in ([True, False], [False, True])

    bench.meet()

    bench.until(lambda: bench.unit(1).serves and bench.unit(2).serves)


def test_joining_engine_whose_peer_dies_at_once_does_not_start_from_the_operators_word():
    """The peer served, so it knew which legs are right; that word is older."""
    bench = alone()
    bench.start(2, cold_start=True)
    bench.stops_at = lambda _, message: isinstance(message, Invite)
    bench.meet()
    bench.run(300)

    bench.kill(1)
    bench.run(3000)

    assert bench.unit(2).phase is Phase.STARTING
    assert bench.unit(2).starting.assessment.operator


def test_restarted_engine_is_let_in_again():
    bench = pair()
    bench.kill(2)
    bench.run(100)

    bench.start(2)
    bench.meet()

    bench.until(lambda: bench.unit(2).serves)
    assert bench.unit(1).leads


# Planned stop


@pytest.mark.parametrize("leaving", [1, 2])
def test_engine_leaves_as_planned_and_the_other_goes_on(leaving):
    bench = pair()
    stays = 3 - leaving

    bench.nodes[leaving].cluster.stop()
    bench.until(lambda: bench.nodes[leaving].cluster.stopped)

    assert bench.unit(stays).state.members == (stays,)
    write = bench.write(stays, 3, "x")
    bench.run()
    assert bench.is_done(write)


def test_last_engine_leaves_a_clean_key_and_starts_again_by_it():
    bench = alone()
    bench.nodes[1].cluster.stop()
    bench.until(lambda: bench.nodes[1].cluster.stopped)

    bench.start(1)
    bench.until(lambda: bench.unit(1).serves)

    assert not bench.unit(1).mirror.repairs
    assert any("after a clean end" in note for note in bench.nodes[1].notes)


def test_engine_that_died_alone_compares_its_legs_when_it_starts_again():
    bench = alone()
    del bench.nodes[1]

    bench.start(1)
    bench.until(lambda: bench.unit(1).phase is Phase.SERVING and not bench.unit(1).barrier.proposal)
    copies = bench.unit(1).copier
    bench.until(lambda: not bench.unit(1).mirror.repairs)

    assert copies.copied_regions == 8


def sent_by(bench: Bench, engine: int, kind: type[Message]) -> list[Message]:
    return [each for sender, each in bench.sent if sender == engine and isinstance(each, kind)]


def test_write_of_one_engine_is_read_through_the_other():
    bench = pair()
    bench.write(2, 3, "x")
    bench.run()

    read = bench.submit(1, Op.READ, 3)
    bench.run()

    assert read.pieces == [(3, ["x"])]
    assert sent_by(bench, 2, Want) == [Want("lu0", 0)]
