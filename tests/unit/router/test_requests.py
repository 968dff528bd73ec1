"""Requests that both engines must agree on: applied once, answered once, whoever dies."""

import pytest
from core_bench import IN_SYNC, MS, STALE, TIMING, Bench, alone, pair

from reference_router.messages import Answer, Ask, Commit, LegState, Prepare, Prepared, Reply
from reference_router.scsi import COMMUNICATION_FAILURE, GOOD, Response, Status, check_condition
from reference_router.service import Nexus, ServiceRequest

RESERVE, RELEASE = bytes((0x16, 0, 0, 0, 0, 0)), bytes((0x17, 0, 0, 0, 0, 0))
CONFLICT = Response(Status.RESERVATION_CONFLICT)
NO_ANSWER = check_condition(COMMUNICATION_FAILURE)
WAITING_MAX = 64


def ask(bench: Bench, engine: int, token: object, cdb: bytes = RESERVE, host: str = "alpha"):
    request = ServiceRequest(host=host, engine=engine, cdb=cdb)
    bench.nodes[engine].cluster.ask("lu0", request, token, bench.now_ns)


def register(bench: Bench, engine: int, token: object, key: int) -> None:
    """REGISTER AND IGNORE EXISTING KEY (SPC-4 6.16): each one counts in PRgeneration."""
    data = bytes(8) + key.to_bytes(8, "big") + bytes(8)
    cdb = bytes((0x5F, 6, 0, 0, 0, 0, 0, 0, 24, 0))
    request = ServiceRequest(host="alpha", engine=engine, cdb=cdb, parameters=data)
    bench.nodes[engine].cluster.ask("lu0", request, token, bench.now_ns)


def answers(bench: Bench, engine: int) -> list[tuple[object, Response]]:
    return bench.nodes[engine].answers


@pytest.mark.parametrize("engine", [1, 2])
def test_request_through_either_engine_holds_in_both(engine):
    bench = pair()

    ask(bench, engine, "a")
    bench.run(20)

    assert answers(bench, engine) == [("a", GOOD)]
    assert answers(bench, 3 - engine) == []
    holders = [bench.unit(each).state.services.legacy for each in (1, 2)]
    assert holders == [Nexus("alpha", engine)] * 2


def test_of_two_that_want_the_same_one_has_it_and_the_other_a_conflict():
    bench = pair()

    ask(bench, 2, "beta's", host="beta")
    ask(bench, 1, "alpha's", host="alpha")
    bench.run(40)

    both = [answer for _, answer in answers(bench, 1) + answers(bench, 2)]
    assert sorted(both, key=lambda each: each.status) == [GOOD, CONFLICT]


@pytest.mark.parametrize("engine", [1, 2])
def test_request_that_changes_nothing_is_answered_without_a_barrier(engine):
    bench = pair()
    ask(bench, 1, "first")
    bench.run(20)
    bench.sent.clear()

    ask(bench, engine, "second", host="beta")
    bench.run(20)

    assert answers(bench, engine)[-1] == ("second", CONFLICT)
    kinds = {type(each) for _, each in bench.sent}
    assert Prepare not in kinds
    assert (Reply in kinds) == (engine == 2)


def test_requests_are_applied_one_after_the_other_in_order():
    bench = pair()
    ask(bench, 2, "reserve")
    ask(bench, 2, "release", RELEASE)
    ask(bench, 2, "again", host="beta")

    bench.run(60)

    assert answers(bench, 2) == [("reserve", GOOD), ("release", GOOD), ("again", GOOD)]
    assert bench.unit(1).state.services.legacy == Nexus("beta", 2)


