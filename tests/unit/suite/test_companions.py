"""What runs beside every scenario is in the plan, and refused in words where it cannot run."""

import msgspec
import pytest

from certify.lab import LabError, LogicalUnit
from certify.rundir import make_plan
from certify.workloads import APPLICATIONS, WORKLOADS, beside, companions_of, prepare
from tests.unit.suite.test_scenarios import make_lab

UNIT = LogicalUnit(name="lu2", wwid="3600000000000000000000000000000a2", purpose="application")


def lab_with(*units):
    """Return a lab whose units for an application are *units*."""
    lab = make_lab()
    others = [one for one in lab.logical_unit if one.purpose != "application"]
    return msgspec.structs.replace(lab, logical_unit=[*others, *units])


def plan_of(lab, **names):
    return make_plan(lab, profile="full", seed=1, repeats=1, **names)


def test_the_plan_asks_for_the_result_of_every_scenario():
    plan = plan_of(lab_with(UNIT), application="postgresql")

    asked = [one for one in plan.scenarios if one.outage is None]
    assert asked
    assert all(one.exercises[-1] == "PostgreSQL" for one in asked)


def test_nothing_runs_where_an_outage_is_meant():
    plan = plan_of(lab_with(UNIT), workload="oltp")

    meant = [one for one in plan.scenarios if one.outage is not None]
    assert meant
    assert all(beside(plan, one) == [] and "fio oltp" not in one.exercises for one in meant)


def test_a_run_without_either_asks_for_nothing():
    plan = plan_of(lab_with(UNIT))

    assert companions_of(plan) == []
    assert not any("fio" in name for one in plan.scenarios for name in one.exercises)


def test_both_at_once_are_refused():
    lab = lab_with(UNIT)

    with pytest.raises(LabError, match="the same logical unit"):
        prepare(lab, plan_of(lab, workload="vm", application="postgresql"))


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ((), 'names no logical_unit with purpose = "application"'),
        ((msgspec.structs.replace(UNIT, host="far"),), "runs on the host that measures"),
    ],
)
def test_a_lab_without_a_unit_for_it_is_refused(units, words):
    lab = lab_with(*units)

    with pytest.raises(LabError, match=words):
        prepare(lab, plan_of(lab, workload="oltp"))


def test_a_plan_of_another_version_is_refused_by_name():
    plan = msgspec.structs.replace(plan_of(lab_with(UNIT)), workload="database9")

    with pytest.raises(LabError, match="'database9' is not one of oltp, imaging, vm"):
        companions_of(plan)


def test_names_are_those_of_the_command_line():
    assert list(WORKLOADS) == ["oltp", "imaging", "vm"]
    assert list(APPLICATIONS) == ["postgresql"]
