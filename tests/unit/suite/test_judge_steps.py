"""The judge of schedules, meant outages, exercises and single questions.

Method: a clean hand-written history in which one thing is changed.
"""

import msgspec
import pytest

from certify.asks import ASKS
from certify.checker import judge
from reports.record import (
    Check,
    EventKind,
    IoOutcome,
    OutagePlan,
    ScenarioJudgement,
    StepPlan,
    Verdict,
)

from .conftest import Story, make_clean_story, make_plan

TWO = [
    StepPlan(fault="engine_kill", subject="engine1"),
    StepPlan(fault="array_offline", subject="B", at_s=0.5),
]
OUTAGE = OutagePlan(why="no engine is left", return_ms=500.0, errors=True)


def line(seen: ScenarioJudgement, name: str) -> Check:
    (check,) = [check for check in seen.checks if check.name == name]
    return check


def with_second_step(story: Story) -> Story:
    story.plan = make_plan(steps=TWO)
    story.event(1500, EventKind.INJECTED, "B", step=2)
    story.event(1510, EventKind.PROVEN, "B", step=2, detail="offline")
    story.event(2010, EventKind.MENDED, "B", step=2)
    story.event(2100, EventKind.MEND_PROVEN, "B", step=2, detail="running")
    return story


def test_two_steps_that_were_seen_pass(story: Story) -> None:
    seen = judge(with_second_step(story).history())

    assert seen.verdict is Verdict.PASS
    assert line(seen, "Fault injected and seen: array_offline on B").observed == "offline"
    assert line(seen, "Fault mended and seen: engine_kill on engine1").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("kind", "name", "observed"),
    [
        (EventKind.PROVEN, "Fault injected and seen", "no proof was recorded"),
        (EventKind.MEND_PROVEN, "Fault mended and seen", "no proof was recorded"),
    ],
)
def test_second_step_without_a_proof_is_inconclusive(
    story: Story, kind: EventKind, name: str, observed: str
) -> None:
    with_second_step(story)
    story.events = [e for e in story.events if not (e.kind is kind and e.data.get("step") == 2)]
    seen = judge(story.history())

    assert seen.verdict is Verdict.INCONCLUSIVE
    assert line(seen, f"{name}: array_offline on B").observed == observed


def test_second_step_that_never_came_is_inconclusive(story: Story) -> None:
    story.plan = make_plan(steps=TWO)
    seen = judge(story.history())

    assert seen.verdict is Verdict.INCONCLUSIVE
    name = "Fault injected and seen: array_offline on B"
    assert line(seen, name).observed == "the fault was never injected"


def test_flaps_are_counted_in_one_line(story: Story) -> None:
    flap = StepPlan(fault="engine_kill", subject="engine1")
    story.plan = make_plan(steps=[flap, flap, flap])
    for step in (2, 3):
        story.event(1000 + step, EventKind.INJECTED, "engine1", step=step)
        story.event(1001 + step, EventKind.PROVEN, "engine1", step=step, detail="gone")
        story.event(1500 + step, EventKind.MENDED, "engine1", step=step)
        story.event(1501 + step, EventKind.MEND_PROVEN, "engine1", step=step, detail="back")
    assert line(judge(story.history()), "Fault injected and seen").observed == "3 of 3 times; gone"

    story.events = [
        e for e in story.events if not (e.kind is EventKind.PROVEN and e.data.get("step") == 2)
    ]
    seen = judge(story.history())
    assert line(seen, "Fault injected and seen").verdict is Verdict.INCONCLUSIVE
    assert line(seen, "Fault injected and seen").observed.startswith("2 of 3 times; ")


def test_many_faults_share_a_line(story: Story) -> None:
    story.plan = make_plan(steps=[StepPlan(fault="f", subject=f"s{number}") for number in range(5)])
    for step in range(2, 6):
        story.event(1000 + step, EventKind.INJECTED, "s", step=step)
        story.event(1001 + step, EventKind.PROVEN, "s", step=step, detail="seen")
        story.event(1500 + step, EventKind.MENDED, "s", step=step)
        story.event(1501 + step, EventKind.MEND_PROVEN, "s", step=step, detail="whole")
    seen = judge(story.history())

    assert line(seen, "Fault injected and seen").observed == "5 of 5 times; seen"
    assert line(seen, "Fault mended and seen").verdict is Verdict.PASS