def test_attentions_come_with_the_state_that_makes_them_true():
    bench = pair()
    register(bench, 1, "a", 7)
    register(bench, 2, "b", 8)
    bench.run(40)
    cdb = bytes((0x5F, 3, 0, 0, 0, 0, 0, 0, 24, 0))  # CLEAR
    request = ServiceRequest(
        host="alpha", engine=1, cdb=cdb, parameters=(7).to_bytes(8, "big") + bytes(16)
    )

    bench.nodes[1].cluster.ask("lu0", request, "clear", bench.now_ns)
    bench.run(20)

    told = [bench.unit(engine).state.attentions for engine in (1, 2)]
    assert told[0] == told[1]
    assert [(each.host, each.engine) for each in told[0]] == [("alpha", 2)]


@pytest.mark.parametrize("change", ["leg", "member"])
def test_later_barrier_does_not_bring_an_answer_or_attentions_again(change):
    bench = pair()
    ask(bench, 1, "a")
    bench.run(20)
    assert bench.unit(1).state.answer is not None

    if change == "leg":
        bench.arrays[1].silent = True
        bench.write(1, 3, "x")
    else:
        bench.kill(2)
    bench.run(300)

    assert bench.unit(1).state.answer is None
    assert answers(bench, 1) == [("a", GOOD)]


# Somebody dies


@pytest.mark.parametrize("stage", [Ask, Prepare, Prepared, Commit, None])
def test_request_is_applied_once_and_answered_once_across_the_leaders_death(stage):
    """Whether the leader has not heard of it, or has made it true, or anything in between."""
    bench = pair()
    bench.stops_at = lambda _, message: stage is not None and isinstance(message, stage)
    register(bench, 2, "a", 7)
    bench.run(40)

    bench.kill(1)
    bench.run(200)

    assert answers(bench, 2) == [("a", GOOD)]
    services = bench.unit(2).state.services
    assert (services.generation, services.key_of(Nexus("alpha", 2))) == (1, 7)


@pytest.mark.parametrize("stage", [Prepare, Prepared, Commit, None])
def test_leaders_own_request_is_answered_once_across_the_followers_death(stage):
    bench = pair()
    bench.stops_at = lambda _, message: stage is not None and isinstance(message, stage)
    register(bench, 1, "a", 7)
    bench.run(40)

    bench.kill(2)
    bench.run(200)

    assert answers(bench, 1) == [("a", GOOD)]
    assert bench.unit(1).state.services.generation == 1


def test_request_of_a_dead_follower_is_not_applied_after_its_death():
    """Its host has sent it again on another path by then."""
    bench = pair()
    bench.stops_at = lambda _, message: isinstance(message, Prepared)
    register(bench, 1, "leader's", 1)
    register(bench, 2, "follower's", 7)
    bench.run(40)

    bench.kill(2)
    bench.run(200)

    assert bench.unit(1).state.services.key_of(Nexus("alpha", 2)) is None
    assert answers(bench, 1) == [("leader's", GOOD)]


@pytest.mark.parametrize("stage", [Ask, Prepare, Prepared, Commit])
def test_each_host_has_one_answer_when_the_link_is_lost(stage):
    bench = pair()
    bench.stops_at = lambda _, message: isinstance(message, stage)
    register(bench, 1, "leader's", 1)
    register(bench, 2, "follower's", 2)
    bench.run(40)

    bench.cut()
    bench.run(500)

    found = [token for engine in (1, 2) for token, _ in answers(bench, engine)]
    assert sorted(found) == ["follower's", "leader's"]
    winner = next(each for each in (1, 2) if bench.unit(each).serves)
    good = [answer for _, answer in answers(bench, winner)]
    assert good == [GOOD]


def test_engine_that_is_fenced_answers_not_ready():
    bench = pair()
    bench.nodes[2].hung = True
    ask(bench, 2, "a")
    bench.cut(tell=(1,))
    bench.run(100)

    bench.nodes[2].hung = False
    bench.cut(tell=(2,))
    bench.run(100)

    assert answers(bench, 2) == [("a", NO_ANSWER)]
    assert bench.unit(1).state.services.legacy is None


# What cannot be done now


def test_request_on_a_quiet_unit_is_begun_at_once():
    bench = alone()

    ask(bench, 1, "a")
    bench.run()

    assert answers(bench, 1) == [("a", GOOD)]


