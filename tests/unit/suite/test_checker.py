"""The judge says PASS, FAIL, INCONCLUSIVE and NOT RUN for the right histories and reasons.

Method: one clean hand-written history; each test changes one thing in it.
"""

from typing import Any

import pytest

from certify.checker import judge
from certify.checks import untimed
from reports.record import EventKind, Grade, IoOutcome, ScenarioJudgement, Verdict

from .conftest import Story, make_plan


def line(judgement: ScenarioJudgement, name: str) -> str:
    return next(check.observed for check in judgement.checks if check.name.startswith(name))


def bad_lines(judgement: ScenarioJudgement) -> dict[str, Verdict]:
    return {
        check.name: check.verdict for check in judgement.checks if check.verdict is not Verdict.PASS
    }


def test_clean_history_passes(story: Story) -> None:
    seen = judge(story.history())

    assert (seen.verdict, seen.grade) == (Verdict.PASS, Grade.PLATINUM)
    assert (seen.stall_failover_ms, seen.stall_failback_ms) == (1.0, 1.0)
    assert (seen.io_errors, seen.mismatches, seen.noise_floor_ms) == (0, 0, 1.0)
    assert seen.sectors_verified == 8 * 301
    assert seen.redundancy_restored_ms == 800.0


def test_clean_baseline_passes_without_stalls(baseline: Story) -> None:
    seen = judge(baseline.history())

    assert (seen.verdict, seen.grade) == (Verdict.PASS, Grade.PLATINUM)
    assert (seen.stall_failover_ms, seen.stall_failback_ms) == (None, None)
    assert seen.steady_ms_max == 1.0


def test_slow_baseline_fails(baseline: Story) -> None:
    baseline.io(due=500, done=900, tag=1000, lba=80)

    assert bad_lines(judge(baseline.history())) == {"Longest stall without a fault": Verdict.FAIL}


def test_stall_counts_from_the_due_time(story: Story) -> None:
    story.io(due=1100, sent=1290, done=1300, tag=1000, lba=80)

    assert judge(story.history()).stall_failover_ms == 200.0


def test_stall_of_an_io_that_was_outstanding_at_the_fault_counts(story: Story) -> None:
    story.io(due=990, done=1190, tag=1000, lba=80)

    assert judge(story.history()).stall_failover_ms == 200.0


def test_stall_at_the_limit_passes(story: Story) -> None:
    story.io(due=1100, done=1350, tag=1000, lba=80)

    assert judge(story.history()).verdict is Verdict.PASS


def test_stall_above_the_limit_fails(story: Story) -> None:
    story.io(due=1100, done=1351, tag=1000, lba=80)

    seen = judge(story.history())

    assert bad_lines(seen) == {"Longest stall after the fault": Verdict.FAIL}
    assert "251 ms" in seen.reason
    assert seen.grade is Grade.NOT_CERTIFIED


def test_stall_after_mending_has_its_own_limit(story: Story) -> None:
    story.io(due=2100, done=2400, tag=1000, lba=80)

    seen = judge(story.history())

    assert bad_lines(seen) == {"Longest stall after mending": Verdict.FAIL}
    assert (seen.stall_failover_ms, seen.stall_failback_ms) == (1.0, 300.0)


def test_stall_that_the_mend_ended_is_charged_to_the_failover(story: Story) -> None:
    story.io(due=1100, done=2050, tag=1000, lba=80)

    seen = judge(story.history())

    assert (seen.stall_failover_ms, seen.stall_failback_ms) == (950.0, 50.0)


def test_io_that_never_ended_is_a_stall_of_at_least_the_observation(story: Story) -> None:
    story.io(due=1500, done=-1, tag=1000, lba=80)

    seen = judge(story.history())

    assert seen.verdict is Verdict.FAIL
    assert seen.stall_failover_ms == 1500.0
    assert line(seen, "Longest stall after the fault").startswith("at least 1.50 s, never ended")


def test_io_that_could_not_even_be_sent_counts_as_waiting(story: Story) -> None:
    story.io(due=1500, sent=-1, done=-1, tag=-1, lba=-1, outcome=IoOutcome.NOT_SENT)

    assert judge(story.history()).stall_failover_ms == 1500.0


@pytest.mark.parametrize(
    "outcome",
    [IoOutcome.ERROR, IoOutcome.CHECK_CONDITION, IoOutcome.STATUS, IoOutcome.TRANSPORT],
)
def test_any_error_at_the_application_fails(story: Story, outcome: IoOutcome) -> None:
    story.io(due=1100, tag=1000, lba=80, outcome=outcome, errno=5)

    seen = judge(story.history())

    assert bad_lines(seen) == {"I/O errors at the application": Verdict.FAIL}
    assert seen.io_errors == 1