def test_schedule_of_the_repeat_outweighs_that_of_the_plan(story: Story) -> None:
    story.plan = make_plan(steps=TWO)
    story.event(10, EventKind.NOTE, "schedule", steps=[msgspec.to_builtins(TWO[0])])

    assert judge(story.history()).verdict is Verdict.PASS


def test_step_for_which_no_time_was_left_is_not_missed(story: Story) -> None:
    story.plan = make_plan(steps=TWO)
    story.event(1900, EventKind.NOTE, "step skipped", step=2)

    assert judge(story.history()).verdict is Verdict.PASS


def test_failback_counts_from_the_last_mend(story: Story) -> None:
    story.event(1500, EventKind.MENDED, "engine1", step=1)
    story.io(due=1600, done=1800, tag=1000, lba=80)
    seen = judge(story.history())

    assert seen.stall_failover_ms == 200.0
    assert seen.stall_failback_ms is not None
    assert seen.stall_failback_ms < 200.0


def test_not_whole_between_two_faults_fails(story: Story) -> None:
    story.event(1500, EventKind.REDUNDANCY, "lab", restored=False, detail="not redundant")
    seen = judge(story.history())

    assert line(seen, "Redundancy at the end").observed == "not redundant"
    assert seen.verdict is Verdict.FAIL


def outage_story(**changes: object) -> Story:
    plan = make_plan(outage=msgspec.structs.replace(OUTAGE, **changes))
    story = make_clean_story(plan)
    kept = [io for io in story.ios if not (1000e6 <= io.due_ns < 2300e6 and "app" in io.probe)]
    story.ios = kept
    story.io(k=900, due=1000, done=2300, tag=5000, lba=800)
    return story


def test_outage_that_is_meant_passes_and_has_no_stall() -> None:
    story = outage_story()
    seen = judge(story.history())

    assert seen.verdict is Verdict.PASS, seen.reason
    assert (seen.stall_failover_ms, seen.stall_failback_ms) == (None, None)
    assert line(seen, "I/O flows again by itself").observed == "300 ms"


def test_error_in_a_meant_outage_is_excused_only_if_the_plan_says_so() -> None:
    for errors, verdict in ((True, Verdict.PASS), (False, Verdict.FAIL)):
        story = outage_story(errors=errors)
        story.io(due=1200, done=1300, outcome=IoOutcome.ERROR, errno=5, tag=6000, lba=808)
        assert judge(story.history()).verdict is verdict


def test_error_before_a_meant_outage_fails() -> None:
    story = outage_story()
    story.io(due=500, done=600, outcome=IoOutcome.ERROR, errno=5, tag=6000, lba=808)

    assert judge(story.history()).verdict is Verdict.FAIL


def test_return_that_takes_too_long_fails() -> None:
    story = outage_story()
    story.io(due=1200, done=2700, tag=6000, lba=808)
    seen = judge(story.history())

    assert line(seen, "I/O flows again by itself").verdict is Verdict.FAIL
    assert line(seen, "I/O flows again by itself").observed == "700 ms, at least 700 ms"


def test_return_that_the_suite_itself_may_have_missed_is_inconclusive() -> None:
    story = outage_story()
    story.io(due=1200, done=2700, tag=6000, lba=808)
    story.event(2690, EventKind.STANDSTILL, "suite", from_ns=2_350_000_000)
    seen = judge(story.history())

    assert line(seen, "I/O flows again by itself").verdict is Verdict.INCONCLUSIVE


def test_error_long_after_the_mend_fails() -> None:
    story = outage_story()
    story.io(due=2800, done=2801, outcome=IoOutcome.ERROR, errno=5, tag=6000, lba=808)

    assert judge(story.history()).verdict is Verdict.FAIL


def test_io_that_never_returns_fails() -> None:
    story = outage_story()
    story.io(due=1200, done=-1, tag=6000, lba=808)
    seen = judge(story.history())

    assert line(seen, "I/O flows again by itself").observed == "it never did"
    assert seen.verdict is Verdict.FAIL