def test_engine_that_does_not_serve_answers_not_ready():
    bench = Bench(1)

    ask(bench, 1, "a")
    bench.run()

    assert answers(bench, 1) == [("a", NO_ANSWER)]


def test_request_that_waits_too_long_is_answered_and_never_applied():
    """Applied later, it would be a ghost: the host has been told that it failed."""
    bench = alone()
    bench.arrays[0].silent = bench.arrays[1].silent = True
    bench.write(1, 3, "x")
    register(bench, 1, "under way", 1)
    bench.run(20)
    register(bench, 1, "late", 7)
    bench.run(TIMING.command_deadline_ns // MS + 100)
    assert ("late", NO_ANSWER) in answers(bench, 1)

    bench.arrays[0].silent = bench.arrays[1].silent = False
    bench.run(2000)

    assert bench.unit(1).state.services.key_of(Nexus("alpha", 1)) == 1
    assert len(answers(bench, 1)) == 2


def test_too_many_requests_at_once_are_answered_busy():
    bench = alone()
    for token in range(WAITING_MAX + 1):
        ask(bench, 1, token)
    bench.run()

    busy = [token for token, answer in answers(bench, 1) if answer.status == Status.BUSY]
    assert busy == [WAITING_MAX]


def test_late_reply_to_a_request_that_was_answered_is_passed_over():
    bench = pair()
    ask(bench, 2, "a")
    bench.run(40)

    bench.unit(2).requests.take_reply(Answer(engine=2, request=1, status=0))
    bench.run()

    assert answers(bench, 2) == [("a", GOOD)]


def test_answer_to_the_other_engines_request_is_not_taken_for_ones_own():
    """Both count from 1."""
    bench = pair()
    bench.stops_at = lambda _, message: isinstance(message, Ask)
    ask(bench, 2, "follower's")

    bench.unit(2).requests.committed(Answer(engine=1, request=1, status=0))
    bench.run(20)

    assert answers(bench, 2) == []


def test_request_survives_the_loss_of_a_leg():
    bench = pair()
    bench.arrays[1].silent = True

    ask(bench, 2, "a")
    bench.run(500)

    states: tuple[LegState, ...] = bench.unit(2).state.states
    assert (states, answers(bench, 2)) == ((IN_SYNC, STALE), [("a", GOOD)])


def step(bench: Bench, steps: int = 40):
    """Let the engines go on by turns; yield after each turn."""
    for _ in range(steps):
        for engine in (1, 2):
            bench.step(engine)
            yield


@pytest.mark.parametrize("engine", [1, 2])
def test_once_a_host_has_its_answer_no_engine_goes_by_the_old_state(engine):
    """Whoever does not know the new state yet is in doubt, and lets commands wait."""
    bench = pair()
    ask(bench, engine, "a")

    for _ in step(bench):
        for each in (1, 2):
            unit = bench.unit(each)
            knows = unit.state.services.legacy is not None
            told = answers(bench, engine) or bench.nodes[engine].outbox.answers
            assert knows or unit.barrier.in_doubt or not told
    assert answers(bench, engine) == [("a", GOOD)]
    assert not any(bench.unit(each).barrier.in_doubt for each in (1, 2))


def test_a_follower_is_in_doubt_until_the_commit():
    bench = pair()
    ask(bench, 1, "a")

    seen = [bench.unit(2).barrier.in_doubt for _ in step(bench)]

    assert True in seen
    assert not seen[0]
    assert not seen[-1]


def test_a_change_of_legs_alone_leaves_nobody_in_doubt():
    bench = pair()
    seen = set()
    bench.write(1, 3, "x")
    bench.unit(1).mirror.suspects[1] = "a test"

    for _ in step(bench):
        seen.add(bench.unit(2).barrier.in_doubt)

    assert bench.unit(2).state.states[1] is not IN_SYNC
    assert seen == {False}
