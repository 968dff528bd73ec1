"""Every scenario says what it is, is expressed by a full lab, and says what a poor lab lacks."""

import dataclasses
from pathlib import Path

import msgspec
import pytest

from certify.lab import (
    Array,
    Back,
    Command,
    Engine,
    General,
    Host,
    Lab,
    Leg,
    Limits,
    Link,
    LogicalUnit,
    Means,
    PathEntry,
    Target,
)
from certify.scenarios import MODULES, PROFILES, scenarios_of
from certify.scenarios.profiles import GEAR, REPEATS, WORDS
from fault_injectors import FAULTS

COMMAND = Command(argv=["true"])


PLAIN_ENGINE = Engine(name="e", pid=COMMAND, start=COMMAND, ready=COMMAND)
UNITS = {"lu0": "load", "lu1": "conformance"}


def make_lab() -> Lab:
    """Return a lab file that lacks nothing."""
    return Lab(
        schema=1,
        lab=General(name="l"),
        system_under_test=Target(name="t"),
        host=[Host(name="host1"), Host(name="host2")],
        logical_unit=[
            LogicalUnit(
                name=name,
                wwid=f"3600{name}",
                purpose=purpose,
                also_on=["host2"],
                unmap=COMMAND,
                map=COMMAND,
                is_unmapped=COMMAND,
            )
            for name, purpose in UNITS.items()
        ],
        path=[
            PathEntry(
                name=f"h{host}-e{engine}",
                host=f"host{host}",
                engine=f"engine{engine}",
                hctl=f"{host}{engine}:0:0:*",
            )
            for host in (1, 2)
            for engine in (1, 2)
        ],
        engine=[
            Engine(
                name=f"engine{number}",
                pid=COMMAND,
                start=COMMAND,
                ready=COMMAND,
                leave=COMMAND,
                left=COMMAND,
                rejoin=COMMAND,
                manager=COMMAND,
            )
            for number in (1, 2)
        ],
        array=[
            Array(
                name=name,
                hctl=[f"{port}:0:0:{lun}" for port in (1, 2) for lun in (0, 1)],
                leg=[
                    Leg(logical_unit=unit, inspect_wwid=name + unit, slow_device=name + unit)
                    for unit in UNITS
                ],
                busy=COMMAND,
                calm=COMMAND,
                is_busy=COMMAND,
            )
            for name in "AB"
        ],
        link=Link(cut=COMMAND, mend=COMMAND, is_cut=COMMAND),
        redundancy=COMMAND,
    )


def test_profile_quick_is_what_it_is_said_to_be() -> None:
    assert PROFILES["quick"] == ("B0", "P1", "E1k", "E2h", "A1", "A3")


@pytest.mark.parametrize("scenario", [one for one in MODULES if one not in GEAR])
def test_full_lab_expresses_every_scenario(scenario: str) -> None:
    plan = MODULES[scenario].SCENARIO.plan(make_lab(), repeats=3)

    assert (plan.id, plan.not_run, plan.repeats) == (scenario, "", 3)
    assert plan.fault == "" or plan.fault in FAULTS
    assert all((plan.title, plan.description, plan.expected, plan.requirement, plan.reference))


@pytest.mark.parametrize("scenario", [one for one in MODULES if one not in {"B0", "T1", *GEAR}])
def test_fault_acts_on_what_the_plan_names(scenario: str) -> None:
    lab = make_lab()
    broken = MODULES[scenario].SCENARIO.build(lab)

    assert broken is not None
    first, plan = broken.steps[0], MODULES[scenario].SCENARIO.plan(lab, repeats=1)
    assert (first.fault.kind, first.fault.subject) == (plan.fault, plan.steps[0].subject)
    assert all(dataclasses.is_dataclass(step.fault) for step in broken.steps)