def test_error_on_a_path_is_evidence_and_not_a_failure(story: Story) -> None:
    story.io(
        probe="path:p1", op="test_unit_ready", due=1004, lba=-1, tag=-1, blocks=0,
        outcome=IoOutcome.CHECK_CONDITION, sense="2/04/0c",
    )  # fmt: skip

    seen = judge(story.history())

    assert seen.verdict is Verdict.PASS
    assert seen.attribution[0].name == "first error on a path"
    assert (seen.attribution[0].from_ms, seen.attribution[0].to_ms) == (0.0, 5.0)
    assert "2/04/0c" in seen.attribution[0].evidence


def test_lost_write_fails_even_when_everything_was_fast(story: Story) -> None:
    story.io(probe="readback:path2", op="read", due=3045, tag=299)

    seen = judge(story.history())

    assert bad_lines(seen) == {"Data read is the data written": Verdict.FAIL}
    assert seen.mismatches == 8


def test_unreadable_sector_at_the_read_back_fails(story: Story) -> None:
    story.io(
        probe="readback:path2", op="read", due=3045, tag=-1, outcome=IoOutcome.CHECK_CONDITION,
        sense="3/11/00",
    )  # fmt: skip

    assert bad_lines(judge(story.history())) == {"Read back through every path": Verdict.FAIL}


def test_arrays_that_differ_fail(story: Story) -> None:
    story.event(3070, EventKind.COMPARE, "lu0", equal=False, sectors=10, detail="differ at LBA 77")

    seen = judge(story.history())

    assert bad_lines(seen) == {"Arrays compared sector by sector": Verdict.FAIL}
    assert "LBA 77" in seen.reason


def test_redundancy_that_is_not_restored_fails(story: Story) -> None:
    story.drop(EventKind.REDUNDANCY)
    story.event(2900, EventKind.REDUNDANCY, "lab", restored=False, detail="path2 is failed")

    seen = judge(story.history())

    assert bad_lines(seen) == {"Redundancy at the end": Verdict.FAIL}
    assert seen.redundancy_restored_ms is None


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (EventKind.PROVEN, "Fault injected and seen"),
        (EventKind.MEND_PROVEN, "Fault mended and seen"),
        (EventKind.REDUNDANCY, "Redundancy at the end"),
        (EventKind.READBACK, "Read back through every path"),
        (EventKind.COMPARE, "Arrays compared sector by sector"),
    ],
)
def test_missing_evidence_is_inconclusive(story: Story, kind: EventKind, name: str) -> None:
    story.drop(kind)

    assert bad_lines(judge(story.history())) == {name: Verdict.INCONCLUSIVE}


def test_fault_that_was_looked_for_and_not_seen_is_inconclusive(story: Story) -> None:
    story.drop(EventKind.PROVEN)
    story.event(1500, EventKind.NOT_PROVEN, "engine1", detail="process 7 still runs")

    seen = judge(story.history())

    assert seen.verdict is Verdict.INCONCLUSIVE
    assert "process 7 still runs" in seen.reason


def test_arrays_that_the_lab_cannot_read_are_excused(story: Story) -> None:
    story.drop(EventKind.COMPARE)
    story.event(3060, EventKind.NOTE, "compare", detail="the lab names no inspection disks")

    assert judge(story.history()).verdict is Verdict.PASS


def test_error_of_the_suite_is_inconclusive(story: Story) -> None:
    story.event(1500, EventKind.ERROR, "observer", detail="multipathd does not answer")

    seen = judge(story.history())

    assert seen.verdict is Verdict.INCONCLUSIVE
    assert "multipathd does not answer" in seen.reason


def test_error_of_the_suite_does_not_hide_a_failure(story: Story) -> None:
    story.event(1500, EventKind.ERROR, "observer", detail="multipathd does not answer")
    story.io(due=1100, tag=1000, lba=80, outcome=IoOutcome.ERROR, errno=5)

    assert judge(story.history()).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("BUG: unable to handle page fault for address", Verdict.INCONCLUSIVE),
        ("Oops: 0002 [#1] PREEMPT SMP", Verdict.INCONCLUSIVE),
        ("device-mapper: multipath: 254:4: Failing path 8:240.", Verdict.PASS),
    ],
)
def test_host_with_a_broken_kernel_proves_nothing(
    story: Story, text: str, verdict: Verdict
) -> None:
    story.event(1500, EventKind.KERNEL, "kernel", detail=text)

    assert judge(story.history()).verdict is verdict


