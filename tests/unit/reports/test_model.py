"""What the report makes of judgements: worst repeats, merged verdicts, key figures."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from reports.folder import load_run
from reports.model import Scenario, gravest, key_figures, scenarios_of
from reports.record import Grade, ScenarioJudgement, Verdict
from tests.unit.reports import sample_parts


def judged(repeat: int, verdict: Verdict, failover_ms: float | None) -> ScenarioJudgement:
    return ScenarioJudgement(
        id="P1",
        repeat=repeat,
        verdict=verdict,
        reason=f"repeat {repeat}",
        grade=Grade.PLATINUM,
        stall_failover_ms=failover_ms,
        stall_failback_ms=None,
        noise_floor_ms=None,
        steady_ms_max=None,
        latency_ms_p50=None,
        latency_ms_p99=None,
        io_count=10,
        io_errors=0,
        sectors_written=8,
        sectors_verified=8,
        mismatches=0,
        redundancy_restored_ms=None,
        checks=[],
        attribution=[],
    )


def scenario(*repeats: ScenarioJudgement, planned: int) -> Scenario:
    plan = replace(sample_parts.plans(repeats=1, not_run=set())[1], repeats=planned)
    return Scenario(plan=plan, repeats=repeats, anchor="s")


@pytest.mark.parametrize(
    ("verdicts", "merged"),
    [
        ([], Verdict.NOT_RUN),
        ([Verdict.PASS], Verdict.PASS),
        ([Verdict.PASS, Verdict.NOT_RUN], Verdict.NOT_RUN),
        ([Verdict.NOT_RUN, Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.PASS], Verdict.FAIL),
    ],
)
def test_gravest_verdict_wins(verdicts: list[Verdict], merged: Verdict) -> None:
    assert gravest(verdicts) is merged


def test_missing_repeat_is_no_pass() -> None:
    assert scenario(judged(1, Verdict.PASS, 10), planned=2).verdict is Verdict.NOT_RUN


def test_shown_repeat_is_the_gravest_then_the_longest() -> None:
    repeats = [
        judged(1, Verdict.PASS, 900.0),
        judged(2, Verdict.FAIL, 10.0),
        judged(3, Verdict.FAIL, 20.0),
    ]
    worst = scenario(*repeats, planned=3).worst
    assert worst is not None
    assert worst.repeat == 3


def test_stall_is_the_worst_of_all_repeats() -> None:
    stall = scenario(
        judged(1, Verdict.PASS, 10.0),
        judged(2, Verdict.PASS, 30.0),
        judged(3, Verdict.PASS, 20.0),
        planned=3,
    ).failover
    assert (stall.worst_ms, stall.median_ms, stall.within) == (30.0, 20.0, True)


def test_stall_at_its_limit_is_within() -> None:
    assert scenario(judged(1, Verdict.PASS, 250.0), planned=1).failover.within is True


def test_stall_that_was_not_measured_is_neither_within_nor_beyond() -> None:
    stall = scenario(judged(1, Verdict.INCONCLUSIVE, None), planned=1).failover
    assert (stall.worst_ms, stall.within, stall.share) == (None, None, 0.0)


def test_longest_stall_is_of_a_fault_not_of_the_baseline(samples: dict[str, Path]) -> None:
    figures = key_figures(scenarios_of(load_run(samples["failing"])))
    assert figures.longest is not None
    assert (figures.longest.scenario_id, figures.longest.direction) == ("P1", "failover")
    assert (figures.faults_within, figures.faults) == (2, 5)


def test_order_is_from_the_gravest_in_the_order_of_the_plan(samples: dict[str, Path]) -> None:
    scenarios = scenarios_of(load_run(samples["inconclusive"]))
    assert [s.plan.id for s in scenarios] == ["P1", "E1k", "A3", "B0", "E2h", "A1"]
