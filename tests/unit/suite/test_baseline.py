"""A baseline: what counts as worse, and what does not."""

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from certify.baseline import FACTOR, SLACK_MS, baseline_of, read_baseline, regressions
from reports.folder import Run, load_run
from reports.record import RecordError, Verdict, encode
from tests.unit.reports.sample_run import write_sample_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return load_run(write_sample_run(tmp_path_factory.mktemp("baseline") / "healthy"))


def _with(run: Run, scenario: str, **changes: object) -> Run:
    """Return *run* with changed judgements of one scenario."""
    scenarios = [
        changed(one, **changes) if one.id == scenario else one for one in run.judgement.scenarios
    ]
    return replace(run, judgement=changed(run.judgement, scenarios=scenarios))


def _stall(run: Run, scenario: str) -> float:
    return max(one.stall_failover_ms or 0 for one in run.judgement.scenarios if one.id == scenario)


def test_a_run_is_no_regression_of_itself(run: Run) -> None:
    assert regressions(baseline_of(run), run) == []


def test_a_stall_that_is_longer_by_the_factor_and_beyond_noise_is_one(run: Run) -> None:
    worse = _with(run, "E1k", stall_failover_ms=_stall(run, "E1k") * FACTOR + 200, noise_floor_ms=1)
    found = regressions(baseline_of(run), worse)
    assert len(found) == 1
    assert found[0].startswith("E1k: the stall at failover is")


def test_a_stall_within_the_factor_is_none(run: Run) -> None:
    longer = _with(run, "E2h", stall_failover_ms=_stall(run, "E2h") * FACTOR)
    assert regressions(baseline_of(run), longer) == []


def test_a_stall_that_noise_explains_is_none(run: Run) -> None:
    seen = _stall(run, "P1") * FACTOR + SLACK_MS * 4
    noisy = _with(run, "P1", stall_failover_ms=seen, noise_floor_ms=seen)
    assert regressions(baseline_of(run), noisy) == []


def test_a_worse_verdict_is_one(run: Run) -> None:
    failed = _with(run, "A1", verdict=Verdict.INCONCLUSIVE)
    assert regressions(baseline_of(run), failed) == ["A1: INCONCLUSIVE; it was PASS"]


def test_a_better_verdict_is_none(run: Run) -> None:
    then = baseline_of(_with(run, "A1", verdict=Verdict.FAIL))
    assert regressions(then, run) == []


def test_a_scenario_that_is_not_planned_any_more_is_one(run: Run) -> None:
    plans = [plan for plan in run.plan.scenarios if plan.id != "A3"]
    fewer = replace(run, plan=changed(run.plan, scenarios=plans))
    assert regressions(baseline_of(run), fewer) == ["A3: not in the plan any more; it was PASS"]


def test_an_assertion_that_passed_and_fails_is_one(run: Run) -> None:
    first, *rest = run.conformance.assertions
    failed = changed(first, verdict=Verdict.FAIL)
    worse = replace(run, conformance=changed(run.conformance, assertions=[failed, *rest]))
    found = regressions(baseline_of(run), worse)
    assert found == [f"conformance: {first.family}/{first.name} on {first.path}: FAIL; it was PASS"]


def test_another_kernel_cannot_be_held_against_it(run: Run) -> None:
    other = replace(run, run=changed(run.run, lab=changed(run.run.lab, kernel="kvm")))
    with pytest.raises(RecordError, match="another kernel than the baseline: expected 'uml'"):
        regressions(baseline_of(run), other)


def test_a_baseline_survives_its_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(encode(baseline_of(run)))
    assert read_baseline(path) == baseline_of(run)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not a baseline"),
        (b'{"schema": 1}', "not a baseline: Object missing required field"),
        (b"\xff\xfe", "not a baseline"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=message) as caught:
        read_baseline(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="certify baseline RUN -o"):
        read_baseline(tmp_path / "none.json")


def test_another_schema_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(encode(changed(baseline_of(run), schema=9)))
    with pytest.raises(RecordError, match="schema: expected 1, seen 9"):
        read_baseline(path)