def test_history_that_breaks_off_is_inconclusive(story: Story) -> None:
    story.events = [event for event in story.events if event.t_ns < 1500_000_000]

    seen = judge(story.history())

    assert seen.verdict is Verdict.INCONCLUSIVE
    assert bad_lines(seen)["Scenario ran to its end"] is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("probe", ["app-write", "app-read", "app-"])
def test_run_that_did_nothing_is_inconclusive(story: Story, probe: str) -> None:
    story.drop_probe(probe)

    assert "Scenario ran to its end" in bad_lines(judge(story.history()))


def test_run_without_the_control_probe_is_inconclusive(story: Story) -> None:
    story.drop_probe("control")

    assert set(bad_lines(judge(story.history())).values()) == {Verdict.INCONCLUSIVE}


def test_noise_does_not_spoil_a_stall_within_its_limit(story: Story) -> None:
    """Noise only lengthens a stall, so what was measured is an upper bound."""
    story.io(probe="control", op="read", due=1500, done=1700, lba=8)
    story.io(due=1500, done=1710, tag=1000, lba=80)

    seen = judge(story.history())

    assert (seen.verdict, seen.noise_floor_ms) == (Verdict.PASS, 200.0)
    assert "at most what was measured" in line(seen, "Noise floor after the fault")


def test_stall_that_noise_explains_is_inconclusive(story: Story) -> None:
    story.io(probe="control", op="read", due=1345, done=1371, lba=8)
    story.io(due=1100, done=1376, tag=1000, lba=80)

    seen = judge(story.history())

    assert bad_lines(seen) == {
        "Longest stall after the fault": Verdict.INCONCLUSIVE,
        "Noise floor after the fault": Verdict.INCONCLUSIVE,
    }
    assert untimed(seen)


def test_stall_that_little_noise_would_explain_fails(story: Story) -> None:
    """Up to a tenth of the limit nothing is subtracted: simple acceptance."""
    story.io(probe="control", op="read", due=1500, done=1525, lba=8)
    story.io(due=1100, done=1360, tag=1000, lba=80)

    assert bad_lines(judge(story.history())) == {"Longest stall after the fault": Verdict.FAIL}


def test_noise_does_not_hide_a_stall_above_the_limit(story: Story) -> None:
    story.io(probe="control", op="read", due=1500, done=1526, lba=8)
    story.io(due=1100, done=1900, tag=1000, lba=80)

    seen = judge(story.history())

    assert seen.verdict is Verdict.FAIL
    assert not untimed(seen)


def test_noise_does_not_excuse_an_io_that_never_ended(story: Story) -> None:
    story.io(probe="control", op="read", due=1500, done=2900, lba=8)
    story.io(due=1500, done=-1, tag=1000, lba=80)

    assert judge(story.history()).verdict is Verdict.FAIL


def test_repeat_without_a_control_probe_is_not_untimed(story: Story) -> None:
    story.drop_probe("control")

    assert not untimed(judge(story.history()))


def test_noise_before_the_fault_does_not_matter(story: Story) -> None:
    story.io(probe="control", op="read", due=500, done=700, lba=8)

    assert judge(story.history()).verdict is Verdict.PASS


def test_scenario_that_the_lab_cannot_express_is_not_run() -> None:
    plan = make_plan(not_run="the lab file names no engine process")

    seen = judge(Story(plan=plan).history())

    assert (seen.verdict, seen.reason) == (Verdict.NOT_RUN, "the lab file names no engine process")


def test_scenario_that_was_never_reached_is_not_run() -> None:
    assert judge(Story().history()).verdict is Verdict.NOT_RUN


def test_failures_come_before_other_lines(story: Story) -> None:
    story.io(due=1100, tag=1000, lba=80, outcome=IoOutcome.ERROR, errno=5)
    story.drop(EventKind.COMPARE)

    seen = judge(story.history())

    assert [check.verdict for check in seen.checks[:2]] == [Verdict.FAIL, Verdict.INCONCLUSIVE]


@pytest.mark.parametrize("state", [{"state": "failed"}, {"state": "faulty"}])
def test_stall_is_attributed_to_its_parts(story: Story, state: dict[str, Any]) -> None:
    story.io(probe="path:p1", op="read", due=1001, done=1005, outcome=IoOutcome.TRANSPORT)
    story.event(1012, EventKind.PATH_STATE, "p1", **state)
    story.io(due=1001, done=1021, tag=1000, lba=80)
    story.event(2600, EventKind.PATH_STATE, "p1", state="active")

    seen = judge(story.history()).attribution

    assert [(part.name, part.to_ms) for part in seen] == [
        ("first error on a path", 5.0),
        ("path marked failed", 12.0),
        ("last late I/O done", 21.0),
        ("fault mended", 1000.0),
        ("last path usable again", 1600.0),
        ("redundancy restored", 1800.0),
    ]
