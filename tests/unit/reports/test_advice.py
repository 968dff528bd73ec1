"""A recommendation follows from the evidence, names it, and has an owner."""

from dataclasses import replace as with_fields
from pathlib import Path

import pytest
from msgspec.structs import replace

from reports.advice import MAKER, OPERATOR, TESTER, Advice, advice_of
from reports.folder import Run, load_run
from reports.record import Setting, Verdict
from reports.sections.statement import deviations_of
from reports.view import view_of


def advice(run: Run, failed: int = 0, **timers: str) -> list[Advice]:
    names = {
        "eh_deadline": "SCSI eh_deadline",
        "recovery": "iSCSI recovery_tmo",
        "nop": "iSCSI NOP-Out interval",
        "fast": "FC fast_io_fail_tmo",
        "tcmu": "TCMU cmd_time_out",
        "map": "multipath map of lu0",
        "polling": "multipath max_polling_interval",
    }
    settings = [Setting(name=names[k], value=value, source="s") for k, value in timers.items()]
    return advice_of(replace(run.run, host_timers=settings), view_of(run).scenarios, failed)


def told(found: list[Advice]) -> str:
    return " ".join(f"{one.action} {one.because}" for one in found)


def test_a_good_run_is_only_told_that_once_is_not_often(samples: dict[str, Path]) -> None:
    (one,) = advice(load_run(samples["healthy"]))
    assert (one.severity, one.owner) == ("note", TESTER)
    assert "59 times" in one.action


def test_each_kind_of_failure_has_its_recommendation(samples: dict[str, Path]) -> None:
    found = advice(load_run(samples["failing"]), failed=3)
    text = told(found)
    assert "3 wrong sectors in A1" in text
    assert "5 I/O errors reached the application in P1" in text
    assert "Not restored in A1" in text
    assert "3 assertions failed" in text
    assert found[0].owner == MAKER
    severities = [one.severity for one in found]
    assert severities == sorted(severities, key=("failure", "warning", "note").index)


def test_the_part_that_makes_most_of_a_stall_is_named(samples: dict[str, Path]) -> None:
    stalls = [one for one in advice(load_run(samples["failing"])) if "stood still" in one.because]
    by_scenario = {one.because.split(":")[0]: one for one in stalls}
    assert (
        by_scenario["E2h"].action == "Shorten what comes before “path marked failed” at failover."
    )
    assert by_scenario["E2h"].owner == OPERATOR
    assert by_scenario["A1"].action.endswith("at failback.")
    assert by_scenario["P1"].action == "Shorten the stall at failover."


def test_noise_and_a_fault_that_nobody_saw_are_told_apart(samples: dict[str, Path]) -> None:
    text = told(advice(load_run(samples["inconclusive"])))
    assert "Noise of the host kept P1 from being judged" in text
    assert "E1k came to no verdict" in text
    assert "Not tested: A3" in text


@pytest.mark.parametrize(
    ("timers", "words"),
    [
        ({"eh_deadline": "off"}, "eh_deadline is off"),
        ({"recovery": "120"}, "recovery_tmo is 120 s"),
        ({"nop": "0"}, "NOP-Out interval is 0"),
        ({"fast": "off"}, "fast_io_fail_tmo is off"),
        ({"tcmu": "0"}, "cmd_time_out is 0"),
        ({"map": "1 path group(s); features 1 queue_if_no_path"}, "1 of 1 multipath map queue"),
        ({"map": "1 path group(s); features 0"}, "No map queues"),
        ({"polling": "20"}, "It is 20 s"),
    ],
)
def test_a_host_setting_that_bounds_nothing_is_told(
    samples: dict[str, Path], timers: dict[str, str], words: str
) -> None:
    assert words in told(advice(load_run(samples["healthy"]), **timers))


@pytest.mark.parametrize(
    "timers",
    [
        {"eh_deadline": "10"},
        {"recovery": "5"},
        {"nop": "5"},
        {"fast": "5"},
        {"fast": "not on this host"},
        {"tcmu": "5"},
        {"tcmu": "not on this host"},
        {"polling": "1"},
    ],
)
def test_a_host_setting_that_is_well_is_not_told(
    samples: dict[str, Path], timers: dict[str, str]
) -> None:
    assert len(advice(load_run(samples["healthy"]), **timers)) == 1


def test_what_was_not_done_as_planned_is_a_deviation(samples: dict[str, Path]) -> None:
    assert deviations_of(view_of(load_run(samples["healthy"]))) == []
    view = view_of(load_run(samples["inconclusive"]))
    assert deviations_of(view) == ["An emulated CPU took the times; they decide nothing."]


def test_a_failure_that_was_waived_is_a_deviation(samples: dict[str, Path]) -> None:
    run = load_run(samples["healthy"])
    first, *others = run.conformance.assertions
    waived = replace(first, verdict=Verdict.NOT_RUN, reason="waived (tool): a block too far")
    conformance = replace(run.conformance, assertions=[waived, *others])
    (told,) = deviations_of(view_of(with_fields(run, conformance=conformance)))
    assert "waived, with the reason: 1." in told