def test_stall_before_the_outage_is_judged_as_ever() -> None:
    plan = make_plan(outage=OUTAGE, steps=TWO)
    story = with_second_step(make_clean_story(plan))
    story.plan = plan
    story.io(due=1050, done=1450, tag=6000, lba=808)
    seen = judge(story.history())

    assert line(seen, "Longest stall after the fault").verdict is Verdict.FAIL


def test_data_is_judged_in_a_meant_outage_too() -> None:
    story = outage_story()
    story.io(due=2400, done=2401, probe="app-read", op="read", tag=1)

    assert judge(story.history()).verdict is Verdict.FAIL


@pytest.mark.parametrize(("done", "verdict"), [(1203, Verdict.PASS), (1900, Verdict.FAIL)])
def test_paths_must_answer_at_once_where_the_plan_asks_for_it(done: int, verdict: Verdict) -> None:
    story = outage_story(answer_ms=100.0)
    story.io(
        probe="path:p1",
        op="test_unit_ready",
        due=1200,
        done=done,
        lba=-1,
        outcome=IoOutcome.CHECK_CONDITION,
        sense="5/25/00",
    )
    check = line(judge(story.history()), "Paths answer at once")

    assert check.verdict is verdict
    assert "sense 5/25/00" in check.observed


@pytest.mark.parametrize(
    ("good", "verdict"),
    [(True, Verdict.PASS), (False, Verdict.FAIL), (None, Verdict.INCONCLUSIVE)],
)
def test_exercise_makes_a_line_of_its_own(
    story: Story, good: bool | None, verdict: Verdict
) -> None:
    story.plan = make_plan(exercises=["pgbench"])
    story.event(
        2900,
        EventKind.EXERCISE,
        "pgbench: failed transactions",
        expected="0",
        good=good,
        detail="3",
    )
    seen = judge(story.history())

    check = line(seen, "pgbench: failed transactions")
    assert (check.expected, check.observed, check.verdict) == ("0", "3", verdict)
    assert seen.verdict is verdict


def test_exercise_that_says_nothing_is_inconclusive(story: Story) -> None:
    story.plan = make_plan(exercises=["pgbench"])
    seen = judge(story.history())

    assert (seen.verdict, line(seen, "pgbench").observed) == (
        Verdict.INCONCLUSIVE,
        "the exercise said nothing",
    )


def ghost(story: Story) -> Story:
    story.plan = make_plan(asks=["held_writes"])
    story.io(k=700, due=990, sent=990, done=1200, tag=7000, lba=160)
    return story


def test_held_write_whose_block_was_written_again_passes(story: Story) -> None:
    ghost(story).io(k=701, due=1300, tag=7001, lba=160)
    seen = judge(story.history())

    check = line(seen, "Writes in flight at the hang")
    assert (check.verdict, check.observed) == (
        Verdict.PASS,
        "1 held, 1 of their blocks written again",
    )


def test_held_write_whose_block_was_left_alone_is_inconclusive(story: Story) -> None:
    assert judge(ghost(story).history()).verdict is Verdict.INCONCLUSIVE


def test_hang_without_a_write_in_flight_is_inconclusive(story: Story) -> None:
    story.plan = make_plan(asks=["held_writes"])

    assert judge(story.history()).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("again", "verdict"), [(False, Verdict.PASS), (True, Verdict.FAIL)])
def test_path_that_fails_again_after_its_return_is_ping_pong(
    story: Story, again: bool, verdict: Verdict
) -> None:
    story.plan = make_plan(asks=["steady_paths"])
    story.event(1100, EventKind.PATH_STATE, "p1", state="failed", lu="lu0")
    story.event(2200, EventKind.PATH_STATE, "p1", state="active", lu="lu0")
    if again:
        story.event(2300, EventKind.PATH_STATE, "p1", state="failed", lu="lu0")

    assert line(judge(story.history()), "No ping-pong of paths").verdict is verdict


def test_question_that_nobody_knows_is_inconclusive(story: Story) -> None:
    story.plan = make_plan(asks=["the meaning of life"])

    assert judge(story.history()).verdict is Verdict.INCONCLUSIVE
    assert "the meaning of life" not in ASKS
