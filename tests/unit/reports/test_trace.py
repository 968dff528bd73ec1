"""The requirement trace loses no scenario and calls nothing met that was not."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from reports.folder import load_run
from reports.record import Verdict
from reports.trace import UNNAMED, customer_requirements, requirements_of, standard_of, standards_of
from reports.view import view_of


@pytest.mark.parametrize(
    ("clause", "standard"),
    [
        ("SPC-5 6.7.2", "SPC-5"),
        ("SPC-4 5.13.1, SBC-3 4.17 Reservations", "SPC-4"),
        ("sg3_utils(8)", "sg3_utils"),
        ("libiscsi test-tool", "libiscsi test-tool"),
        ("", "no standard named"),
    ],
)
def test_a_clause_begins_with_its_standard(clause: str, standard: str) -> None:
    assert standard_of(clause) == standard


def test_every_scenario_is_in_the_trace_once_the_gravest_first(samples: dict[str, Path]) -> None:
    view = view_of(load_run(samples["failing"]))
    found = requirements_of(view.scenarios)
    tested = sorted(scenario.plan.id for one in found for scenario in one.scenarios)
    assert tested == sorted(scenario.plan.id for scenario in view.scenarios)
    assert found[0].verdict is Verdict.FAIL
    passed, made = found[0].checks
    assert passed < made


def test_one_failure_breaks_a_requirement_that_others_meet(samples: dict[str, Path]) -> None:
    run = load_run(samples["failing"])
    plan = replace(
        run.plan, scenarios=[replace(one, requirement="R-1") for one in run.plan.scenarios]
    )
    view = view_of(type(run)(**{**{k: getattr(run, k) for k in run.__slots__}, "plan": plan}))
    (one,) = requirements_of(view.scenarios)
    assert (one.id, one.verdict, len(one.scenarios)) == ("R-1", Verdict.FAIL, 6)


def test_what_was_not_run_is_not_met(samples: dict[str, Path]) -> None:
    view = view_of(load_run(samples["inconclusive"]))
    untested = [one for one in requirements_of(view.scenarios) if not one.was_tested]
    assert [one.verdict for one in untested] == [Verdict.NOT_RUN]


def test_a_scenario_without_requirement_is_told(samples: dict[str, Path]) -> None:
    view = view_of(load_run(samples["healthy"]))
    scenario = view.scenarios[0]
    plan = replace(scenario.plan, requirement="")
    changed = type(scenario)(plan=plan, repeats=scenario.repeats, anchor=scenario.anchor)
    assert [one.id for one in requirements_of([changed])] == [UNNAMED]


def test_a_standard_counts_what_did_not_run_apart(samples: dict[str, Path]) -> None:
    standards = standards_of(load_run(samples["failing"]).conformance.assertions)
    spc = next(one for one in standards if one.name == "SPC-5")
    assert spc.verdict is Verdict.FAIL
    assert (spc.count(Verdict.FAIL), spc.count(Verdict.NOT_RUN)) == (1, 2)
    assert sum(len(one.assertions) for one in standards) == 24


def test_a_customers_requirement_needs_all_that_it_names(samples: dict[str, Path]) -> None:
    run = load_run(samples["physical"])
    engine, array = customer_requirements(run.run.acceptance.required, view_of(run).scenarios)
    assert [one.plan.id for one in engine.scenarios] == ["E1k", "E2h"]
    assert engine.verdict is Verdict.PASS
    assert [one.plan.id for one in array.scenarios] == ["A1"]
    assert array.lacking == ("HA-040",)
    assert array.verdict is Verdict.NOT_RUN
