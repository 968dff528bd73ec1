"""A run that cannot come to its end is refused before it begins, with the numbers."""

from pathlib import Path

import msgspec
import pytest

from certify.budget import Estimate, estimate, free_disk, free_memory, repeat_s, shortages
from certify.rundir import make_plan
from certify.scenarios.soak import AROUND_S, SEGMENT_LEAST_S, SEGMENT_S, segments

from .test_scenarios import make_lab

MIB = 1 << 20
NEED = Estimate(seconds=600.0, disk_bytes=300 * MIB, memory_bytes=200 * MIB)
PLENTY = {"disk_bytes": 1 << 40, "memory_bytes": 1 << 40, "max_minutes": None}


def test_enough_of_everything_is_no_shortage() -> None:
    assert shortages(NEED, disk_bytes=300 * MIB, memory_bytes=200 * MIB, max_minutes=10.0) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"disk_bytes": 299 * MIB}, "disk: the run takes 300 MiB; 299 MiB are free"),
        ({"memory_bytes": 0}, "memory: the run takes 200 MiB; 0 MiB are free"),
        ({"max_minutes": 9.5}, "time: the run takes about 10 min; expected at most 9.5 min"),
    ],
)
def test_shortage_names_what_is_wanted_and_seen(changes: dict[str, float], words: str) -> None:
    (line,) = shortages(NEED, **(PLENTY | changes))  # type: ignore[arg-type]

    assert line.startswith(words)


def test_profile_quick_is_estimated_within_three_minutes() -> None:
    lab = make_lab()
    plan = make_plan(lab, profile="quick", seed=1, repeats=1)

    assert 60 < estimate(lab, plan, conformance=False).seconds < 180


def test_profile_ci_is_estimated_within_45_minutes() -> None:
    lab = make_lab()
    plan = make_plan(lab, profile="ci", seed=1, repeats=1)

    assert estimate(lab, plan, conformance=True).seconds < 45 * 60


def test_repeats_cost_time_and_disk_but_no_memory() -> None:
    lab = make_lab()
    once, thrice = (
        estimate(lab, make_plan(lab, profile="quick", seed=1, repeats=n), conformance=False)
        for n in (1, 3)
    )

    assert thrice.seconds == pytest.approx(3 * once.seconds)
    assert thrice.disk_bytes > once.disk_bytes
    assert thrice.memory_bytes == once.memory_bytes


def test_what_is_not_run_costs_nothing() -> None:
    lab = make_lab()
    plan = make_plan(lab, profile="quick", seed=1, repeats=1)
    left_out = [msgspec.structs.replace(one, not_run="no gear") for one in plan.scenarios]

    assert (
        estimate(lab, msgspec.structs.replace(plan, scenarios=left_out), conformance=False).seconds
        == 0.0
    )


@pytest.mark.parametrize("hours", [0.01, 0.1, 0.5, 1.0, 4.0, 72.0])
def test_soak_fills_its_hours_with_bounded_segments(hours: float) -> None:
    count, budget_s = segments(hours)

    assert SEGMENT_LEAST_S <= budget_s <= SEGMENT_S
    if hours >= 0.1:
        assert count * (budget_s + AROUND_S) == pytest.approx(hours * 3600, rel=0.1)


def test_plan_of_a_soak_has_a_repeat_per_segment() -> None:
    lab = make_lab()
    plan = make_plan(lab, profile="soak", seed=1, repeats=1, hours=4.0)
    baseline, soak = plan.scenarios

    assert (baseline.id, baseline.repeats) == ("B0", 1)
    assert (soak.id, soak.repeats, soak.budget_s) == ("T1", *segments(4.0))
    assert repeat_s(soak) < SEGMENT_S + AROUND_S


def test_evidence_of_a_long_soak_stays_small() -> None:
    lab = make_lab()
    plan = make_plan(lab, profile="soak", seed=1, repeats=1, hours=72.0)
    need = estimate(lab, plan, conformance=False)

    assert need.disk_bytes < 6 << 30
    assert need.memory_bytes < 1 << 30


def test_this_machine_says_what_it_has(tmp_path: Path) -> None:
    assert free_disk(tmp_path) > 0
    assert free_memory() > 0
