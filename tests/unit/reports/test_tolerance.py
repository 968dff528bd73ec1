"""Safe is only what was shown to be: below the limit, everything judged, nothing wrong."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from reports.folder import load_run
from reports.model import Scenario
from reports.record import Check, OutagePlan, Verdict
from reports.tolerance import TOLERANCES, exposure_of, safe_words, sentence, tolerated
from reports.view import view_of


def scenarios_of(folder: Path) -> list[Scenario]:
    return view_of(load_run(folder)).scenarios


def verdicts(scenarios: list[Scenario], *, indicative: bool = False) -> list[Verdict]:
    seen = exposure_of(scenarios, indicative=indicative)
    return [tolerated(one, seen) for one in TOLERANCES]


def changed(scenarios: list[Scenario], name: str, **values: object) -> list[Scenario]:
    """Return the scenarios, one of them with other values in its first repeat."""
    result = []
    for one in scenarios:
        repeats = one.repeats
        if one.plan.id == name:
            repeats = (replace(repeats[0], **values), *repeats[1:])
        result.append(Scenario(plan=one.plan, repeats=repeats, anchor=one.anchor))
    return result


def test_each_limit_has_a_source_and_they_are_in_order() -> None:
    assert all(one.source and one.consequence for one in TOLERANCES)
    limits = [one.limit_ms for one in TOLERANCES]
    assert limits == sorted(limits)


def test_below_every_limit_is_safe_for_all(samples: dict[str, Path]) -> None:
    assert set(verdicts(scenarios_of(samples["healthy"]))) == {Verdict.PASS}


def test_a_limit_that_is_reached_is_not_safe(samples: dict[str, Path]) -> None:
    stalled = changed(scenarios_of(samples["healthy"]), "E1k", stall_failback_ms=30_000.0)
    seen = exposure_of(stalled, indicative=False)
    told = {one.limit_ms: tolerated(one, seen) for one in TOLERANCES}
    assert seen.where == "E1k failback"
    assert told[30_000] is Verdict.FAIL
    assert told[27_000] is Verdict.FAIL
    assert told[60_000] is Verdict.PASS


@pytest.mark.parametrize("values", [{"io_errors": 1}, {"mismatches": 1}])
def test_an_error_or_wrong_data_is_safe_for_nobody(samples: dict[str, Path], values: dict) -> None:
    scenarios = changed(scenarios_of(samples["healthy"]), "E1k", **values)
    assert set(verdicts(scenarios)) == {Verdict.FAIL}
    assert "no application" in sentence(exposure_of(scenarios, indicative=False))


def test_what_fails_by_more_than_time_is_safe_for_nobody(samples: dict[str, Path]) -> None:
    never = Check(name="I/Os that never ended", expected="0", observed="7", verdict=Verdict.FAIL)
    scenarios = changed(
        scenarios_of(samples["healthy"]), "E1k", verdict=Verdict.FAIL, checks=[never]
    )
    assert set(verdicts(scenarios)) == {Verdict.FAIL}


def test_what_has_no_verdict_leaves_it_open(samples: dict[str, Path]) -> None:
    scenarios = changed(scenarios_of(samples["healthy"]), "E1k", verdict=Verdict.INCONCLUSIVE)
    assert set(verdicts(scenarios)) == {Verdict.INCONCLUSIVE}


def test_times_of_an_emulated_cpu_decide_nothing(samples: dict[str, Path]) -> None:
    told = verdicts(scenarios_of(samples["healthy"]), indicative=True)
    assert set(told) == {Verdict.INCONCLUSIVE}


def test_nothing_measured_is_not_safe(samples: dict[str, Path]) -> None:
    scenarios = [one for one in scenarios_of(samples["healthy"]) if not one.is_fault]
    assert set(verdicts(scenarios)) == {Verdict.NOT_RUN}


def test_an_outage_that_must_be_is_not_counted_and_named(samples: dict[str, Path]) -> None:
    outage = OutagePlan(why="both engines are gone", return_ms=5000.0)
    scenarios = [
        Scenario(
            plan=replace(one.plan, outage=outage if one.plan.id == "E2h" else None),
            repeats=one.repeats,
            anchor=one.anchor,
        )
        for one in scenarios_of(samples["unsupervised"])
    ]
    seen = exposure_of(scenarios, indicative=False)
    assert seen.outages == ("E2h",)
    assert seen.where == "E1k failover"
    assert "the outages that must be, in E2h" in sentence(seen)


def test_the_line_of_the_cover_says_how_much_is_safe(samples: dict[str, Path]) -> None:
    healthy = scenarios_of(samples["healthy"])
    stalled = changed(healthy, "E1k", stall_failback_ms=130_000.0)
    broken = changed(healthy, "E1k", io_errors=1)
    assert safe_words(exposure_of(healthy, indicative=False)).startswith("all 10 programs")
    assert safe_words(exposure_of(stalled, indicative=False)).startswith("2 of 10 programs")
    assert safe_words(exposure_of(broken, indicative=False)).startswith("none of the 10")
    assert safe_words(exposure_of(healthy, indicative=True)).startswith("not shown for any")