@pytest.mark.parametrize(
    ("scenario", "changes", "reason"),
    [
        ("P1", {"path": []}, "names 0 paths"),
        ("P3", {"path": []}, "names 0 paths from host1"),
        ("P4", {"path": []}, "names 0 paths from host1"),
        ("P6", {"path": []}, "names 0 paths from host1"),
        ("P7", {"logical_unit": [LogicalUnit(name="u", wwid="36")]}, "u has no commands unmap"),
        ("E5", {"engine": []}, "names 0 engines"),
        ("E6", {"engine": [Engine(name="e")]}, "no command pid, start, ready"),
        ("E7", {"engine": [PLAIN_ENGINE]}, "no command leave, left, rejoin"),
        ("E8", {"engine": [PLAIN_ENGINE]}, "names 1 engines"),
        ("L1", {"link": None}, "no [link] with commands cut"),
        ("D1", {"array": []}, "names 0 arrays"),
        ("D2", {"engine": []}, "names 0 engines"),
        ("D3e", {"engine": [PLAIN_ENGINE]}, "names 1 engines"),
        ("D3a", {"array": [Array(name="A")]}, "array A has no hctl"),
        ("E1k", {"engine": []}, "names 0 engines"),
        ("E1k", {"engine": [Engine(name="e")]}, "no command pid, start, ready"),
        ("E2h", {"engine": [Engine(name="e")]}, "names 1 engines"),
        ("A1", {"array": [Array(name="A")]}, "array A has no hctl"),
        ("A3", {"array": [Array(name="A"), Array(name="B")]}, "array B has no slow_device"),
        ("A2", {"array": [Array(name="A"), Array(name="B")]}, "array B has no slow_device"),
        ("A4", {"array": [Array(name="A", hctl=["1:0:0:*"])]}, "array A has 1 back paths"),
        (
            "A5",
            {"array": [Array(name="A")]},
            "no leg with a slow_device of a unit",
        ),
        ("A7b", {"array": [Array(name="A")]}, "array A has no command busy"),
        ("A8", {"array": [Array(name="A")]}, "the arrays cannot be compared past the system"),
        ("A9", {"redundancy": None}, "the lab file has no command redundancy"),
        ("R2", {"array": [Array(name="A", hctl=["1:0:0:*"])]}, "names 1 arrays"),
        (
            "S5",
            {"engine": [Engine(name="e", pid=COMMAND, start=COMMAND, ready=COMMAND)]},
            "manager",
        ),
    ],
)
def test_poor_lab_says_what_it_lacks(
    scenario: str, changes: dict[str, object], reason: str
) -> None:
    lab = msgspec.structs.replace(make_lab(), **changes)

    assert reason in MODULES[scenario].SCENARIO.plan(lab, repeats=1).not_run


@pytest.mark.parametrize("scenario", sorted(GEAR))
def test_what_takes_gear_of_its_own_says_which(scenario: str) -> None:
    lab = make_lab()
    virtual = msgspec.structs.replace(lab, lab=General(name="l", kind="virtual"))
    plan = MODULES[scenario].SCENARIO.plan(virtual, repeats=1)
    real = MODULES[scenario].SCENARIO.plan(lab, repeats=1).not_run
    _, takes, rest = plan.not_run.partition("; it takes ")

    assert takes
    assert real == f"The lab file has no commands for it{takes}{rest}"
    assert f'[[means]] with scenario = "{scenario}"' in plan.not_run
    assert plan.need not in ("", "nothing but a lab file")


@pytest.mark.parametrize("scenario", sorted(GEAR))
def test_commands_of_the_lab_file_express_it(scenario: str) -> None:
    means = Means(scenario=scenario, subject="s", apply=COMMAND, probe=COMMAND, heal=COMMAND)
    lab = msgspec.structs.replace(make_lab(), means=[means])
    plan = MODULES[scenario].SCENARIO.plan(lab, repeats=1)

    first, _, beside = plan.subject.partition(", ")
    assert (plan.not_run, plan.fault, first) == ("", "command", "s")
    assert beside == ("link" if scenario == "L4" else "")


@pytest.mark.parametrize("scenario", [one for one in MODULES if one not in GEAR])
def test_steps_are_in_order_of_time_and_mended_after_they_began(scenario: str) -> None:
    for repeat in (1, 2, 3):
        broken = MODULES[scenario].SCENARIO.schedule(make_lab(), seed=7, repeat=repeat)
        for step in broken.steps if broken else ():
            assert step.at_s >= 0
            assert step.mend_at_s is None or step.mend_at_s > step.at_s


