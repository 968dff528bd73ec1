"""A run is certified only when everything passed; the exit code says why not.

Grades and exit codes: docs on the certification rules; edges of a grade are inclusive up to Gold
and exclusive where an application acts at that very time.
"""

from typing import Any

import pytest

from certify.verdict import ExitCode, grade_of, judge_run, merge, show_ms, worst_grade
from reports.record import (
    AssertionRecord,
    ConformanceRecord,
    Grade,
    JudgementRecord,
    PlanRecord,
    ScenarioJudgement,
    Verdict,
)

from .conftest import make_plan

PLAN = PlanRecord(schema=1, profile="quick", seed=1, scenarios=[make_plan()])


def judgement(verdict: Verdict = Verdict.PASS, **changes: Any) -> ScenarioJudgement:
    values: dict[str, Any] = {
        "id": "E1k", "repeat": 1, "verdict": verdict, "reason": "why", "grade": Grade.PLATINUM,
        "stall_failover_ms": 21.0, "stall_failback_ms": 12.0, "noise_floor_ms": 1.0,
        "steady_ms_max": 2.0, "latency_ms_p50": 0.3, "latency_ms_p99": 1.0, "io_count": 10,
        "io_errors": 0, "sectors_written": 80, "sectors_verified": 80, "mismatches": 0,
        "redundancy_restored_ms": 900.0, "checks": [], "attribution": [],
    }  # fmt: skip
    return ScenarioJudgement(**(values | changes))


def conformance(*verdicts: Verdict) -> ConformanceRecord:
    return ConformanceRecord(
        schema=1,
        assertions=[
            AssertionRecord(
                family="inquiry", name="VPD 83", path="p1", clause="SPC-4 7.8.6", cdb="12",
                expected="one", observed="two", repeat_with="sg_raw", verdict=verdict,
            )
            for verdict in verdicts
        ],
    )  # fmt: skip


def run(*scenarios: ScenarioJudgement, **rest: Any) -> JudgementRecord:
    return judge_run(PLAN, scenarios, rest.pop("told", conformance(Verdict.PASS)), **rest)


def test_all_passed_is_certified() -> None:
    seen = run(judgement())

    assert (seen.certified, seen.grade, seen.exit_code) == (True, Grade.PLATINUM, 0)
    assert seen.sentence.startswith("The longest stall was 21.0 ms over 1 scenarios.")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Verdict.NOT_RUN),
        ([Verdict.PASS], Verdict.PASS),
        ([Verdict.PASS, Verdict.NOT_RUN], Verdict.NOT_RUN),
        ([Verdict.NOT_RUN, Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.PASS], Verdict.FAIL),
    ],
)
def test_verdicts_merge_to_the_gravest(verdicts: list[Verdict], expected: Verdict) -> None:
    assert merge(verdicts) is expected


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.FAIL, ExitCode.FAILED),
        (Verdict.INCONCLUSIVE, ExitCode.INCONCLUSIVE),
        (Verdict.NOT_RUN, ExitCode.INCONCLUSIVE),
    ],
)
def test_one_scenario_decides_the_run(verdict: Verdict, code: ExitCode) -> None:
    seen = run(judgement(), judgement(verdict, id="P1"))

    assert (seen.verdict, seen.exit_code, seen.certified) == (verdict, code, False)
    assert seen.grade is Grade.NOT_CERTIFIED


def test_failed_assertion_fails_the_run() -> None:
    seen = run(judgement(), told=conformance(Verdict.PASS, Verdict.FAIL))

    assert (seen.verdict, seen.exit_code) == (Verdict.FAIL, ExitCode.FAILED)
    assert seen.findings[0].text == "VPD 83 on p1: expected one; observed two"


def test_run_without_conformance_is_not_certified() -> None:
    seen = run(judgement(), told=conformance())

    assert (seen.verdict, seen.exit_code) == (Verdict.NOT_RUN, ExitCode.INCONCLUSIVE)


def test_skipped_assertion_is_counted_and_does_not_fail() -> None:
    seen = run(judgement(), told=conformance(Verdict.PASS, Verdict.NOT_RUN))

    assert (seen.certified, seen.conformance_not_run) == (True, 1)


def test_lab_that_could_not_be_restored_has_its_own_exit_code() -> None:
    seen = run(judgement(), lab_problem="path2 is failed")

    assert (seen.verdict, seen.exit_code) == (Verdict.INCONCLUSIVE, ExitCode.LAB)
    assert "path2 is failed" in seen.sentence


def test_failure_outweighs_an_unrestored_lab() -> None:
    seen = run(judgement(Verdict.FAIL), lab_problem="path2 is failed")

    assert seen.exit_code == ExitCode.FAILED
    assert [finding.text for finding in seen.findings[:2]] == ["why", "path2 is failed"]


def test_run_of_nothing_is_not_certified() -> None:
    assert run(told=conformance()).certified is False


def test_stall_beyond_every_grade_is_not_certified() -> None:
    """The customer's limit may be long; the grade says what it is worth."""
    seen = run(judgement(grade=Grade.NOT_CERTIFIED, stall_failover_ms=60_000.0))

    assert (seen.certified, seen.exit_code) == (False, ExitCode.FAILED)


def test_sentence_of_a_failure_names_the_gravest() -> None:
    slow = judgement(Verdict.FAIL, stall_failover_ms=132_000.0, reason="too slow")
    wrong = judgement(Verdict.FAIL, id="A1", mismatches=1, reason="data lost")

    assert run(slow, wrong).sentence == "2 of 2 scenarios failed. A1: data lost"


@pytest.mark.parametrize(
    ("failover_ms", "failback_ms", "grade"),
    [
        (None, None, Grade.PLATINUM),
        (1_000.0, 1_000.0, Grade.PLATINUM),
        (1_000.1, 0.0, Grade.GOLD),
        (0.0, 2_000.0, Grade.GOLD),
        (5_000.0, 2_000.1, Grade.SILVER),
        (14_999.0, 5_000.0, Grade.SILVER),
        (15_000.0, 5_000.0, Grade.BRONZE),
        (26_999.0, 14_999.0, Grade.BRONZE),
        (27_000.0, 0.0, Grade.NOT_CERTIFIED),
        (0.0, 15_000.0, Grade.NOT_CERTIFIED),
        (132_400.0, 10.0, Grade.NOT_CERTIFIED),
    ],
)
def test_grade_is_the_best_whose_edges_are_kept(
    failover_ms: float | None, failback_ms: float | None, grade: Grade
) -> None:
    assert grade_of(failover_ms, failback_ms) is grade


def test_worst_grade_counts() -> None:
    assert worst_grade([Grade.PLATINUM, Grade.BRONZE, Grade.GOLD]) is Grade.BRONZE


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0.0, "0.00 ms"), (0.318, "0.32 ms"), (8.314, "8.31 ms"), (21.34, "21.3 ms"),
        (213.4, "213 ms"), (999.4, "999 ms"), (999.9, "1.00 s"), (4_820.0, "4.82 s"),
        (132_400.0, "132 s"),
    ],
)  # fmt: skip
def test_times_have_three_digits(ms: float, text: str) -> None:
    assert show_ms(ms) == text