@pytest.mark.parametrize("scenario", ["A1", "R1", "R2", "R3", "R4", "D1", "D3a"])
def test_an_array_is_cut_off_by_its_switch_where_the_lab_has_one(scenario: str) -> None:
    """The switch goes before what could be done to the engines' own disks."""
    lab = make_lab()
    back = Back(cut=Command(argv=["cut"], timeout_s=7.0), mend=COMMAND, is_cut=COMMAND)
    cut_off = [
        msgspec.structs.replace(array, back=back, hctl=hctl, reach="ssh:array")
        for array, hctl in zip(lab.array, ([], lab.array[1].hctl), strict=True)
    ]
    broken = MODULES[scenario].SCENARIO.schedule(
        msgspec.structs.replace(lab, array=cut_off), seed=1
    )

    cuts = [step for step in broken.steps if step.fault.kind == "array_cut"]
    assert cuts
    assert {step.reach for step in cuts} == {"local"}
    assert {(step.fault.apply_argv, step.fault.timeout_s) for step in cuts} == {(("cut",), 30.0)}
    before = MODULES[scenario].SCENARIO.schedule(lab, seed=1)
    assert [(one.at_s, one.mend_at_s) for one in broken.steps] == [
        (one.at_s, one.mend_at_s) for one in before.steps
    ]


@pytest.mark.parametrize("scenario", [one for one in MODULES if MODULES[one].SCENARIO.vary])
def test_seed_sets_the_schedule(scenario: str) -> None:
    one = MODULES[scenario].SCENARIO
    lab = make_lab()

    assert one.schedule(lab, seed=1) == one.schedule(lab, seed=1)
    assert one.schedule(lab, seed=1) != one.schedule(lab, seed=2)
    assert one.schedule(lab, seed=1, repeat=1) != one.schedule(lab, seed=1, repeat=2)
    assert one.plan(lab, repeats=1, seed=3).steps == one.plan(lab, repeats=1, seed=3).steps


def test_soak_has_one_fault_outstanding_at_a_time() -> None:
    broken = MODULES["T1"].SCENARIO.schedule(make_lab(), seed=5)
    assert broken is not None
    ends = [step.mend_at_s for step in broken.steps]

    assert all(step.whole_first for step in broken.steps[1:])
    assert all(
        end is not None and end < step.at_s
        for end, step in zip(ends, broken.steps[1:], strict=False)
    )
    assert len({step.fault.kind for step in broken.steps}) > 4


def test_page_of_the_catalogue_lists_every_scenario() -> None:
    page = (Path(__file__).parents[3] / "docs/scenarios.md").read_text(encoding="utf-8")

    missing = [
        one.SCENARIO.id
        for one in MODULES.values()
        if f"| {one.SCENARIO.id} | {one.SCENARIO.title} |" not in page
    ]
    assert missing == []


def test_profiles_name_known_scenarios_and_say_what_they_are() -> None:
    assert set(PROFILES) == set(WORDS) == set(REPEATS)
    assert all(one in MODULES for ids in PROFILES.values() for one in ids)
    assert set(PROFILES["full"]) | {"T1"} == set(MODULES)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [({}, 250.0), ({"default": 400.0}, 400.0), ({"default": 400.0, "P1": 90.0}, 90.0)],
)
def test_lab_file_sets_the_limits(limits: dict[str, float], expected: float) -> None:
    lab = msgspec.structs.replace(make_lab(), limits=Limits(failover_ms=limits))

    assert MODULES["P1"].SCENARIO.plan(lab, repeats=1).limit_failover_ms == expected


def test_profile_lists_scenarios_in_order() -> None:
    assert tuple(one.id for one in scenarios_of("quick")) == PROFILES["quick"]


def test_requirements_are_told_apart() -> None:
    requirements = [module.SCENARIO.requirement for module in MODULES.values()]

    assert len(set(requirements)) == len(requirements)
